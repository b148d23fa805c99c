"""``veml fsck``: re-hash everything; name what is missing or damaged, and the versions it hits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from veml_vcs.errors import DamagedError, FormatError, NotFoundError, VemlError
from veml_vcs.ids import CommitId, ObjectId, SampleId, short
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Entry, EntryKind, Tree
from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)


@dataclass(frozen=True)
class FsckProblem:
    """One thing that is wrong.

    Attributes:
        kind: ``damaged``, ``missing`` or ``unreadable``.
        what: The object, sample or record.
        where: The pack, fragment or commit it is in.
        versions: Data versions that it hits, as ``commit:path/key``.
    """

    kind: str
    what: str
    where: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FsckResult:
    """What was checked, and what was found.

    Attributes:
        objects: Number of objects that were re-hashed.
        versions: Number of data versions that were walked.
        samples: Number of entries that were looked up.
        problems: Everything that is wrong; empty is good.
    """

    objects: int
    versions: int
    samples: int
    problems: tuple[FsckProblem, ...]


def fsck(repo: Repository, *, progress: Progress = silent) -> FsckResult:
    """Check the store, and every data version that a commit or the index holds.

    Goes on after each problem. ``git fsck`` checks the Git side.

    Args:
        repo: The repository.
        progress: Is told how far it is.
    """
    problems: list[FsckProblem] = []
    damaged: dict[ObjectId, str] = {}
    progress("hashing objects", 0, 0)
    for problem in repo.store.verify():
        where = f"pack {os.path.basename(problem.pack)[:10]}"
        if problem.object_id is None:
            problems.append(FsckProblem("damaged", problem.what, where))
        else:
            damaged[problem.object_id] = where
    records = _records(repo, problems)
    bad_samples = _bad_samples(repo, damaged) if damaged else {}
    samples = 0
    hit: dict[str, list[str]] = {}
    for done, (name, record) in enumerate(records.items()):
        progress("walking versions", done, len(records))
        samples += _walk(repo, name, record, bad_samples, damaged, hit, problems)
    for object_id, where in damaged.items():
        what = f"object {short(object_id)}"
        problems.append(FsckProblem("damaged", what, where, tuple(hit.get(object_id.hex(), ()))))
    for sample, where in bad_samples.items():
        versions = tuple(hit.get(sample.hex(), ()))
        problems.append(FsckProblem("damaged", f"sample {short(sample)}", where, versions))
    objects = sum(1 for _ in repo.store.ids())
    return FsckResult(objects, len(records), samples, tuple(problems))


def _records(repo: Repository, problems: list[FsckProblem]) -> dict[str, DataRecord]:
    """Return every distinct data version of history and index, by ``commit:path``."""
    found: dict[str, DataRecord] = {}
    seen: set[tuple[str, str]] = set()
    read: set[str] = set()
    heads = [*repo.git.branches().values(), *map(repo.resolve, _tag_refs(repo))]
    head = repo.git.head().commit
    walked = repo.git.walk(list(dict.fromkeys([*heads, *([head] if head else [])])))
    places = [(CommitId(c.id.decode()), repo.git.tree_files(c.tree)) for c in walked]
    for commit_id, files in [*places, (None, repo.git.staged_files())]:
        for path, file in files.items():
            if not path.endswith(RECORD_SUFFIX) or (path, file.blob) in seen:
                continue
            seen.add((path, file.blob))
            name = f"{short(commit_id, 7) if commit_id else 'index'}:{path}"
            try:
                dataset_path(path)
                if file.blob in read:
                    continue
                read.add(file.blob)
                data = repo.git.read_blob(file.blob)
                if is_data_record(data):
                    found[name.removesuffix(RECORD_SUFFIX)] = parse_data_record(data, path)
            except (FormatError, NotFoundError) as error:
                problems.append(FsckProblem("unreadable", path, name, (str(error),)))
    return found


def _tag_refs(repo: Repository) -> list[str]:
    return [f"refs/tags/{name}" for name in repo.git.tags()]


def _bad_samples(repo: Repository, damaged: Mapping[ObjectId, str]) -> dict[SampleId, str]:
    """Return the contents that cannot be read because a chunk of theirs is damaged."""
    bad: dict[SampleId, str] = {}
    for fragment in repo.catalog.opened("content"):
        chunks = fragment.chunk_ids()
        if not any(chunk in damaged for chunk in chunks):
            continue
        data = fragment.ids.tobytes()
        for row in range(fragment.rows):
            content = SampleId(data[32 * row : 32 * row + 32])
            try:
                repo.contents.read_row(fragment, row, content)
            except VemlError:
                bad[content] = f"fragment {short(fragment.id)}, row {row}"
    return bad


def _walk(
    repo: Repository,
    name: str,
    record: DataRecord,
    bad: Mapping[SampleId, str],
    damaged: Mapping[ObjectId, str],
    hit: dict[str, list[str]],
    problems: list[FsckProblem],
) -> int:
    """Look every entry of a version up; return how many there are."""
    try:
        if damaged:
            for node in Tree(repo.store, record.tree).nodes():
                if node in damaged:
                    hit.setdefault(node.hex(), []).append(name)
        entries = list(Tree(repo.store, record.tree).items())
    except (DamagedError, NotFoundError) as error:
        problems.append(FsckProblem("unreadable", f"tree of {name}", str(error), (name,)))
        return 0
    for kind, wanted in (
        ("content", [(key, one.content) for key, one in entries if one.content]),
        ("annotations", [(key, one.annotation) for key, one in entries if one.annotation]),
    ):
        places = repo.catalog.find_many([one for _, one in wanted], kind)
        for (key, one), place in zip(wanted, places[:, 0].tolist(), strict=True):
            if place < 0:
                what = f"{kind} {short(one)}"
                problems.append(FsckProblem("missing", what, "the store", (f"{name}/{key}",)))
            elif kind == "content" and one in bad:
                hit.setdefault(one.hex(), []).append(f"{name}/{key}")
    if damaged:
        _check_annotations(repo, name, entries, problems)
    return len(entries)


def _check_annotations(
    repo: Repository, name: str, entries: list[tuple[str, Entry]], problems: list[FsckProblem]
) -> None:
    for key, entry in entries:
        if entry.annotation is not None and entry.kind is not EntryKind.FILE:
            try:
                repo.annotations.read(entry.annotation)
            except VemlError as error:
                what = f"annotation {short(entry.annotation)}"
                problems.append(FsckProblem("damaged", what, str(error), (f"{name}/{key}",)))
