"""Experiments on whole lifecycles: ``python -m benchmarks.lifecycle.NAME``; docs/experiments.md."""
