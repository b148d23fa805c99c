"""Inference versions in a repository: written, listed, compared, the deployed file given back."""
