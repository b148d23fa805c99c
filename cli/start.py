"""Where the program begins: what must be set before anything is imported.

Python's cycle collector looks through all objects again and again while modules are loaded, and
finds nothing: a tenth of what a short command costs. The commands themselves are in ``main``.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

_NO_MATRICES = frozenset(("add", "checkout", "diff", "merge", "restore", "switch"))
"""Commands that use numpy, and multiply nothing with it."""


def main() -> int:
    """Run the program on the command line's arguments; return the exit code."""
    spare_collector()
    spare_threads(sys.argv[1:])
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


def spare_threads(arguments: list[str]) -> None:
    """Keep numpy's algebra library from starting threads, in commands that have no use for it.

    It starts one a core as it is imported: a sixth of what importing numpy costs.
    """
    if arguments and arguments[0] in _NO_MATRICES:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
