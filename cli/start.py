"""Where the program begins: what must be set before anything is imported.

Python's cycle collector looks through all objects again and again while modules are loaded, and
finds nothing: a tenth of what a short command costs. The commands themselves are in ``main``.
"""

from __future__ import annotations

import atexit
import gc


def main() -> int:
    """Run the program on the command line's arguments; return the exit code."""
    spare_collector()
    from veml_cli.main import main as run

    return run()


def spare_collector() -> None:
    """Let the cycle collector run rarely, and not at all over what ends with the program.

    A command makes objects by the hundred thousand (entries, boxes) and next to no cycles; at the
    end Python would search all that is left three times, which takes longer than ``veml --help``.
    """
    gc.set_threshold(50_000, 20, 50)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
