"""What reading a config may take at most: steps, elements, depth. Nothing is counted by time."""

from __future__ import annotations

MAX_STEPS = 300_000
MAX_ELEMENTS = 2_000_000
MAX_ITEMS = 200_000
MAX_DEPTH = 100
MAX_NUMBER = 1 << 128


class Budget:
    """How many steps all files of a config may still take, and how many elements these may copy."""

    def __init__(self, steps: int = MAX_STEPS, elements: int = MAX_ELEMENTS) -> None:
        self.steps = steps
        self.elements = elements

    def spend(self, elements: int) -> bool:
        """Take elements off; tell whether there were as many."""
        self.elements -= elements
        return self.elements >= 0
