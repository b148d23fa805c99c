"""The work tree: which files there are, how they differ from a version, writing them."""
