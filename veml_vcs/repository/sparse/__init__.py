"""Sparse work trees: which samples are wanted on disk, which are left out, the verbs."""
