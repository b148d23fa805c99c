"""``veml show``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._session import end_unread, opened, paged
from veml_cli.diff import DEFAULT_SAMPLES
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, VersionId

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from veml_cli.render.log_head import Look
    from veml_vcs.repository.damage import Unreadable
    from veml_vcs.repository.git.repo import TreeFile
    from veml_vcs.repository.log import Shown
    from veml_vcs.repository.repository import Repository
    from veml_vcs.versions.data import DataRecord

_PARENTS = re.compile(r"\^(?:@|!|-\d*)$")
"""What stands for several commits, in place of one."""

EXAMPLES = examples(
    ("the last commit and what it did to the data", "veml show"),
    ("each commit that night has and main has not", "veml show --stat main..night"),
    ("a data set as a table of classes", "veml show main:images/train"),
    ("one sample: its size and what is said about it", "veml show main:images/train/0001.jpg"),
    ("what a commit holds, and a tag with what it names", "veml show HEAD: v1.0"),
)


def show(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="REV[:PATH]", help="Commits, ranges of them, or something in one."),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", min=0, metavar="N", help="Samples to list; 0 lists all.")
    ] = DEFAULT_SAMPLES,
    stat: Annotated[bool, typer.Option("--stat", help="Numbers only.")] = False,
    no_patch: Annotated[
        bool, typer.Option("--no-patch", "-s", help="Of a commit: who, when and why alone.")
    ] = False,
    form: Annotated[
        str | None,
        typer.Option("--format", "--pretty", metavar="FORMAT", help="As that of veml log."),
    ] = None,
    oneline: Annotated[
        bool, typer.Option("--oneline", help="Of a commit: one line first.")
    ] = False,
    date: Annotated[
        str | None, typer.Option("--date", metavar="MODE", help="As that of veml log.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show commits, or something in one.

    REV: with what it changed, a tag with its message first; A..B: each commit of the range;
    REV:PATH: a data set, sample, file or folder as the commit has it. :PATH is what is staged.
    """
    from veml_cli._formats import look_of
    from veml_vcs.repository.log import log
    from veml_vcs.repository.log import show as show_commit

    asked = arguments or ["HEAD"]
    with opened() as repo, paged(repo, unless=as_json):
        look = look_of(repo, form, oneline=oneline, date=date)
        how = _How(None if no_patch else samples, stat, look, as_json)
        walked = any(_is_range(repo, one) for one in asked)
        if not walked:
            if as_json and len(asked) > 1:
                raise InvalidInputError(
                    "--json shows one thing, or a range", hint="veml log --json"
                )
            shown = False
            for one in asked:
                shown = _show_one(repo, one, how, shown)
            end_unread(how.unread)
            return
        for one in asked:
            if _place_of(one) is not None:
                raise InvalidInputError(f"{one} is no commit, and a range of commits was given")
        full = how.look.full_names
        shown_ones = (
            show_commit(repo, one.id, full_names=full) for one in log(repo, asked, data=False)
        )
        if as_json:
            each_one = [*shown_ones]
            out.write_json(each_one)
            end_unread([part for one in each_one for part in one.diff.unreadable])
            return
        for i, each in enumerate(shown_ones):
            if i and not look.tight:
                out.write()
            _write(repo, each, how)
        end_unread(how.unread)


@dataclass(frozen=True)
class _How:
    """How commits are shown.

    Attributes:
        samples: How many to list; 0 is all, None shows no difference at all.
        stat: Numbers only.
        look: How the head is written.
        as_json: One JSON document.
        unread: Takes what could not be read of what is told.
        told: Takes the commits that were shown: as in Git, each is once.
    """

    samples: int | None
    stat: bool
    look: Look
    as_json: bool
    unread: list[Unreadable] = field(default_factory=list)
    told: set[CommitId] = field(default_factory=set)


def _place_of(what: str) -> tuple[str, str] | None:
    """Split ``REV:PATH``; None if it names a commit or a range."""
    revision, colon, path = what.partition(":")
    if not colon or what.startswith(":/") or "^{/" in revision:
        return None
    return revision, path


def _is_range(repo: Repository, what: str) -> bool:
    """Tell whether an argument asks for a walk; what names one thing is looked up elsewhere."""
    from veml_vcs.repository.ranges import parse_range, split_dots

    if _place_of(what) is not None:
        return False
    if split_dots(what) is None and not what.startswith("^") and not _PARENTS.search(what):
        return False
    return parse_range(repo.git, what).walked


def _show_one(repo: Repository, what: str, how: _How, shown: bool) -> bool:
    """Show what an argument names.

    Args:
        repo: The repository.
        what: The argument.
        how: How commits are shown.
        shown: Whether something with a head of its own was shown before.

    Returns:
        Whether it was now.
    """
    from veml_cli.render.log import tag_head
    from veml_vcs.repository.ranges import parse_range
    from veml_vcs.repository.revisions import named_object

    place = _place_of(what)
    if place is not None:
        return _show_path(repo, place[0] or None, place[1].strip("/"), how.as_json, shown)
    if _PARENTS.search(what):
        for commit in parse_range(repo.git, what).include:
            shown = _show_commit(repo, commit, how, shown)
        return shown
    if not what or what.startswith("-"):
        raise InvalidInputError(f"not a revision: {what!r}")
    tags, found = named_object(repo.git, what)
    for tag in () if how.as_json else tags:
        if shown:
            out.write()
        out.write_lines(tag_head(tag, how.look))
        shown = True
    name = found.id.decode()
    if found.type_name == b"commit":
        return _show_commit(repo, CommitId(name), how, shown)
    if found.type_name == b"blob":
        out.write_bytes(repo.git.read_blob(VersionId(name)))
        return shown
    files = repo.git.tree_files(found.id)
    _show_folder(what, "", files, repo.datasets_in(files), how.as_json, shown)
    return True


