"""Keeping a repository in order: garbage collection, compaction, checking, repair."""
