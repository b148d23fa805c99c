"""``veml resolve`` on a terminal: shows both sides of each conflict, and asks which one stands.

Answers are collected and settled together at the end, because each settlement repeats the merge.
``q`` settles what was answered; Control-C settles nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from veml_cli._output import out
from veml_cli.render.line import Line, line
from veml_vcs.errors import NotFoundError

if TYPE_CHECKING:
    from veml_cli._conflicts import OpenConflicts
    from veml_vcs.repository.merging.conflict import DataConflict
    from veml_vcs.repository.repository import Repository
    from veml_vcs.samples.annotations import Choice

Answer = Literal["ours", "theirs", "base", "skip", "quit"]

_WORDS: tuple[Answer, ...] = ("ours", "theirs", "base", "skip", "quit")
_ANSWERS: dict[str, Answer] = {
    word[:count]: word for word in _WORDS for count in range(1, len(word) + 1)
}
_PROMPT = "  [o]urs, [t]heirs, [b]ase, [s]kip, [q]uit? "
_HELP = (
    "  o  our side stands, everything else of the sample stays merged\n"
    "  t  their side stands\n"
    "  b  neither: as it was before both\n"
    "  s  decide later\n"
    "  q  settle what was answered, and stop"
)


def is_terminal() -> bool:
    """Tell whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_all(
    repo: Repository, found: OpenConflicts, wanted: Sequence[str]
) -> dict[Choice, list[str]]:
    """Show every open conflict and ask; return what is to be settled, by side.

    Args:
        repo: The repository.
        found: The open conflicts.
        wanted: Data sets, ``DATASET/KEY``, keys or files to be asked about; none means all.
    """
    groups: dict[str, list[DataConflict]] = {}
    for one in found.conflicts:
        groups.setdefault(f"{one.dataset}/{one.key}", []).append(one)
    names = [name for name, group in groups.items() if _is_wanted(name, group, wanted)]
    files = [path for path in found.files if not wanted or path in wanted]
    if wanted and not (names or files):
        raise NotFoundError(
            f"no conflict at {wanted[0]}", hint="veml resolve --list shows them", kind="no-conflict"
        )
    settled: dict[Choice, list[str]] = {}
    total = len(names) + len(files)
    for number, name in enumerate([*names, *files], 1):
        out.write(line((f"[{number}/{total}] ", "dim"), (name, "name")))
        out.write_lines(_shown(repo, groups[name]) if name in groups else [])
        answer = _ask(input)
        if answer == "quit":
            break
        if answer != "skip":
            settled.setdefault(answer, []).append(name)
    return settled


def _is_wanted(name: str, group: Sequence[DataConflict], wanted: Sequence[str]) -> bool:
    return not wanted or any(
        one.rstrip("/") in (name, group[0].dataset, group[0].key) for one in wanted
    )


def _shown(repo: Repository, group: Sequence[DataConflict]) -> list[Line]:
    from veml_cli.render.conflict_boxes import box_lines
    from veml_cli.render.conflicts import contradictions
    from veml_vcs.repository.merging.conflict_boxes import conflict_boxes

    rows = conflict_boxes(repo, group[0].dataset, group[0].key)
    return [*contradictions(group), *box_lines(rows, out.width)]


def _ask(read: Callable[[str], str]) -> Answer:
    while True:
        try:
            text = read(_PROMPT).strip().lower()
        except EOFError:
            return "quit"
        if text in _ANSWERS:
            return _ANSWERS[text]
        out.note(_HELP)
