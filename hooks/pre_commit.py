"""pre-commit: refuse what could never be right, and nothing else.

Looked at is what the commit changes: records among it are read, data is not. Changes that are not
staged, in data folders too, are nobody's business here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from veml_hooks.models import blocked_models
from veml_hooks.say import say
from veml_vcs.errors import FormatError, VemlError
from veml_vcs.ids import VersionId, short
from veml_vcs.repository.absent import is_here
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.git.program import git
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.pending import pending_conflicts
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.records.check import blocked_records
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Tree
from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)
from veml_vcs.versions.kinds import MODEL, kind_at

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_LISTED = 5
_HEADS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD")


@dataclass(frozen=True)
class Blocked:
    """Why a commit is refused.

    Attributes:
        reason: What is wrong, with which path.
        hint: How to go on.
    """

    reason: str
    hint: str


def pre_commit(repo: Repository, changed: dict[str, VersionId] | None = None) -> int:
    """Check what is about to be committed; 1 refuses it.

    Args:
        repo: The repository.
        changed: The paths that the commit adds or changes, and their new blobs; None asks git.
    """
    if changed is None:
        changed = _changed(repo)
    found = [
        blocked
        for path, blob in changed.items()
        if path.endswith(RECORD_SUFFIX) and (blocked := _check_record(repo, path, blob)) is not None
    ]
    found += [
        Blocked(*one)
        for one in blocked_models(repo, changed, repo.git.head().commit or _EMPTY_TREE)
    ]
    found += [Blocked(one.reason, one.hint) for one in blocked_records(repo, changed)]
    found += _open_conflicts(repo, changed)
    found += _strays(repo, [path for path in changed if not path.endswith(RECORD_SUFFIX)])
    for one in found:
        say(one.reason, f"hint: {one.hint}")
    if found:
        say("nothing was committed (git commit --no-verify commits all the same)")
    return 1 if found else 0


def _changed(repo: Repository) -> dict[str, VersionId]:
    """Return the paths that the commit adds or changes, and their new blobs."""
    head = repo.git.head().commit or _EMPTY_TREE
    # git's own environment: the index of "git commit -a" is a temporary one.
    listing = git(
        repo.root, "diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev",
        "--diff-filter=AMT", head, "--", here=True,
    ).out.split(b"\0")  # fmt: skip
    return {
        os.fsdecode(path): VersionId(fields.split()[3].decode())
        for fields, path in zip(listing[0::2], listing[1::2], strict=False)
    }


def _check_record(repo: Repository, path: str, blob: VersionId) -> Blocked | None:
    data = repo.git.read_blob(blob)
    name = path.removesuffix(RECORD_SUFFIX)
    again = f"veml add {name} writes it anew from the folder; git restore --staged {path} leaves it"
    if b"\n<<<<<<< " in data or data.startswith(b"<<<<<<< "):
        kind = kind_at(path)
        marks = f"{path}: the record has conflict marks"
        if kind is MODEL:
            again = kind.make_hint(kind.bare_name(path))
            return Blocked(marks, f"settle its config, then {again} --force")
        if kind is not None:
            sides = f"git checkout --ours -- {path} (or --theirs)"
            return Blocked(marks, f"{sides}, then veml add {path}")
        return Blocked(
            marks,
            f"git checkout -m -- {path}, then veml resolve {name} --ours|--theirs|--base",
        )
    if not is_data_record(data):
        return None  # some other program's, or a kind of record that is checked elsewhere
    try:
        dataset_path(path)
        record = parse_data_record(data, path)
    except FormatError as error:
        return Blocked(f"the record was edited by hand: {error.message}", again)
    if record.to_bytes() != data:
        return Blocked(f"{path}: the record was edited by hand: it is not in veml's form", again)
    return _check_tree(repo, path, blob, record, again)


def _open_conflicts(repo: Repository, changed: dict[str, VersionId]) -> list[Blocked]:
    """Return the data sets of which the commit would take ours for every open conflict."""
    state = load_merge_state(repo)
    left: dict[str, list[DataConflict]] = {}
    if state is not None and state.ours:  # begun by veml merge
        for conflict in state.open_conflicts:
            left.setdefault(conflict.dataset, []).append(conflict)
    for name, pending in pending_conflicts(repo).items():
        path = name + RECORD_SUFFIX
        blob = changed.get(path) or _staged_blob(repo, path)
        if blob == pending.provisional and blob is not None:
            left[name] = list(pending.open_conflicts)
    return [
        Blocked(
            f"{name}: {len(conflicts)} conflict{'s are' if len(conflicts) > 1 else ' is'} not "
            f"settled: {', '.join(dict.fromkeys(one.key or name for one in conflicts[:_LISTED]))}",
            f"veml resolve {name} --ours|--theirs|--base (ours is what stands now)",
        )
        for name, conflicts in left.items()
        if conflicts
    ]


def _staged_blob(repo: Repository, path: str) -> VersionId | None:
    """Return the blob that the commit has at a path that it does not change."""
    fields = git(repo.root, "ls-files", "-s", "-z", "--", path, here=True).text.split()
    return VersionId(fields[1]) if len(fields) > 2 and fields[2][:1] == "0" else None


def _check_tree(
    repo: Repository, path: str, blob: VersionId, record: DataRecord, again: str
) -> Blocked | None:
    """Check what the tree's root says without reading more of it."""
    name = path.removesuffix(RECORD_SUFFIX)
    if not is_here(repo, record):
        if _in_history(repo, blob, path):
            return None  # a clone without the data may merge, revert and cherry-pick all the same
        return Blocked(
            f"{name}: the data of version {short(record.tree)} is not in the store, and no commit "
            "has this record: nobody could ever get it",
            again,
        )
    try:
        sums = Tree(repo.store, record.tree).sums()
    except VemlError as error:
        return Blocked(f"{name}: {error.message}", "veml fsck")
    said = (record.samples, record.content_bytes)
    if said != (sums.samples, sums.content_bytes):
        return Blocked(
            f"{path}: the record was edited by hand: it says {said[0]:,} samples and {said[1]:,} "
            f"bytes, its data has {sums.samples:,} and {sums.content_bytes:,}",
            again,
        )
    return None


def _in_history(repo: Repository, blob: VersionId, path: str) -> bool:
    heads = [one for one in _HEADS if repo.git.read_state(one) is not None]
    done = git(
        repo.root, "log", "-1", "--all", "--format=%H", f"--find-object={blob}", *heads, "--", path
    )
    return done.code == 0 and bool(done.out.strip())


def _strays(repo: Repository, paths: list[str]) -> list[Blocked]:
    """Return the data sets of which files are about to be committed to Git itself."""
    if not paths:
        return []
    datasets = repo.staged_datasets()
    outside = {file: name for name, record in datasets.items() for file in record.annotations}
    stray: dict[str, list[str]] = {}
    for path in paths:
        owner = owner_of(datasets, path) or outside.get(path)
        if owner is not None:
            stray.setdefault(owner, []).append(path)
    return [
        Blocked(
            f"{name} is a data set, and {len(files):,} of its files would go into Git itself: "
            f"{', '.join(files[:_LISTED])}{', ...' if len(files) > _LISTED else ''}",
            f"git rm -r --cached -q {name} takes them out; veml add {name} puts what is new in the "
            "data set",
        )
        for name, files in stray.items()
    ]
