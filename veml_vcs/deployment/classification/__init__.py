"""Classifiers as files: an image goes in, the probability of each class comes out."""
