"""What waits for the user, in the words of ``git status``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.merging.waiting import Waiting
    from veml_vcs.repository.rebuilds import PendingRebuild
    from veml_vcs.repository.status import Status

_SHORT_ID = 7
_SETTLE = '  (settle them with "veml resolve KEY --ours|--theirs|--base")'
_REPLAYING = {
    "cherry-pick": ("Cherry-pick", "cherry-picking"),
    "revert": ("Revert", "reverting"),
}


def waiting_lines(status: Status) -> Iterator[Line]:
    """Yield what waits for the user, a merge aside, and how to go on."""
    for one in status.waiting:
        if one.kind in _REPLAYING:
            yield from _replay(one, status)
        elif one.kind == "rebase":
            yield from _rebase(one, status)
        elif one.kind == "am":
            yield line("You are in the middle of an am session.")
            yield from _hints(
                '(fix conflicts and then run "git am --continue")',
                '(use "git am --skip" to skip this patch)',
                '(use "git am --abort" to restore the original branch)',
            )
        elif one.kind == "bisect":
            from_where = f", started from branch '{one.branch}'" if one.branch else ""
            yield line(f"You are currently bisecting{from_where}.")
            yield from _hints('(use "git bisect reset" to get back to the original branch)')


def rebuild_lines(rebuilds: Sequence[PendingRebuild]) -> Iterator[Line]:
    """Yield the rebuilds that are begun and not done, and how to go on."""
    for one in rebuilds:
        name = f" --name {one.name}"
        what = f" of {one.training}" if one.training else ""
        if one.to_label:
            yield line(
                "The rebuild ", (one.name, "name"), f"{what} waits for labels of "
                f"{plural(one.to_label, 'sample')}, listed in {one.listed}.",
            )  # fmt: skip
            kind = one.listed.rpartition(".")[2]
            yield from _hints(f'(label them and run "veml rebuild --continue LABELS.{kind}{name}")')
        else:
            yield line("The rebuild ", (one.name, "name"), f"{what} was interrupted.")
            yield from _hints(f'(run "veml rebuild --continue{name}" to go on)')
        yield from _hints(f'(use "veml rebuild --abort{name}" to give it up)')


def training_lines(status: Status) -> Iterator[Line]:
    """Yield the trainings that are begun and not done, and how to go on.

    One that is part of a rebuild goes on with that.
    """
    rebuilt = {one.name for one in status.rebuilds}
    for one in status.pending_trainings:
        if one.running:
            yield line("The training ", (one.name, "name"), " is running.")
        elif one.name not in rebuilt:
            yield line("The training ", (one.name, "name"), " was interrupted.")
            yield from _hints(
                f'(run "veml train --resume --name {shlex.quote(one.name)}" to go on)'
            )


def rebase_head(status: Status) -> Line | None:
    """Return what stands instead of the branch while a rebase is under way."""
    found = next((one for one in status.waiting if one.kind == "rebase" and one.onto), None)
    if found is None or found.onto is None:
        return None
    return line("rebase in progress; onto ", (short(found.onto, _SHORT_ID), "id"))


def _replay(one: Waiting, status: Status) -> Iterator[Line]:
    name, doing = _REPLAYING[one.kind]
    tool = f"{'git' if one.by_git else 'veml'} {one.kind}"
    if one.commit is None:
        yield line(f"{name} currently in progress.")
    else:
        yield line(f"You are currently {doing} commit ", (short(one.commit, _SHORT_ID), "id"), ".")
    if _is_open(status):
        yield from _conflicts(status, f"{tool} --continue")
    elif one.commit is None:
        yield from _hints(f'(run "{tool} --continue" to continue)')
    else:
        yield from _hints(f'(all conflicts fixed: run "{tool} --continue")')
    if one.commit is not None:
        yield from _hints(f'(use "{tool} --skip" to skip this patch)')
    yield from _hints(f'(use "{tool} --abort" to cancel the {one.kind} operation)')
    if one.todo:
        yield from _hints(f"({plural(one.todo, 'commit')} to go)")


def _rebase(one: Waiting, status: Status) -> Iterator[Line]:
    what = f" branch '{one.branch}'" if one.branch else ""
    onto = f" on '{short(one.onto, _SHORT_ID)}'" if one.onto else ""
    if one.editing:
        yield line(f"You are currently editing a commit while rebasing{what}{onto}.")
        yield from _hints(
            '(use "veml commit --amend" to amend the current commit)',
            '(use "git rebase --continue" once you are satisfied with your changes)',
        )
    else:
        yield line(f"You are currently rebasing{what}{onto}.")
        if _is_open(status):
            yield from _conflicts(status, "git rebase --continue")
            yield from _hints(
                '(use "git rebase --skip" to skip this patch)',
                '(use "git rebase --abort" to check out the original branch)',
            )
        else:
            yield from _hints('(all conflicts fixed: run "git rebase --continue")')
    if one.todo:
        yield from _hints(f"({plural(one.todo, 'command')} to go)")


def _is_open(status: Status) -> bool:
    return bool(status.conflicted or (status.merge and status.merge.open_conflicts))


def _conflicts(status: Status, go_on: str) -> Iterator[Line]:
    if status.merge and status.merge.open_conflicts:
        yield line((_SETTLE, "hint"))
    yield from _hints(f'(fix conflicts and run "{go_on}")')


def _hints(*texts: str) -> Iterator[Line]:
    for text in texts:
        yield line(("  " + text, "hint"))
