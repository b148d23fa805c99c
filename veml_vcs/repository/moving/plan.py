"""What ``veml mv`` is to do: which paths become which, and why some cannot. Touches nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError, VemlError
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.moving.across import of_many, places_in
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.repository.worktree.follow import FolderBehind, folders_behind
from veml_vcs.samples.tree import Entry
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord


@dataclass
class Plan:
    """Which paths become which; all from the repository's root but for keys.

    Attributes:
        datasets: Data sets: folder -> folder.
        plain: Entries of Git's index: path -> path, records of moved data sets too.
        disk: What is renamed on disk, in this order.
        outside: Annotation files of data sets that lie outside their folders.
        keys: Data set -> key -> key, of samples and files inside it.
        replaced: Paths that stood where something goes (``force``).
        across: Data set -> key -> key in the data set ``into``, of what leaves it.
        into: The data set that samples of others go to.
    """

    datasets: dict[str, str] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    disk: list[tuple[str, str]] = field(default_factory=list)
    outside: dict[str, str] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    across: dict[str, dict[str, str]] = field(default_factory=dict)
    into: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return dict(vars(self))

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Plan:
        """Undo ``as_dict``."""
        plan = Plan(**values)
        plan.disk = [(old, new) for old, new in plan.disk]
        return plan


class Planner:
    """Makes a plan, source by source.

    Args:
        repo: The repository.
        force: A file may take the place of another file.
    """

    def __init__(self, repo: Repository, force: bool) -> None:
        self._repo = repo
        self._force = force
        self._tracked = repo.staged_datasets()
        self._files = repo.git.staged_files()
        self._conflicted = set(repo.git.conflicted_paths())
        self._behind: dict[str, FolderBehind] | None = None
        self._targets: set[str] = set()
        self._entries: dict[str, dict[str, Entry]] = {}
        self._root = ""  # the data set that everything goes into, if it is one
        self._outside = {
            file: name for name, record in self._tracked.items() for file in record.annotations
        }
        self.plan = Plan()
        self.skipped: list[str] = []

    def add_all(self, sources: Sequence[str], destination: str, *, skip_errors: bool) -> None:
        """Plan all sources.

        Args:
            sources: What is moved, on disk.
            destination: The new name, or the folder they go into, on disk.
            skip_errors: Leave out what cannot be moved, and note why.

        Raises:
            VemlError: Something cannot be moved.
        """
        into = os.path.isdir(destination) and not os.path.islink(destination.rstrip("/"))
        target = self._repo.relative(destination)
        into = into or (bool(target) and self._is_known_folder(target))
        self._root = target if into and target in self._tracked else ""
        if not into and (len(sources) > 1 or destination.endswith("/")):
            raise InvalidInputError(f"destination directory does not exist: {destination}")
        for source in sources:
            try:
                path = self._repo.relative(source)
                name = os.path.basename(path)
                self._add(path, (f"{target}/{name}" if target else name) if into else target)
            except VemlError as error:
                if not skip_errors:
                    raise
                self.skipped.append(f"{source}: {error.message}")
        if self.plan.across and self.plan.into in self.plan.keys:
            raise InvalidInputError(
                f"some of it is in {self.plan.into} already, some goes into it from "
                f"{min(self.plan.across)}",
                hint="move these and those by two commands",
            )

    def _is_known_folder(self, target: str) -> bool:
        """Tell whether a path is a folder of a data set whose files are not on disk."""
        owner = owner_of(self._tracked, target)
        if owner is None or os.path.lexists(self._repo.absolute(target)):
            return False
        below = target[len(owner) + 1 :]
        entries = self._entries_of(owner)
        return not below or any(key.startswith(below + "/") for key in entries)

    def _add(self, old: str, new: str) -> None:
        if not old or not new:
            raise InvalidInputError("the repository's root cannot be moved, or be replaced")
        if new == old or new.startswith(old + "/"):
            raise InvalidInputError(
                f"can not move a folder into itself: source={old}, destination={new}"
            )
        owner = owner_of(self._tracked, old)
        placed = bool(self._root) and owner not in (None, old, self._root)  # see ``_add_across``
        if new in self._targets and not placed:
            raise InvalidInputError(f"multiple sources for the same target: {new}")
        if owner == old:
            self._add_dataset(old, new)
        elif owner is not None:
            self._add_keys(owner, old, new)
        else:
            self._refuse_into_dataset(old, new)
            if old in self._outside:
                self._add_outside(old, new)
            elif old in self._files or old in self._conflicted:
                self._add_file(old, new)
            else:
                self._add_folder(old, new)
        self._targets.add(new)

    # -- data sets -----------------------------------------------------------------------------

    def _add_dataset(self, old: str, new: str) -> None:
        self._refuse_into_dataset(old, new)
        self._refuse_unsettled(old)
        record, target = old + RECORD_SUFFIX, new + RECORD_SUFFIX
        self._refuse_existing(old, new, file=False)
        self._refuse_existing(record, target, file=False)
        inside = [name for name in self._tracked if name.startswith(new + "/")]
        if inside:
            raise InvalidInputError(
                f"{new} holds the data set {inside[0]}, and data sets cannot be nested"
            )
        self._require_parent(old, new)
        self.plan.datasets[old] = new
        self.plan.plain[record] = target
        self._rename(old, new)
        self._rename(record, target)

    def _refuse_unsettled(self, name: str) -> None:
        if name + RECORD_SUFFIX in self._conflicted:
            raise ConflictError(
                f"{name}: conflicted", hint=f"veml resolve {name} settles it first", kind="merging"
            )
        if self._behind is None:
            self._behind = folders_behind(self._repo)
        one = self._behind.get(name)
        if one is not None and one.kind != "absent" and one.held is not None:
            raise ConflictError(
                f"{name}: the folder does not hold what its record says; Git moved that",
                hint=one.hint or "veml checkout brings the folder along",
                kind="folder-behind",
            )

    # -- inside a data set ---------------------------------------------------------------------

    def _add_keys(self, owner: str, old: str, new: str) -> None:
        if owner_of(self._tracked, new) != owner or new == owner:
            other = owner_of(self._tracked, new)
            if other not in (None, owner, new):
                self._add_across(owner, other, old, new)
                return
            raise InvalidInputError(
                f"{old}: part of the data set {owner}; {new} is outside of it",
                hint=f"veml data filter {owner} --key PATTERN --to NAME makes a data set",
            )
        self._refuse_unsettled(owner)
        key, target = old[len(owner) + 1 :], new[len(owner) + 1 :]
        entries = self._entries_of(owner)
        names = _below(entries, key, target)
        if not names:
            raise _bad_source(old, new)
        taken = [one for one in names.values() if one in entries and one not in names]
        if taken and not (self._force and key in entries):
            raise _exists(old, f"{owner}/{taken[0]}")
        self._refuse_existing(old, new, file=key in entries)
        self.plan.keys.setdefault(owner, {}).update(names)
        self._rename(old, new)

    def _add_across(self, owner: str, other: str, old: str, new: str) -> None:
        """Plan what leaves a data set for another; what follows it is added later."""
        self._refuse_unsettled(owner)
        self._refuse_unsettled(other)
        key, target = old[len(owner) + 1 :], new[len(other) + 1 :]
        here, there = self._entries_of(owner), self._entries_of(other)
        names = _below(here, key, target)
        if not names:
            raise _bad_source(old, new)
        if key in self._tracked[owner].sources:
            raise of_many(owner, key, other)
        if self._root == other and (key in here or self._tracked[other].facts.format == "folders"):
            names = places_in(there, names, self._tracked[other].facts.format, here)
        known = {*self.plan.across.get(owner, {})}
        for one, place in names.items():
            if one in known:
                continue  # named twice
            if place in there or os.path.lexists(self._repo.absolute(f"{other}/{place}")):
                raise ConflictError(
                    f"destination exists: source={owner}/{one}, destination={other}/{place}",
                    hint="give it another name: veml mv SOURCE DATASET/NAME",
                    kind="would-lose-changes",
                )
        self.plan.into = other
        self.plan.across.setdefault(owner, {}).update(names)

    def _entries_of(self, name: str) -> dict[str, Entry]:
        if name not in self._entries:
            self._entries[name] = entries_of(self._repo, self._tracked[name])
        return self._entries[name]

    # -- ordinary files ------------------------------------------------------------------------

    def _add_file(self, old: str, new: str) -> None:
        if old in self._conflicted:
            raise ConflictError(f"{old}: conflicted", hint=f"veml resolve {old}", kind="merging")
        name = old.removesuffix(RECORD_SUFFIX)
        if old.endswith(RECORD_SUFFIX) and name in self._tracked:
            raise InvalidInputError(f"{old}: the record of a data set", hint=f"veml mv {name} NAME")
        if not os.path.lexists(self._repo.absolute(old)):
            raise _bad_source(old, new)
        self._refuse_existing(old, new, file=True)
        self._require_parent(old, new)
        self.plan.plain[old] = new
        self._rename(old, new)

    def _add_outside(self, old: str, new: str) -> None:
        self._refuse_unsettled(self._outside[old])
        self._refuse_existing(old, new, file=True)
        if new in self._files:
            raise _exists(old, new)
        self._require_parent(old, new)
        self.plan.outside[old] = new
        self._rename(old, new)

    def _add_folder(self, old: str, new: str) -> None:
        prefix = old + "/"
        names = [one for one in (*self._files, *self._conflicted) if one.startswith(prefix)]
        if not names:
            if os.path.lexists(self._repo.absolute(old)):
                raise NotFoundError(
                    f"not under version control: source={old}, destination={new}",
                    kind="no-such-path",
                )
            raise _bad_source(old, new)
        conflicted = sorted(self._conflicted.intersection(names))
        if conflicted:
            raise ConflictError(f"{conflicted[0]}: conflicted", kind="merging")
        self._refuse_existing(old, new, file=False)
        self._require_parent(old, new)
        for name in self._tracked:
            if name.startswith(prefix):
                self._refuse_unsettled(name)
                self.plan.datasets[name] = new + name[len(old) :]
        for file in self._outside:
            if file.startswith(prefix):
                self.plan.outside[file] = new + file[len(old) :]
        self.plan.plain.update((name, new + name[len(old) :]) for name in names)
        self._rename(old, new)

    # -- checks --------------------------------------------------------------------------------

    def _refuse_into_dataset(self, old: str, new: str) -> None:
        owner = owner_of(self._tracked, new)
        if owner is None:
            return
        if old in self._tracked:
            raise InvalidInputError(
                f"{old} cannot go into {owner}: data sets cannot be nested",
                hint=f"veml data merge {owner} {old} puts the samples of two data sets together",
            )
        raise InvalidInputError(
            f"{old} is an ordinary file, and {new} is inside the data set {owner}",
            hint=f"move it with mv, then veml rm --cached {old} and veml add {owner}",
        )

    def _refuse_existing(self, old: str, new: str, *, file: bool) -> None:
        full = self._repo.absolute(new)
        there = os.path.lexists(full) or new in self._files or new in self._outside
        if not there:
            return
        folder = os.path.isdir(full) and not os.path.islink(full)
        if not (file and self._force) or folder or new in self._outside:
            raise _exists(old, new)
        self.plan.replaced.append(new)

    def _require_parent(self, old: str, new: str) -> None:
        parent = os.path.dirname(new)
        if not os.path.isdir(self._repo.absolute(parent)):
            raise NotFoundError(
                f"the folder {parent} does not exist: source={old}, destination={new}",
                hint=f"mkdir -p {parent}",
                kind="no-such-path",
            )

    def _rename(self, old: str, new: str) -> None:
        self.plan.disk.append((old, new))


def _below(entries: Mapping[str, Entry], key: str, target: str) -> dict[str, str]:
    """Return the new names of a key, or of all keys in a folder."""
    if key in entries:
        return {key: target}
    prefix = key + "/"
    return {one: f"{target}/{one[len(prefix) :]}" for one in entries if one.startswith(prefix)}


def outside_of(record: DataRecord, plan: Plan) -> dict[str, str]:
    """Return the keys of a data set's outside annotation files that a plan renames."""
    return {
        "/" + file: "/" + plan.outside[file] for file in record.annotations if file in plan.outside
    }


def _bad_source(old: str, new: str) -> NotFoundError:
    return NotFoundError(f"bad source: source={old}, destination={new}", kind="no-such-path")


def _exists(old: str, new: str) -> ConflictError:
    return ConflictError(
        f"destination exists: source={old}, destination={new}",
        hint="--force replaces a file",
        kind="would-lose-changes",
    )
