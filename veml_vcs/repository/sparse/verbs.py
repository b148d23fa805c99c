"""``veml sparse``: choose which samples are in the work tree, say what is not, bring all back.

The order of writing is that of design note 018: a key is on the list before its file goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from veml_vcs.errors import ConflictError, DamagedError, InvalidInputError, NotFoundError
from veml_vcs.repository.absent import is_here, require_here
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import (
    ALL,
    DEFAULT,
    NONE,
    LeftOut,
    Mode,
    Rule,
    forget_list,
    left_out,
    load_rules,
    rule_of,
    save_left_out,
    save_rules,
)
from veml_vcs.repository.sparse.rule import followers, unwanted
from veml_vcs.repository.worktree.changes import entries_of, folder_changes, scan_dataset
from veml_vcs.repository.worktree.follow import folders_behind
from veml_vcs.repository.worktree.materialize import remember, require_contents, write_changes
from veml_vcs.samples.query import Conditions, Selector
from veml_vcs.samples.tree import Change, Entry, EntryKind
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class SparseData:
    """What of one data set is in the work tree.

    Attributes:
        path: Its folder.
        mode: ``all``, ``some`` or ``none``.
        conditions: What a wanted sample is like: any of these, as ``veml data filter`` takes them.
        samples: How many samples the staged version has.
        present: How many of them are in the work tree.
        stale: How many samples ``reapply`` would bring or remove, because what is said of them
            changed since; None where the data is not in this clone.
    """

    path: str
    mode: Mode
    conditions: tuple[dict[str, Any], ...]
    samples: int
    present: int
    stale: int | None


@dataclass(frozen=True)
class SparseResult:
    """What a change of the rule did.

    Attributes:
        removed: Data set -> files that left the work tree.
        written: Data set -> files that came into it.
        kept: Data set -> files that the rule does not want and that stay, because they have changes
            that were not added.
        datasets: What of each data set is in the work tree now.
    """

    removed: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)
    datasets: tuple[SparseData, ...] = ()


def sparse_list(repo: Repository) -> tuple[SparseData, ...]:
    """Tell what of each data set is in the work tree."""
    return tuple(_describe(repo, path, one) for path, one in repo.staged_datasets().items())


def sparse_set(
    repo: Repository,
    paths: Sequence[str],
    conditions: Conditions | None,
    *,
    add: bool = False,
    progress: Progress = silent,
) -> SparseResult:
    """Keep those samples in the work tree that meet conditions, and all files but samples.

    Args:
        repo: The repository.
        paths: Data sets, on disk; none means all there are.
        conditions: What a wanted sample is like; None keeps no file at all, and without ``paths``
            that holds for data sets that come later too.
        add: Besides those that are wanted already.
        progress: Is told how far it is.

    Raises:
        InvalidInputError: A condition names what no sample has, or there is none.
        NotFoundError: There is no such data set, or its data is not in this clone.
        ConflictError: A folder is behind its record, or deletions that were not added would be
            forgotten.
    """
    if conditions is not None and not conditions:
        raise InvalidInputError(
            "no condition was given", hint="veml sparse set --class NAME, or --no-data for no file"
        )
    with repo.lock("veml sparse"):
        names = _names(repo, paths)
        rules = load_rules(repo)
        new: dict[str, Rule] = {}
        for path in names:
            new[path] = _combined(rules.get(path, rules.get(DEFAULT, ALL)), conditions, path, add)
            _check(repo, path, names[path], conditions, alone=bool(paths) or len(names) == 1)
        if conditions is None and not paths:
            rules[DEFAULT] = NONE
        return _apply_all(repo, names, rules | new, progress)


def sparse_reapply(
    repo: Repository, paths: Sequence[str] = (), *, progress: Progress = silent
) -> SparseResult:
    """Bring folders to their rules: samples of which something else is said now come or go.

    Raises:
        ConflictError: A folder is behind its record.
    """
    with repo.lock("veml sparse"):
        names = _names(repo, paths)
        for path, record in names.items():
            _mend_list(repo, path, record)
        return _apply_all(repo, names, load_rules(repo), progress)


def sparse_disable(
    repo: Repository, paths: Sequence[str] = (), *, progress: Progress = silent
) -> SparseResult:
    """Bring all files back into the work tree, and forget the rule.

    Raises:
        NotFoundError: The data is not in this clone.
        ConflictError: A folder is behind its record.
    """
    with repo.lock("veml sparse"):
        names = _names(repo, paths)
        try:
            rules = load_rules(repo)
            for path, record in names.items():
                _mend_list(repo, path, record)
        except DamagedError:
            rules = {DEFAULT: NONE}  # whatever is not there was left out
            save_rules(repo, rules)
        for path, record in names.items():
            if rule_of(repo, path).mode != "all":
                require_here(repo, path, record)
        result = _apply_all(repo, names, rules | dict.fromkeys(names, ALL), progress, save=False)
        for path in names:
            rules.pop(path, None)
        if not paths:
            rules.clear()
        elif DEFAULT in rules:
            rules |= dict.fromkeys(names, ALL)
        save_rules(repo, rules)
        for path in names:
            forget_list(repo, path)
        now = tuple(replace(one, mode="all", conditions=()) for one in result.datasets)
    return replace(result, datasets=now)


def _names(repo: Repository, paths: Sequence[str]) -> dict[str, DataRecord]:
    tracked = repo.staged_datasets()
    if not paths:
        return tracked
    names = [repo.relative(path) for path in paths]
    for name in names:
        if name not in tracked:
            raise NotFoundError(
                f"{name}: no such data set; there is {', '.join(list(tracked)[:8]) or 'none'}",
                kind="unknown-dataset",
            )
    return {name: tracked[name] for name in names}


def _combined(old: Rule, conditions: Conditions | None, path: str, add: bool) -> Rule:
    if conditions is None:
        return NONE
    if not add:
        return Rule("some", (conditions,))
    if old.mode == "all":
        raise InvalidInputError(
            f"{path}: everything is in the work tree already", hint="veml sparse set begins a rule"
        )
    return Rule("some", tuple(dict.fromkeys((*old.conditions, conditions))))


def _check(
    repo: Repository, path: str, record: DataRecord, conditions: Conditions | None, *, alone: bool
) -> None:
    """Refuse conditions that name what is nowhere in a data set."""
    if conditions is None:
        return
    require_here(repo, path, record)
    version = DataVersion(repo, path, None, record)
    classes = [one.name for one in record.facts.classes]
    try:
        Selector(conditions).check_names(version.said.values(), classes)
    except InvalidInputError as error:
        if alone:
            raise
        hints = [error.hint, "name the data sets that are meant with --data PATH"]
        raise InvalidInputError(
            f"{path}: {error.message}", hint="; or ".join(filter(None, hints)),
            kind=error.kind,
        ) from error  # fmt: skip


# -- doing it --------------------------------------------------------------------------------------


@dataclass
class _Step:
    """What a new rule does to one folder."""

    path: str
    record: DataRecord
    rule: Rule
    gone: list[Change] = field(default_factory=list)
    come: list[Change] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    clean: bool = True
    look: tuple[Mapping[str, Entry], set[str]] | None = None  # files, and what the rule leaves out


def _apply_all(
    repo: Repository,
    names: dict[str, DataRecord],
    rules: dict[str, Rule],
    progress: Progress,
    *,
    save: bool = True,
) -> SparseResult:
    behind = folders_behind(repo)
    steps = []
    for path, record in names.items():
        rule = rules.get(path, rules.get(DEFAULT, ALL))
        if path in behind and behind[path].held is not None:
            raise ConflictError(
                f"{path}: the folder does not hold what its record says",
                hint=behind[path].hint or "veml checkout brings the folder along",
                kind="folder-behind",
            )
        if is_here(repo, record):
            steps.append(_plan(repo, path, record, rule, _shared(repo, path)))
    for step in steps:
        require_contents(repo, step.path, step.come)
    for step in steps:
        if step.rule.mode == "some":
            save_left_out(repo, step.path, step.before)
    if save:
        save_rules(repo, {k: one for k, one in rules.items() if one != ALL or DEFAULT in rules})
    result = SparseResult()
    for step in steps:
        write_changes(repo, step.path, step.gone, everything=True, progress=progress)
        written = write_changes(repo, step.path, step.come, everything=True, progress=progress)
        if step.rule.mode == "some":
            save_left_out(repo, step.path, step.after)
        # Without ``save`` the old rule still holds: a stat cache without what was left out must not
        # outlive it.
        remember(repo, step.path, step.record, written, clean=step.clean)
        if step.gone:
            result.removed[step.path] = len(step.gone)
        if written:
            result.written[step.path] = len(written)
        if step.kept:
            result.kept[step.path] = step.kept
    looks = {step.path: step.look for step in steps}
    now = tuple(_describe(repo, path, record, looks.get(path)) for path, record in names.items())
    return replace(result, datasets=now)


def _shared(repo: Repository, path: str) -> set[str]:
    """Return the keys of annotation files outside that another data set has, too."""
    others = [one for name, one in repo.staged_datasets().items() if name != path]
    return {"/" + file for one in others for file in one.annotations}


def _plan(repo: Repository, path: str, record: DataRecord, rule: Rule, shared: set[str]) -> _Step:
    entries = {k: one for k, one in entries_of(repo, record).items() if one.content is not None}
    dirty = folder_changes(repo, path, record)
    disk = scan_dataset(repo, path, record) or {}
    # A folder that was never written is not one whose files were deleted.
    deleted = set() if dirty.missing else set(dirty.removed)
    out = unwanted(repo, rule, entries)
    if rule.mode == "some":
        out |= followers(entries, out)
    if deleted and rule.mode == "none":
        raise ConflictError(
            f"{path}: deletions that were not added would be forgotten: "
            + ", ".join(sorted(deleted)[:5]),
            hint=f"veml add {path}, or veml restore {path}, first",
            kind="would-lose-changes",
        )
    absent = entries.keys() - disk.keys() - deleted
    loose = {*dirty.changed, *dirty.added}
    gone = sorted((out & disk.keys()) - loose - shared)
    come = sorted(absent - out)
    return _Step(
        path,
        record,
        rule,
        [Change(key, entries[key], None) for key in gone],
        [Change(key, None, entries[key]) for key in come],
        tuple(sorted(out & loose)),
        frozenset({*absent, *gone}),
        frozenset({*absent, *gone} - {*come}),
        not (loose or deleted),
        (entries, out),
    )


def _mend_list(repo: Repository, path: str, record: DataRecord) -> None:
    """Make the list of a data set anew where it is damaged: all that is absent was left out."""
    try:
        left_out(repo, path)
    except DamagedError:
        load_rules(repo)  # that being damaged is another matter
        disk = scan_dataset(repo, path, record) or {}
        entries = entries_of(repo, record)
        absent = [k for k, one in entries.items() if one.content is not None and k not in disk]
        save_left_out(repo, path, absent)


def _describe(
    repo: Repository,
    path: str,
    record: DataRecord,
    look: tuple[Mapping[str, Entry], set[str]] | None = None,
) -> SparseData:
    rule = rule_of(repo, path)
    conditions = tuple(one.arguments() for one in rule.conditions)
    disk = scan_dataset(repo, path, record) or {}
    if not is_here(repo, record):
        return SparseData(path, rule.mode, conditions, record.samples, 0, None)
    if rule.mode != "some":
        entries = look[0] if look else entries_of(repo, record) if disk else {}
        present = sum(one.kind is EntryKind.SAMPLE and k in disk for k, one in entries.items())
        return SparseData(path, rule.mode, conditions, record.samples, present, 0)
    entries = look[0] if look else entries_of(repo, record)
    samples = {key for key, one in entries.items() if one.kind is EntryKind.SAMPLE}
    out, listed = look[1] if look else unwanted(repo, rule, entries), left_out(repo, path)
    stale = sum(1 for key in samples if (key in disk and key in out)
                or (key not in disk and key in listed and key not in out))  # fmt: skip
    return SparseData(
        path, rule.mode, conditions, record.samples, len(samples & disk.keys()), stale
    )


__all__ = [
    "LeftOut",
    "SparseData",
    "SparseResult",
    "sparse_disable",
    "sparse_list",
    "sparse_reapply",
    "sparse_set",
]
