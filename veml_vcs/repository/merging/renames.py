"""Data sets that got another name: a merge brings the other side's changes along, blame follows.

Git finds renames of files by likeness; a record is a few lines, and records of two data sets of
one format are alike. So a rename is only taken for one where the record is the very same, or most
of the samples are (same key, same bytes).
"""

from __future__ import annotations

from collections.abc import Collection

from veml_vcs.repository.absent import is_here
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import diff_trees
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord, is_data_record, parse_data_record

Files = dict[str, TreeFile]


def with_renames(
    repo: Repository, base: Files, ours: Files, theirs: Files
) -> tuple[Files, Files, Files]:
    """Return the three trees with each renamed data set under its new name in all of them.

    A data set that both sides renamed, or that the other side removed, is left alone.
    """
    if not any(path.endswith(RECORD_SUFFIX) for path in base):
        return base, ours, theirs
    base, ours, theirs = dict(base), dict(ours), dict(theirs)
    for side, other in ((ours, theirs), (theirs, ours)):
        gone = [path for path in _records(base) if path not in side and path in other]
        new = [path for path in _records(side) if path not in base and path not in other]
        for old, target in _matched(repo, base, side, gone, new).items():
            base[target] = base.pop(old)
            other[target] = other.pop(old)
    return base, ours, theirs


def renamed_datasets(repo: Repository, before: Files, after: Files) -> dict[str, str]:
    """Return the data sets that a commit gave another name: the new folder -> the old one.

    Args:
        repo: The repository.
        before: The files of its parent.
        after: Its own.
    """
    gone = [path for path in _records(before) if path not in after]
    new = [path for path in _records(after) if path not in before]
    return {
        target.removesuffix(RECORD_SUFFIX): old.removesuffix(RECORD_SUFFIX)
        for old, target in _matched(repo, before, after, gone, new).items()
    }


def _records(files: Files) -> list[str]:
    return sorted(path for path in files if path.endswith(RECORD_SUFFIX))


def _matched(
    repo: Repository, base: Files, side: Files, gone: Collection[str], new: Collection[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    left = dict.fromkeys(new)
    for old in gone:
        same = next((path for path in left if side[path].blob == base[old].blob), None)
        if same is not None:
            found[old] = same
            del left[same]
    for old in gone:
        before = None if old in found else _record(repo, old, base[old])
        if before is None:
            continue
        for path in left:
            after = _record(repo, path, side[path])
            if after is not None and _mostly_same(repo, before, after):
                found[old] = path
                del left[path]
                break
    return found


def _record(repo: Repository, path: str, file: TreeFile) -> DataRecord | None:
    data = repo.git.read_blob(file.blob)
    return parse_data_record(data, path) if is_data_record(data) else None


def _mostly_same(repo: Repository, old: DataRecord, new: DataRecord) -> bool:
    if old.facts.format != new.facts.format or not (is_here(repo, old) and is_here(repo, new)):
        return False
    differing = sum(1 for _ in diff_trees(repo.store, old.tree, new.tree))
    return 2 * differing < old.samples + old.files
