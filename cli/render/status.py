"""The long form of ``veml status``, in Git's groups and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.conflicts import conflict_rows
from veml_cli.render.line import Line, Piece, Style, line
from veml_cli.render.records import (
    kind_word,
    named,
    record_conflict_lines,
    record_summary,
    stale_line,
)
from veml_cli.render.sparse import status_lines
from veml_cli.render.status_waiting import rebase_head, rebuild_lines, training_lines, waiting_lines
from veml_cli.render.words import counted, data_change, key_name, plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.merging.state import MergeState
    from veml_vcs.repository.status import Status
    from veml_vcs.repository.worktree.changes import FolderChanges

_INDENT = "        "
_LABEL_WIDTH = 16
_KEYS_LISTED = 5
_DATA_WORDS = {"new": "new data:", "modified": "modified data:", "deleted": "deleted data:"}
_BEHIND_WORDS = {
    "behind": "other version:",
    "gone": "no data set:",
    "unknown": "unknown version:",
    "unreadable": "no record:",
}
_STALE_WORDS = {
    "changed": "config changed",
    "missing": "config missing",
    "unreadable": "not readable",
    "edited": "record edited",
}
_FILE_WORDS = {"new": "new file:", "modified": "modified:", "deleted": "deleted:"}
_DOING = {
    "merge": "merging",
    "rebase": "rebasing",
    "cherry-pick": "cherry-picking",
    "revert": "reverting",
    "stash": "applying",
    "squash": "squashing",
}

Place = Callable[[str], str]


def long_lines(status: Status, untracked: Sequence[str], place: Place) -> Iterator[Line]:
    """Yield the status as Git words it.

    Args:
        status: What the library found.
        untracked: Untracked files and folders to list.
        place: Turns a path from the root into one to show.
    """
    head = status.head
    rebased = rebase_head(status)
    if rebased is not None:
        yield rebased
    elif head.branch is not None:
        yield line("On branch ", (head.branch, "ref"))
    else:
        yield line("HEAD detached at ", (short(head.commit or "", 7), "id"))
    if head.commit is None:
        yield from (line(), line("No commits yet"))
    yield from waiting_lines(status)
    yield from rebuild_lines(status.rebuilds)
    yield from training_lines(status)
    yield from status_lines(status.sparse)
    groups = [
        _merge(status, place),
        _behind(status, place),
        _staged(status, place),
        _changed(status, place),
        _stale_models(status, place),
        _stale_records(status),
        _unreadable(status, place),
        _untracked_data(status, place),
        _untracked_files(untracked, place),
    ]
    for group in groups:
        lines = list(group)
        if lines:
            yield line()
            yield from lines
    yield from _verdict(status, untracked)


def collapse(untracked: Sequence[str], tracked: Iterable[str]) -> list[str]:
    """Name a folder instead of its files where nothing in it is tracked, as Git does."""
    inhabited = {""}
    for path in tracked:
        parts = path.split("/")[:-1]
        inhabited.update("/".join(parts[: i + 1]) for i in range(len(parts)))
    named: dict[str, None] = {}
    for path in untracked:
        parts = path.split("/")[:-1]
        folders = ("/".join(parts[: i + 1]) for i in range(len(parts)))
        empty = next((folder for folder in folders if folder not in inhabited), None)
        named[path if empty is None else empty + "/"] = None
    return list(named)


def _merge(status: Status, place: Place) -> Iterator[Line]:
    files = [path for path in status.conflicted if not _is_record(path, status)]
    state = status.merge
    told = {one.kind for one in status.waiting if one.kind != "merge"}
    if state is not None and state.kind not in told:
        yield from _doing(state, files)
    if not (files or (state is not None and state.open_conflicts)):
        return
    yield line("Unmerged paths:")
    for dataset, lines in conflict_rows(state.open_conflicts if state else ()).items():
        yield _entry("both changed:", place(dataset), "removed")
        for one in lines:
            yield line(_INDENT, "  ") + one
    for path in files:
        yield _entry("both modified:", place(path), "removed")
        if path in status.model_conflicts:
            from veml_cli.render.models import conflict_lines

            for one in conflict_lines(status.model_conflicts[path]):
                yield line(_INDENT, "  ") + one
        if path in status.record_conflicts:
            for one in record_conflict_lines(status.record_conflicts[path]):
                yield line(_INDENT, "  ") + one
    settled = len(state.conflicts) - len(state.open_conflicts) if state else 0
    if settled:
        yield line((f"{_INDENT}({plural(settled, 'conflict')} settled already)", "hint"))


def _doing(state: MergeState, files: list[str]) -> Iterator[Line]:
    """Yield what is under way where ``waiting_lines`` has not told it: a merge, a stash."""
    from veml_vcs.repository.merging.operation import how_to_end

    doing, (finish, drop) = _DOING[state.kind], how_to_end(state.kind, by_git=state.by_git)
    if not (state.open_conflicts or files):
        yield line(f"All conflicts fixed but you are still {doing} ", (state.theirs_name, "ref"))
        yield line((f'  (use "{finish}" to conclude the {state.kind})', "hint"))
        return
    yield line(f"You have unmerged paths, {doing} ", (state.theirs_name, "ref"))
    yield line(('  (settle them with "veml resolve KEY --ours|--theirs|--base")', "hint"))
    yield line((f'  (use "{drop}" to abort the {state.kind})', "hint"))
    if state.kind == "stash":
        note = '(the stash is kept; use "veml stash drop" when all is settled)'
        yield line(("  " + note, "hint"))
    yield line()


def _is_record(path: str, status: Status) -> bool:
    if status.merge is None:
        return False
    return path.removesuffix(".veml") in {one.dataset for one in status.merge.conflicts}


def _behind(status: Status, place: Place) -> Iterator[Line]:
    here = [one for one in status.behind if one.kind != "absent"]
    if here:
        yield line("Data folders that do not hold what is checked out:")
        yield line(('  (use "veml checkout" to bring them along, keeping your changes)', "hint"))
        yield line(('  (use "veml restore PATH..." to bring one, dropping its changes)', "hint"))
        for one in here:
            never = one.kind == "behind" and one.held is None
            word = "not here yet:" if never else _BEHIND_WORDS[one.kind]
            yield _entry(word, place(one.path), "removed")
            if one.reason:
                yield line(_INDENT, (f"  {one.reason}", "dim"))
            if one.hint:
                yield line(_INDENT, (f"  (use: {one.hint})", "hint"))
    absent = [one for one in status.behind if one.kind == "absent"]
    if absent:
        if here:
            yield line()
        yield line("Data that is not in this clone:")
        for hint in dict.fromkeys(one.hint for one in absent if one.hint):
            yield line((f"  (use: {hint})", "hint"))
        for one in absent:
            yield _entry("absent data:", place(one.path), "removed")


def _staged(status: Status, place: Place) -> Iterator[Line]:
    # A path in conflict has no staged version; the library calls that deleted.
    conflicted = set(status.conflicted)
    files = {path: kind for path, kind in status.staged_files.items() if path not in conflicted}
    if not (status.staged_data or files):
        return
    yield line("Changes to be committed:")
    # Before the first commit there is nothing to restore from; Git says so, too.
    how = "restore --staged" if status.head.commit is not None else "rm --cached"
    yield line((f'  (use "veml {how} PATH..." to unstage)', "hint"))
    for change in status.staged_data:
        word = _DATA_WORDS[change.kind]
        yield _entry(word, place(change.path), "added", line("  ") + data_change(change))
    records = {one.path: one for one in named(status)}
    for path, kind in files.items():
        if path in records:
            word = f"{records[path].kind} {kind_word(path)}:"
            told = line("  ") + record_summary(records[path])
            yield _entry(word, place(path), "added", told)
        else:
            yield _entry(_FILE_WORDS[kind], place(path), "added")


def _stale_models(status: Status, place: Place) -> Iterator[Line]:
    if not status.stale_models:
        return
    yield line("Models whose record is not what the config says:")
    for one in status.stale_models:
        yield _entry(f"{_STALE_WORDS[one.kind]}:", place(one.path), "removed")
        yield line(_INDENT, (f"  {one.reason}", "dim"))
        yield line(_INDENT, (f"  (use: {one.hint})", "hint"))


def _stale_records(status: Status) -> Iterator[Line]:
    titles = {
        "training": ("Trainings", "train again"),
        "inference": ("Inference versions", "deploy again"),
    }
    for kind, (title, again) in titles.items():
        stale = [one for one in status.stale_records if one.kind == kind]
        if stale:
            moved = "of other versions than are here; their metrics say nothing of these:"
            yield line(f"{title} {moved}")
            yield line((f"  ({again}, or leave them: they stay what they are)", "hint"))
            for one in stale:
                yield line(_INDENT) + stale_line(one)


def _changed(status: Status, place: Place) -> Iterator[Line]:
    conflicted = set(status.conflicted)
    files = {path: kind for path, kind in status.changed_files.items() if path not in conflicted}
    if not (status.changed_data or files):
        return
    yield line("Changes not staged for commit:")
    yield line(('  (use "veml add PATH..." to update what will be committed)', "hint"))
    yield line(('  (use "veml restore PATH..." to discard changes in the work tree)', "hint"))
    for path, changes in status.changed_data.items():
        if changes.missing:
            yield _entry("deleted data:", place(path), "removed", line("  the folder is gone"))
            continue
        numbers = len(changes.added), len(changes.removed), len(changes.changed)
        counts = line("  ") + counted(*numbers, "file")
        yield _entry("modified data:", place(path), "removed", counts)
        yield from _keys(changes)
    for path, kind in files.items():
        yield _entry(_FILE_WORDS[kind], place(path), "removed")


def _unreadable(status: Status, place: Place) -> Iterator[Line]:
    if status.unreadable:
        yield line("Data whose version cannot be read, so that nothing is said of its files:")
        for one in status.unreadable:
            yield _entry("damaged data:", place(one.path), "removed", line(f"  {one.what}"))


def _keys(changes: FolderChanges) -> Iterator[Line]:
    """Name the first few files of a data set that differ."""
    marked: list[tuple[Piece, str]] = [
        *((("+ ", "added"), key) for key in changes.added),
        *((("- ", "removed"), key) for key in changes.removed),
        *((("~ ", "changed"), key) for key in changes.changed),
    ]
    indent = _INDENT + " " * _LABEL_WIDTH
    for mark, key in marked[:_KEYS_LISTED]:
        yield line(indent, mark, key_name(key))
    if len(marked) > _KEYS_LISTED:
        yield line(indent, (f"… and {len(marked) - _KEYS_LISTED:,} more", "dim"))


def _untracked_data(status: Status, place: Place) -> Iterator[Line]:
    if status.untracked_data:
        yield line("Untracked data sets:")
        yield line(('  (use "veml add FOLDER" to track one; its format is recognised)', "hint"))
        for path in status.untracked_data:
            yield line(_INDENT, (place(path + "/"), "removed"))


def _untracked_files(untracked: Sequence[str], place: Place) -> Iterator[Line]:
    if untracked:
        yield line("Untracked files:")
        yield line(('  (use "veml add PATH..." to include them in what will be committed)', "hint"))
        for path in untracked:
            yield line(_INDENT, (place(path), "removed"))


def _verdict(status: Status, untracked: Sequence[str]) -> Iterator[Line]:
    """Yield Git's last line, where nothing is staged."""
    if status.staged_data or status.staged_files or status.merge:
        return
    loose = bool(untracked or status.untracked_data)
    if status.changed_data or status.changed_files:
        text = 'no changes added to commit (use "veml add" and/or "veml commit -a")'
    elif loose:
        text = 'nothing added to commit but untracked files present (use "veml add" to track)'
    elif status.head.commit is None:
        text = 'nothing to commit (create or copy files and use "veml add" to track)'
    elif status.stale_models:
        text = "nothing to commit, but records of models are not what their configs say"
    elif status.unreadable:
        text = "nothing to commit as far as can be told"
    elif status.behind:
        text = "nothing to commit, but data folders do not hold what is checked out"
    else:
        text = "nothing to commit, working tree clean"
    told = status.stale_models or status.changed_data
    if loose or told or status.changed_files or status.head.commit is None:
        yield line()
    yield line(text)


def _entry(word: str, path: str, style: Style, more: Line | None = None) -> Line:
    return line(_INDENT, (f"{word} ".ljust(_LABEL_WIDTH), style), (path, style)) + (more or line())
