"""A hook of dulwich's that calls a function instead of starting a program."""

from __future__ import annotations

from collections.abc import Callable

from dulwich.errors import HookError
from dulwich.hooks import Hook


class FunctionHook(Hook):
    """Fulfils a hook without arguments.

    Args:
        name: The hook, for messages.
        function: Returns the exit code that the program would end with.
    """

    def __init__(self, name: str, function: Callable[[], int]) -> None:
        self.name = name
        self._function = function

    def execute(self, *_args: object) -> None:
        """Call the function.

        Raises:
            HookError: It refuses.
        """
        code = self._function()
        if code != 0:
            raise HookError(f"Hook {self.name} exited with non-zero status {code}")
