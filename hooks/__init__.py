"""What the git hooks will do; installed as ``veml_hooks``. Hooks come with the next release."""
