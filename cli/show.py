"""``veml show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._session import end_unread, opened, paged
from veml_cli.diff import DEFAULT_SAMPLES
from veml_vcs.errors import NotFoundError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository
    from veml_vcs.versions.data import DataRecord

EXAMPLES = examples(
    ("the last commit and what it did to the data", "veml show"),
    ("a data set as a table of classes", "veml show main:images/train"),
    ("one sample: its size and what is said about it", "veml show main:images/train/0001.jpg"),
    ("what a commit holds", "veml show HEAD:"),
)


def show(
    what: Annotated[
        str, typer.Argument(metavar="REV[:PATH]", help="A commit, or something in it.")
    ] = "HEAD",
    samples: Annotated[
        int, typer.Option("--samples", min=0, metavar="N", help="Samples to list; 0 lists all.")
    ] = DEFAULT_SAMPLES,
    stat: Annotated[bool, typer.Option("--stat", help="Numbers only.")] = False,
    no_patch: Annotated[
        bool, typer.Option("--no-patch", "-s", help="Of a commit: who, when and why alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a commit, or something in it.

    REV: with what it changed; REV:PATH: a data set, sample, file or folder as the commit has it.
    :PATH is what is staged.
    """
    with opened() as repo, paged(repo, unless=as_json):
        revision, colon, path = what.partition(":")
        if colon and not (what.startswith(":/") or "^{/" in revision):
            _show_path(repo, revision or None, path.strip("/"), as_json)
        else:
            _show_commit(repo, what, None if no_patch else samples, stat, as_json)


def _show_commit(
    repo: Repository, revision: str, samples: int | None, stat: bool, as_json: bool
) -> None:
    from veml_cli.render.diff import diff_lines
    from veml_cli.render.diff_stat import stat_lines
    from veml_cli.render.line import line
    from veml_cli.render.log import head_lines, tag_head
    from veml_vcs.repository.log import show as run
    from veml_vcs.repository.revisions import tag_of

    shown = run(repo, revision)
    if as_json:
        out.write_json(shown)
        end_unread(shown.diff.unreadable)
        return
    if (tag := tag_of(repo.git, revision)) is not None:
        out.write_lines(tag_head(tag))
    out.write_lines(head_lines(shown.entry))
    if samples is None:
        return
    if shown.diff:
        out.write(line())
    width = out.width
    out.write_lines(
        stat_lines(shown.diff, width) if stat else diff_lines(shown.diff, samples, width)
    )
    end_unread(shown.diff.unreadable)


def _show_path(repo: Repository, revision: str | None, path: str, as_json: bool) -> None:
    from veml_cli.render.record import folder_lines, record_lines
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
        prefix = f"{path}/" if path else ""
        below = {one.removeprefix(prefix): file for one, file in files.items() if
                 one.startswith(prefix)}  # fmt: skip
        if not below and path:
            raise NotFoundError(f"{path}: not in {revision or 'the index'}", kind="no-such-path")
        names = {one.removeprefix(prefix) for one in records if one.startswith(prefix)}
        if as_json:
            out.write_json({"path": path, "datasets": sorted(names), "files": sorted(below)})
            return
        out.write_lines(folder_lines(list(below), names))


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
