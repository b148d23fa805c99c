"""The embedded engine: one SQLite file in the repository's ``.git/veml``."""
