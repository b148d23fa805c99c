"""Data operations: list, count, filter, update and combine data versions without a work tree."""
