"""Training versions in a repository: written, listed, compared, exported, merged by averaging."""
