"""Measurements, each started with one command; none is part of the tests."""
