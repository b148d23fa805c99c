"""``veml mv``: what is to become what, keys renamed, and doing it."""
