"""Model versions in a repository: recorded from a config, listed, compared, kept in step."""
