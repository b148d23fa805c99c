"""Where the files that git runs hand over to: ``run HOOK ...``, or a driver.

    run NAME [ARG...]          a hook; its input is git's
    merge %O %A %B %P          merge two records; the result goes to %A, exit 1 is a conflict
    merge-ancestor ...         the same for common ancestors: ours stands where they contradict
    merge-ignore ...           merge two .gitignore files
    textconv FILE              print a record for git diff

A hook that fails for a reason of veml's own says so and lets git go on; a driver that fails leaves
the file as it was and in conflict.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from veml_hooks.quick import is_mirrored, nothing_to_follow
from veml_hooks.say import say, say_error
from veml_hooks.shim import AFTER_COMMIT
from veml_vcs.errors import VemlError

_CONFLICT = 1
FOLLOWING = ("post-checkout", "post-merge", "post-rewrite", "post-index-change")
"""The hooks that bring data folders along."""

MIRRORED = (AFTER_COMMIT, "post-merge", "post-rewrite")
"""The hooks that bring a mirror of the lineage up to date."""

_DRIVERS = ("merge", "merge-ancestor", "merge-ignore", "textconv")


def main(arguments: Sequence[str]) -> int:
    """Run a hook or a driver; return the exit code."""
    what, *rest = arguments or [""]
    if what == "run" and rest:
        return run_hook(rest[0], rest[1:])
    if what in _DRIVERS:
        return run_driver(what, rest)
    say(f"no such hook or driver: {what}")
    return 2


def run_hook(name: str, arguments: Sequence[str]) -> int:
    """Run one hook.

    Returns:
        0, or 1 where the hook refuses what git is about to do. Never anything else: a hook must not
        stand in the way because something of veml's own is wrong.
    """
    ours = any(map(os.path.isdir, ("models", "trainings", "inferences")))
    merged = ours and name in ("post-merge", "post-rewrite")
    code = 0
    quick = name in FOLLOWING and not merged and nothing_to_follow(os.getcwd())
    if not quick and name != AFTER_COMMIT:
        from veml_hooks.hook_impl import hook

        code = guarded(name, lambda: hook(name, list(arguments)))
    if name in MIRRORED and is_mirrored(os.getcwd()):
        guarded(name, _mirror)
    return code


def _mirror() -> int:
    from veml_vcs.lineage.neo4j.follow import follow

    said = follow(os.getcwd(), os.environ)
    if said is not None:
        say(" ".join(said.split()))
    return 0


def guarded(name: str, run: Callable[[], int]) -> int:
    """Return what a hook returns; 0 where it fails, with a word about it."""
    try:
        return run()
    except VemlError as error:
        say_error(error)
    except KeyboardInterrupt:
        say(f"{name}: interrupted")
    except Exception as error:  # noqa: BLE001 - git's command is not to fail for a bug of ours
        say(f"{name}: this is a bug in veml ({type(error).__name__}: {error}); git goes on")
        if os.environ.get("VEML_TRACEBACK") == "1":
            traceback.print_exception(error, file=sys.stderr)
    return 0


def run_driver(what: str, arguments: Sequence[str]) -> int:
    """Run one driver; 1 leaves a merge in conflict."""
    try:
        if what == "textconv":
            from veml_hooks.textconv import textconv

            sys.stdout.buffer.write(textconv(arguments[0]))
            return 0
        from veml_hooks.merge_driver import merge_ignore, merge_record

        if what == "merge-ignore":
            return merge_ignore(*arguments[:4])
        return merge_record(*arguments[:4], ancestor=what == "merge-ancestor")
    except VemlError as error:
        say_error(error)
    except OSError as error:
        say(f"{what}: {error.filename or 'a file'}: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - a conflict is the safe answer to a bug of ours
        say(f"{what}: this is a bug in veml ({type(error).__name__}: {error})")
        if os.environ.get("VEML_TRACEBACK") == "1":
            traceback.print_exception(error, file=sys.stderr)
    return _CONFLICT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
