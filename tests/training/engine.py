"""Marks of tests that need the training engine; nothing heavy is imported for them."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

ENGINE = pytest.mark.skipif(
    find_spec("mmdet") is None, reason="MMDetection is not installed (extra [mmdet])"
)
MMENGINE = pytest.mark.skipif(find_spec("mmengine") is None, reason="MMEngine is not installed")
TORCHVISION = pytest.mark.skipif(
    find_spec("mmengine") is None or find_spec("torchvision") is None,
    reason="MMEngine or torchvision is not installed",
)
