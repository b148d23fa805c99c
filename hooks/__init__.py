"""What git runs: hooks, merge drivers and a diff driver; installed as ``veml_hooks``.

The files in ``.git/hooks`` and the lines in ``.git/config`` only hand over to ``__main__``.
"""
