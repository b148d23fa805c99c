"""The text of the files that git runs: a few lines of shell that hand over to Python.

No logic is in them but the search for a veml that works. The interpreter that installed veml is
tried first, with ``-P`` so that nothing in the current folder, which is a clone of somebody's, can
be imported; then ``veml`` on PATH. If there is none, the file says so and lets git go on.
"""

from __future__ import annotations

import shlex

HOOKS = (
    "pre-commit",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "post-index-change",
    "pre-push",
)
"""The hooks that veml installs."""

AFTER_COMMIT = "post-commit"
"""One more, where the lineage is mirrored: it sends what is new."""

HOOK_ID = b"# veml-hook-f1b0c9d2"
"""Marks a file as ours. Never changed; a later version adds another line."""

USER_SUFFIX = ".user"
"""What the user's own hook is called while ours stands in its place."""

_READS_INPUT = frozenset({"pre-push", "post-rewrite"})
_ABSENT = 97  # an exit code that no hook of ours and no Python failure has

_START = f"""\
import sys
try:
    from veml_hooks.__main__ import main
except ImportError:
    sys.exit({_ABSENT})
sys.exit(main(sys.argv[1:]))
"""


def guard_of(name: str) -> str:
    """Return the variable in which a hook tells what it starts that it runs already."""
    return "VEML_HOOK_" + name.upper().replace("-", "_")


def hook_text(name: str, python: str) -> bytes:
    """Return the file of one hook.

    Args:
        name: One of ``HOOKS``.
        python: The interpreter that veml is installed for.
    """
    guard = guard_of(name)
    quick = 'if [ "$1" != 1 ]; then exit 0; fi\n' if name == "post-index-change" else ""
    if name in _READS_INPUT:
        user = f'printf "%s" "$input" | "$0{USER_SUFFIX}" "$@" || exit $?'
        read, feed = "input=$(cat; echo .); input=${input%.}\n", 'printf "%s" "$input" | '
    else:
        user, read, feed = f'"$0{USER_SUFFIX}" "$@" || exit $?', "", ""
    return (
        f"#!/bin/sh\n{HOOK_ID.decode()} {name}: written by veml hook install; do not edit\n"
        f"# Your own {name} hook, if you had one, is {name}{USER_SUFFIX} beside this file and runs "
        f"first.\n# veml hook uninstall puts it back. VEML_HOOKS=0 turns veml's part off.\n"
        f'if [ "${guard}" = "$PWD" ]; then exit 0; fi\nexport {guard}="$PWD"\n{read}'
        f'if [ -x "$0{USER_SUFFIX}" ]; then {user}; fi\n'
        f'if [ "$VEML_HOOKS" = 0 ]; then exit 0; fi\n{quick}'
        + _search(python, f"run {name}", f"hook run {name}", feed)
        + f'echo "veml: {name}: veml is not installed here any more; git goes on without it" >&2\n'
        'echo "veml: (pip install veml, or remove this file: $0)" >&2\nexit 0\n'
    ).encode()


def launcher_text(python: str) -> bytes:
    """Return the file that the drivers in ``.git/config`` run.

    Args:
        python: The interpreter that veml is installed for.
    """
    return (
        "#!/bin/sh\n# written by veml hook install; do not edit\n"
        + _search(python, "", "hook drive", "")
        + 'if [ "$1" = textconv ]; then exec cat "$2"; fi\n'
        'echo "veml: veml is not installed here any more, so $5 is left in conflict" >&2\n'
        'echo "veml: (pip install veml, then veml status)" >&2\nexit 1\n'
    ).encode()


def _search(python: str, words: str, veml_words: str, feed: str) -> str:
    quoted = shlex.quote(python)
    start = shlex.quote(_START)
    return (
        f'if [ -x {quoted} ]; then\n    {feed}{quoted} -P -c {start} {words} "$@"\n'
        f'    code=$?\n    if [ "$code" != {_ABSENT} ]; then exit "$code"; fi\nfi\n'
        f"if command -v veml >/dev/null 2>&1; then\n"
        f'    {feed}veml {veml_words} "$@"\n    exit $?\nfi\n'
    )
