"""For all tests: the fast ones first, and hypothesis without deadlines (machines are shared)."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=150, print_blob=True)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile(
    os.environ.get("VEML_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "default")
)

_ORDER = ("slow", "data", "ml")
"""Marks, the last to run first; tests with none of them come before all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what fails fast first: plain tests, then ml, then data, then slow ones."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    for i, mark in enumerate(_ORDER):
        if item.get_closest_marker(mark):
            return len(_ORDER) - i
    return 0