def _show_commit(repo: Repository, commit: CommitId, how: _How, shown: bool) -> bool:
    from veml_vcs.repository.log import show as show_commit

    if commit in how.told:
        return shown
    how.told.add(commit)
    told = how.samples is not None and not how.stat
    found = show_commit(repo, commit, layers=told, full_names=how.look.full_names)
    if how.as_json:
        out.write_json(found)
        how.unread.extend(found.diff.unreadable)
        return True
    if shown and not how.look.tight:
        out.write()
    _write(repo, found, how)
    return True


def _write(repo: Repository, shown: Shown, how: _How) -> None:
    from veml_cli._formats import write_head
    from veml_cli.render.diff import diff_lines
    from veml_cli.render.diff_stat import stat_lines
    from veml_cli.render.line import line

    write_head(shown.entry, how.look)
    if how.samples is None:
        return
    how.unread.extend(shown.diff.unreadable)
    if shown.diff and how.look.form != "oneline":
        out.write(line())
    width = out.width
    out.write_lines(
        stat_lines(shown.diff, width) if how.stat else diff_lines(shown.diff, how.samples, width)
    )


def _show_path(
    repo: Repository, revision: str | None, path: str, as_json: bool, shown: bool
) -> bool:
    """Show something in a commit, or in the index; return whether it has a head of its own."""
    from veml_cli.render.record import record_lines
    from veml_vcs.repository.datasets import owner_of

    commit = None if revision is None else repo.resolve(revision)
    files = repo.git.staged_files() if revision is None else repo.git.files(commit)
    records = repo.datasets_in(files)
    owner = owner_of(records, path)
    if owner is not None and path == owner:
        out_record = records[owner]
        if as_json:
            out.write_json(out_record)
        else:
            out.write_lines(record_lines(owner, out_record, out.width))
            _show_numbers(repo, out_record)
    elif owner is not None:
        _show_key(repo, owner, revision, path[len(owner) + 1 :], as_json)
    elif path in files:
        out.write_bytes(repo.git.read_blob(files[path].blob))
    else:
        _show_folder(f"{revision or ''}:{path}", path, files, records, as_json, shown)
        return True
    return shown


def _show_folder(
    name: str,
    path: str,
    files: Mapping[str, TreeFile],
    records: Collection[str],
    as_json: bool,
    shown: bool,
) -> None:
    """Show what lies directly in a folder, below the line that Git writes first."""
    from veml_cli.render.record import folder_lines

    prefix = f"{path}/" if path else ""
    below = [one.removeprefix(prefix) for one in files if one.startswith(prefix)]
    if not below and path:
        where = name.removesuffix(f":{path}") or "the index"
        raise NotFoundError(f"{path}: not in {where}", kind="no-such-path")
    names = {one.removeprefix(prefix) for one in records if one.startswith(prefix)}
    if as_json:
        out.write_json({"path": path, "datasets": sorted(names), "files": sorted(below)})
        return
    if shown:
        out.write()
    out.write(f"tree {name}")
    out.write()
    out.write_lines(folder_lines(below, names))


def _show_numbers(repo: Repository, record: DataRecord) -> None:
    """Say what is in a series of sensors or a Zarr store, where its data is here."""
    from veml_vcs.repository.contents.series import record_series
    from veml_vcs.repository.contents.zarr_store import record_arrays

    found, note = record_series(repo, record)
    if found is not None:
        from veml_cli.render.series import series_lines

        out.write_lines(series_lines(found, out.width))
    if note is not None:
        out.note(note)
    arrays = record_arrays(repo, record)
    if arrays:
        from veml_cli.render.arrays import store_lines

        out.write_lines(store_lines(arrays, out.width))


def _show_key(
    repo: Repository, dataset: str, revision: str | None, key: str, as_json: bool
) -> None:
    from veml_cli.render.record import sample_lines
    from veml_vcs.samples.tree import EntryKind, Tree

    record = repo.record_at(dataset, revision)
    entry = Tree(repo.store, record.tree).get(key)
    if entry is None:
        raise NotFoundError(f"{dataset}: no sample or file {key!r}", kind="no-such-path")
    if entry.kind is EntryKind.FILE and entry.content is not None:
        out.write_bytes(repo.contents.read(entry.content))
        return
    said = None if entry.annotation is None else repo.annotations.read(entry.annotation)
    if as_json:
        document: dict[str, Any] = {"dataset": dataset, "key": key, "entry": entry._asdict()}
        out.write_json({**document, "annotation": said})
    else:
        out.write_lines(sample_lines(dataset, key, entry, said, out.width))
