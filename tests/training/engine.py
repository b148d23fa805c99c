"""The mark of tests that need MMDetection; nothing heavy is imported for it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

ENGINE = pytest.mark.skipif(
    find_spec("mmdet") is None, reason="MMDetection is not installed (extra [mmdet])"
)
