"""``veml stash``: put uncommitted work aside, and bring it back."""
