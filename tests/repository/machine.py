"""A whole repository and its plain-Python model: what the state machine of histories drives.

Not a test itself. ``World`` does one thing at a time to a real repository on disk, says beforehand
what must come of it, and compares. ``test_repo_machine`` lets hypothesis choose what to do.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from tests.repository.kit import Files, Project
from tests.repository.model import (
    FORMATS,
    Box,
    Image,
    Seen,
    State,
    merge_states,
    read,
    see_state,
    write,
)
from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.objects.files import Files as Disk
from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.checkout import checkout
from veml_vcs.repository.commit import commit
from veml_vcs.repository.merging.merge import abort, merge
from veml_vcs.repository.merging.renames import with_renames
from veml_vcs.repository.merging.resolve import resolve
from veml_vcs.repository.refs import create_branch, create_tag
from veml_vcs.repository.restore import restore
from veml_vcs.repository.upkeep.compact import compact
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.gc import gc
from veml_vcs.samples.tree import EntryKind, Tree

DATA = "data"
NAMES = (DATA, "moved")
"""What the data set may be called: ``mv`` gives it the other name."""
_PREFIXES = tuple(f"{name}/" for name in NAMES)
PLAIN = "train.py"
"""An ordinary file beside the data set, which Git tracks as ever."""


class World:
    """A repository, and what a user knows of it.

    Args:
        root: An empty folder.
        layout: How the data set is written (a key of ``model.FORMATS``).

    Attributes:
        state: What the user last made of the data set; may be newer than what is committed.
        work: Every file of the user's, as it must be on disk: key -> bytes.
        staged: What the next commit must hold.
        commits: Commit -> the user's files in it.
        states: Commit -> its data set, where it can be said in slots.
        heads: Branch -> commit.
        here: The branch HEAD is on.
    """

    def __init__(self, root: Path, layout: str) -> None:
        self.project = Project(root / "project")
        self.layout = layout
        self.commits: dict[str, Files] = {}
        self.states: dict[str, State | None] = {}
        self.heads: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.here = "main"
        self.merging = False
        self.serial = 100
        self.state: State = {
            name: Image(i + 1, {i: Box("car"), 4: Box("dog", 1, 0)})
            for i, name in enumerate(FORMATS[layout].places(n, "")[0] for n in (1, 2, 3))
        }
        self.work: Files = {}
        self.staged: Files = {}
        self._checked_records: set[bytes] = set()
        self.project.write(write(self.state, layout), DATA)
        self.project.write({PLAIN: b"print(1)\n"})
        self.project.add(DATA, format=FORMATS[layout].name)
        self.project.add(PLAIN)
        self.work = self.staged = self.user_files()
        self._committed(self.project.commit("start").id)

    # -- what is on disk -----------------------------------------------------------------------

    def user_files(self) -> Files:
        """Return the user's files: not the record, not ``.gitignore``, not ``.git``."""
        return {
            key: data
            for key, data in self.project.files().items()
            if key != ".gitignore" and not key.endswith(".veml")
        }

    @property
    def folder(self) -> str:
        """What the data set is called on disk."""
        return folder_of(self.work)

    def seen(self, files: Files) -> Seen:
        """Read the data set in some of the user's files, without veml."""
        prefix = folder_of(files) + "/"
        inside = {k.removeprefix(prefix): v for k, v in files.items() if k.startswith(prefix)}
        return read(inside, self.layout)

    def data_of(self, files: Files) -> Files:
        """Return the files of the data set alone."""
        return {key: data for key, data in files.items() if key.startswith(_PREFIXES)}

    @property
    def head(self) -> str:
        """The commit HEAD is at."""
        return self.heads[self.here]

    @property
    def clean(self) -> bool:
        """Whether there is nothing to commit and nothing to add."""
        return self.work == self.staged == self.commits[self.head] and not self.merging

    # -- the user's edits ------------------------------------------------------------------------

    def edit(self, change: Callable[[State], State]) -> None:
        """Let the user change the data set on disk."""
        self.state = change(self.readable_state())
        self.project.replace(write(self.state, self.layout), self.folder)
        self.work = self.user_files()

    def readable_state(self) -> State:
        """Return the state on disk: the remembered one if it still is, else what files show."""
        seen = self.seen(self.work)
        if see_state(self.state) != seen:
            self.state = in_slots(seen)
        return self.state

    def edit_plain(self, number: int) -> None:
        """Let the user change a file that Git tracks."""
        self.project.write({PLAIN: b"print(%d)\n" % number})
        self.work = self.user_files()

    # -- commands --------------------------------------------------------------------------------

    def add(self) -> None:
        self.project.add(self.folder, PLAIN)
        self.staged = dict(self.work)

    def commit(self, *, all_: bool = False, amend: bool = False) -> None:
        """Commit what is staged; with nothing staged the refusal must change nothing."""
        staged = dict(self.work) if all_ else self.staged
        if staged == self.commits[self.head] and not amend:
            with pytest.raises(InvalidInputError, match="nothing to commit"):
                self.project.commit("work", all=all_)
            return
        done = self.project.commit("work", all=all_, amend=amend)
        self.staged = staged
        self._committed(done.id)

    def _committed(self, commit: str) -> None:
        self.commits[commit] = self.staged
        seen = self.seen(self.staged)
        state = self.state if see_state(self.state) == seen else in_slots(seen)
        self.states[commit] = dict(state) if see_state(state) == seen else None
        self.heads[self.here] = commit

    def branch(self, name: str) -> None:
        if name not in self.heads:
            create_branch(self.project.repo, name)
            self.heads[name] = self.head

    def tag(self, message: str | None) -> None:
        name = f"t{len(self.tags)}"
        create_tag(self.project.repo, name, message=message)
        self.tags[name] = self.head

    def checkout(self, name: str) -> None:
        """Switch; uncommitted changes are carried over, or the refusal changes nothing."""
        old, new = self.commits[self.head], self.commits[self.heads[name]]
        carried, was_clean = dict(self.work), self.clean
        if any(key not in carried and old.get(key) != new.get(key) for key in old):
            return  # as in Git a deleted file comes back there, perhaps a label without its image
        try:
            self.project.checkout(name)
        except ConflictError:
            assert not was_clean
            return
        self.here = name
        if was_clean:
            self.work = self.staged = new
            return
        self.work = _carried(old, carried, new)
        if self.data_of(old) == self.data_of(new):
            staged = self.data_of(self.staged)
        else:
            staged = self.data_of(new)
        plain = self.staged[PLAIN] if old[PLAIN] == new[PLAIN] else new[PLAIN]
        self.staged = staged | {PLAIN: plain}

    def restore(self) -> None:
        """Throw away what is not staged; files that are not tracked stay."""
        restore(self.project.repo, [str(self.project.path(one)) for one in (self.folder, PLAIN)])
        self.work = {**self.work, **self.staged}
        self.tidy()

    def restore_all(self) -> None:
        """Go back to HEAD, in the index and on disk; files that were never staged stay."""
        paths = [str(self.project.path(one)) for one in (self.folder, PLAIN)]
        restore(self.project.repo, paths, staged=True, source="HEAD")
        head = self.commits[self.head]
        untracked = {k: v for k, v in self.work.items() if k not in self.staged and k not in head}
        self.work = {**untracked, **head}
        self.staged = head
        self.tidy()

    def tidy(self) -> None:
        """Check that files which are not tracked stayed; then let the user remove them."""
        assert self.user_files() == self.work
        for key in self.work.keys() - self.staged.keys():
            self.project.path(key).unlink()
        self.work = dict(self.staged)

    def merge(self, name: str, then: Literal["ours", "theirs", "base", "abort"]) -> None:
        """Merge a branch; settle all conflicts to one side and commit, or abort."""
        if not self.clean:
            self._merge_dirty(name)
            return
        ours, theirs = self.head, self.heads[name]
        bases = self.project.git("merge-base", "--all", ours, theirs).split()
        if not self.followed(bases, ours, theirs):
            return
        states = [self.states[one] for one in (bases[0], ours, theirs)]
        sure = len(bases) == 1 and all(one is not None for one in states)
        three = [dict(one or {}) for one in states]
        result = self.project.merge(name)
        if result.kind in ("up-to-date", "fast-forward"):
            assert bases == [theirs if result.kind == "up-to-date" else ours]
            self.heads[self.here] = result.commit
            self.work = self.staged = self.commits[result.commit]
            assert self.user_files() == self.work
            return
        found = self.user_files()
        if sure:
            expected = merge_states(*three)
            told = sum(expected.conflicts.values())
            assert len(result.conflicts) == told
            assert self.seen(found) == expected.seen
            assert folder_of(found) == self.joint_name(bases[0], ours, theirs)
        if result.kind == "conflicts":
            self.work = found
            if then == "abort":
                abort(self.project.repo)
                self.work = self.staged = self.commits[ours]
                return
            self._settle(result.files, then)
            found = self.user_files()
            if sure:
                assert self.seen(found) == merge_states(*three, then).seen
            done = self.project.commit("settled").id
        else:
            done = result.commit
        self.work = self.staged = found
        self._committed(done)
        assert self.project.repo.git.parents(self.project.repo.resolve(done)) == [ours, theirs]

    def joint_name(self, base: str, ours: str, theirs: str) -> str:
        """Return what a merge must call the data set: as the side does that renamed it."""
        before, here, there = (folder_of(self.commits[one]) for one in (base, ours, theirs))
        return there if here == before else here

    def followed(self, bases: list[str], ours: str, theirs: str) -> bool:
        """Tell whether a merge can know a renamed data set again: most of it must be the same.

        Where it cannot, two data sets are left to the user, which no model here speaks of.
        """
        known = [one for one in (*bases, ours, theirs) if one in self.commits]
        if len({folder_of(self.commits[one]) for one in known}) == 1:
            return True
        if len(bases) != 1 or bases[0] not in self.commits:
            return False
        repo = self.project.repo
        trees = [repo.git.files(repo.resolve(one)) for one in (bases[0], ours, theirs)]
        renamed = with_renames(repo, *trees)
        return all(self.joint_name(bases[0], ours, theirs) + ".veml" in one for one in renamed)

    def _settle(self, files: tuple[str, ...], choice: Literal["ours", "theirs", "base"]) -> None:
        resolve(self.project.repo, [*files], choice)
        if self.project.status().merge.open_conflicts:  # type: ignore[union-attr]
            resolve(self.project.repo, [folder_of(self.user_files())], choice)

    def _merge_dirty(self, name: str) -> None:
        """Merge with uncommitted changes: refused, or they are all still there."""
        before = dict(self.work)
        old = self.commits[self.head]
        if folder_of(old) != folder_of(self.commits[self.heads[name]]):
            return
        try:
            result = self.project.merge(name)
        except ConflictError:
            return
        if result.kind == "up-to-date":
            return
        loose = {k for k in before.keys() | self.staged.keys()
                 if before.get(k) != self.staged.get(k)}  # fmt: skip
        assert self.staged == old or result.kind == "fast-forward"
        after = self.user_files()
        assert {k: after.get(k) for k in loose} == {k: before.get(k) for k in loose}
        if result.kind == "conflicts":
            abort(self.project.repo)
            assert self.user_files() == before
            return
        if result.kind == "fast-forward":
            new = self.commits[result.commit]
        else:
            new = {k: v for k, v in after.items() if k not in loose}
            new |= {k: self.staged[k] for k in loose if k in self.staged}
        self.work = after
        self.staged = new
        if result.kind == "merged":
            self._committed(result.commit)
        self.heads[self.here] = result.commit

    # -- other programs --------------------------------------------------------------------------

    def reopen(self) -> None:
        self.project.reopen()

    def elsewhere(self) -> None:
        """Let another process, the real command line, add and commit everything."""
        arguments = ["commit", "-a", "-m", "elsewhere"]
        done = subprocess.run(
            [sys.executable, "-m", "veml_cli.main", *arguments],
            cwd=self.project.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        head = self.project.git("rev-parse", "HEAD").strip()
        if done.returncode != 0:
            assert "nothing to commit" in done.stderr
            assert self.work == self.commits[self.head]
            return
        self.staged = dict(self.work)
        self._committed(head)

    def git(self, what: str) -> None:
        """Let plain git do what it does as well as veml."""
        if what == "commit":
            if self.staged != self.commits[self.head]:
                self.project.git("commit", "-q", "-m", "by git")
                self._committed(self.project.git("rev-parse", "HEAD").strip())
        elif what == "gc":
            self.project.git("gc", "-q", "--prune=now")
        elif what == "pack-refs":
            self.project.git("pack-refs", "--all")
        self.project.reopen()

    def gc(self, *, forget: bool) -> None:
        """Remove what nothing leads to; with ``forget``, reflogs lead nowhere any more."""
        if forget:
            self.project.git("reflog", "expire", "--expire=now", "--all")
            kept = set(self.project.git("rev-list", "--all").split())
            self.commits = {one: files for one, files in self.commits.items() if one in kept}
        gc(self.project.repo, prune_before=time.time() + 60, threshold=0)

    def compact(self, *, everything: bool) -> None:
        compact(self.project.repo, everything=everything)

    def crash(self, command: str, fraction: float, name: str) -> None:
        """Kill a command at one of its file operations, then check, then run it again."""
        run = self._command(command, name)
        if run is None:
            return
        steps = self._steps(run)
        before, head = self.user_files(), self.head
        self._child(self.project.root, run, 1 + int(fraction * steps))
        self.project.reopen()
        if command not in ("checkout", "merge"):
            assert self.user_files() == before
        self._intact()
        after = self.project.git("rev-parse", "HEAD").strip()
        on = self.project.git("rev-parse", "--abbrev-ref", "HEAD").strip()
        if command == "add":
            self.add()
        elif command in ("commit", "amend"):
            if after != head:
                self._committed(after)
            else:
                self.commit(amend=command == "amend")
        elif command == "checkout":
            assert (on, after) in ((self.here, head), (name, self.heads[name]))
            self.here = on
            self.work = self.staged = self.commits[self.head]
            self.checkout(name)
        elif command == "merge":
            self._go_on_with_merge(name, head, after)
        else:
            run(self.project.repo)

    def _go_on_with_merge(self, name: str, head: str, after: str) -> None:
        """After a kill: the merge is done, or waits to be committed or aborted, or runs again."""
        if after != head:
            if after not in self.commits:
                self.work = self.staged = self.user_files()
                self._committed(after)
            self.heads[self.here] = after
            self.work = self.staged = self.commits[after]
            return
        if self.project.path(".git/MERGE_HEAD").exists():
            abort(self.project.repo)
            assert self.user_files() == self.commits[head]
        self.merge(name, "ours")

    def _command(self, command: str, name: str) -> Callable[[Repository], object] | None:
        """Return a command that has something to do, or None."""

        def paths(repo: Repository) -> list[str]:
            return [os.path.join(repo.root, path) for path in (self.folder, PLAIN)]

        if command == "add" and self.work != self.staged:
            return lambda repo: add(repo, paths(repo))
        if command == "commit" and self.staged != self.commits[self.head]:
            return lambda repo: commit(repo, "work")
        if command == "amend" and self.clean:
            return lambda repo: commit(repo, "work", amend=True)
        if command == "gc":
            return lambda repo: gc(repo, prune_before=time.time() + 60, threshold=0)
        if command == "compact":
            return lambda repo: compact(repo, everything=True)
        if self.clean and name in self.heads and name != self.here:
            if command == "checkout":
                return lambda repo: checkout(repo, name)
            if command == "merge":
                ours, theirs = self.head, self.heads[name]
                bases = self.project.git("merge-base", "--all", ours, theirs).split()
                if self.followed(bases, ours, theirs):
                    return lambda repo: merge(repo, name)
        return None

    def _steps(self, run: Callable[[Repository], object]) -> int:
        """Count a command's file operations in a copy of the repository."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "copy")
            shutil.copytree(self.project.root, copy, symlinks=True)
            return self._child(copy, run, None)

    def _child(self, root: Path, run: Callable[[Repository], object], kill_at: int | None) -> int:
        """Run a command in a process of its own; return its number of file operations."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            count = 0

            def observe(_operation: str, _path: str) -> None:
                nonlocal count
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                os.chdir(root)
                with Repository(str(root), Disk(observe)) as repo:
                    run(repo)
                os.write(writing, b"%d" % count)
            except BaseException:  # noqa: BLE001 - told to the parent, which fails
                os.write(writing, traceback.format_exc().encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read().decode()
        os.waitpid(child, 0)
        assert not told or told.isdecimal(), told
        return int(told or 0)

    # -- what must hold after every step ---------------------------------------------------------

    def check(self) -> None:
        """Check everything that must always hold."""
        assert self.user_files() == self.work
        repo = self.project.repo
        assert repo.git.branches() == self.heads
        assert {name: repo.resolve(f"refs/tags/{name}") for name in repo.git.tags()} == self.tags
        head = repo.git.head()
        assert (head.branch, head.commit) == (self.here, self.head)
        found = self.project.status()
        assert bool(found.changed_data) == (self.data_of(self.work) != self.data_of(self.staged))
        assert bool(found.changed_files) == (self.work.get(PLAIN) != self.staged.get(PLAIN))
        committed = self.commits[self.head]
        assert bool(found.staged_data) == (self.data_of(self.staged) != self.data_of(committed))
        assert found.conflicted == ()
        assert found.merge is None
        self._in_store(self.head)
        self._intact()

    def _intact(self) -> None:
        told = self.project.git("fsck", "--strict", "--no-dangling")
        assert "error" not in told
        assert "missing" not in told
        assert fsck(self.project.repo).problems == ()

    def _in_store(self, commit: str) -> None:
        """Check a commit's data set, read from the store: its bytes, and the record's counts."""
        repo = self.project.repo
        wanted = self.data_of(self.commits[commit])
        records = repo.datasets_at(repo.resolve(commit))
        folder = folder_of(self.commits[commit])
        assert records.keys() <= {folder}
        record = records.get(folder)
        if record is None:
            assert not wanted
            return
        entries = dict(Tree(repo.store, record.tree).items())
        found = {
            f"{folder}/{key}": repo.contents.read(entry.content)
            for key, entry in entries.items()
            if entry.content is not None
        }
        assert found == wanted
        kinds = [entry.kind for entry in entries.values()]
        assert record.samples == kinds.count(EntryKind.SAMPLE)
        assert record.files == kinds.count(EntryKind.FILE)
        said = repo.annotations.read_many(
            {entry.annotation for entry in entries.values() if entry.annotation}
        )
        objects = [
            obj
            for entry in entries.values()
            if entry.annotation
            for obj in said[entry.annotation].get("objects", ())
        ]
        assert record.objects == len(objects)
        for name, count in record.class_counts.items():
            assert count.objects == sum(obj.get("class") == name for obj in objects)

    def check_all(self) -> None:
        """Check every commit ever made: in the store, and by checking it out."""
        for one in self.commits:
            self._in_store(one)
        if not self.clean:
            self.project.checkout(self.here, force=True)
            for key in self.user_files().keys() - self.commits[self.head].keys():
                self.project.path(key).unlink()
        for one, files in self.commits.items():
            self.project.checkout(one)
            assert self.user_files() == files
            assert self.project.status().clean
            assert self.project.git("status", "--porcelain") == ""

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Close the repository at the end."""
        try:
            yield
        finally:
            self.project.close()


def folder_of(files: Files) -> str:
    """Return what the data set is called in some of the user's files."""
    found = {key.partition("/")[0] for key in files if key.startswith(_PREFIXES)}
    assert len(found) <= 1, f"two data sets: {found}"
    return found.pop() if found else DATA


def in_slots(seen: Seen) -> State:
    """Return the state that files show; of two boxes in one slot, one."""
    state: State = {}
    for name, (pixels, boxes) in seen.items():
        slots = {
            x // 20 + 3 * (y // 20): Box(kind, x % 20, y % 20, w, h)
            for kind, x, y, w, h in sorted(boxes)
        }
        state[name] = Image(pixels, slots)
    return state


def _carried(old: Files, work: Files, new: Files) -> Files:
    """Return what a checkout with loose changes must leave: theirs where there are none."""
    files = {}
    for key in old.keys() | work.keys() | new.keys():
        value = new.get(key) if work.get(key) == old.get(key) else work.get(key)
        if value is not None:
            files[key] = value
    return files
