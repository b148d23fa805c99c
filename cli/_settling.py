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
    from veml_vcs.samples.annotations import Resolution

Answer = Literal["ours", "theirs", "base", "both", "each", "skip", "quit"]

_ANSWERS: dict[Answer, tuple[str, str]] = {
    "ours": ("[o]urs", "our side stands, everything else of the sample stays merged"),
    "theirs": ("[t]heirs", "their side stands"),
    "base": ("[b]ase", "neither: as it was before both"),
    "both": ("[u]nion", "both stand: two boxes; of a text, the lines of both"),
    "each": ("[e]ach", "ask for each conflict of the sample"),
    "skip": ("[s]kip", "decide later"),
    "quit": ("[q]uit", "settle what was answered, and stop"),
}


def is_terminal() -> bool:
    """Tell whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_all(
    repo: Repository, found: OpenConflicts, wanted: Sequence[str]
) -> dict[Resolution, list[str]]:
    """Show every open conflict and ask; return what is to be settled, by side, both last.

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
    settled: dict[Resolution, list[str]] = {"ours": [], "theirs": [], "base": [], "both": []}
    total = len(names) + len(files)
    for number, name in enumerate([*names, *files], 1):
        out.write(line((f"[{number}/{total}] ", "dim"), (name, "name")))
        group = groups.get(name, [])
        out.write_lines(_shown(repo, group) if group else [])
        answer = _ask(input, _possible(repo, group, name))
        if answer == "each":
            answer = _ask_each(name, group, settled)
        elif answer != "skip" and answer != "quit":
            settled[answer].append(name)
        if answer == "quit":
            break
    return {choice: names for choice, names in settled.items() if names}


def _ask_each(
    name: str, group: Sequence[DataConflict], settled: dict[Resolution, list[str]]
) -> Answer:
    """Ask for each conflict of a sample; return ``quit`` if that was the last answer."""
    from veml_cli.render.conflicts import contradictions
    from veml_vcs.samples.annotations import can_be_both

    for one in group:
        out.write_lines(contradictions([one]))
        both: tuple[Answer, ...] = ("both",) if can_be_both(one.kind, one.path) else ()
        answer = _ask(input, ("ours", "theirs", "base", *both, "skip", "quit"))
        if answer == "quit":
            return answer
        if answer != "skip" and answer != "each":
            settled[answer].append(f"{name}:{one.path}")
    return "each"


def _possible(repo: Repository, group: Sequence[DataConflict], name: str) -> list[Answer]:
    """Return the answers that make sense for a sample, or (without conflicts) for a file."""
    from veml_vcs.repository.merging.resolve import both_can_be

    found: list[Answer] = ["ours", "theirs", "base"]
    if both_can_be(repo, group, "" if group else name):
        found.append("both")
    if len(group) > 1 and all(one.path for one in group):
        found.append("each")
    return [*found, "skip", "quit"]


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


def _ask(read: Callable[[str], str], possible: Sequence[Answer]) -> Answer:
    words = [_ANSWERS[one][0] for one in possible]
    known: dict[str, Answer] = {"both": "both"} if "both" in possible else {}
    for one, word in zip(possible, words, strict=True):
        whole = word.replace("[", "").replace("]", "")
        known.update((whole[:count], one) for count in range(1, len(whole) + 1))
    while True:
        try:
            text = read(f"  {', '.join(words)}? ").strip().lower()
        except EOFError:
            return "quit"
        if text in known:
            return known[text]
        out.note("\n".join(f"  {_ANSWERS[one][0][1]}  {_ANSWERS[one][1]}" for one in possible))
