"""The state machine's other half: commands that carry changes from one commit to another.

Cherry-pick, revert, stash, reset, mv, and a rebase by plain git with veml's hooks installed. As in
``machine``: each says beforehand, from the plain model, what must come of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from tests.repository.kit import Files
from tests.repository.machine import NAMES, PLAIN, World, folder_of
from tests.repository.model import FORMATS, Merged, State, merge_states, see_state
from veml_hooks.install import install, uninstall
from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.repository.merging.replay import Kind, give_up, go_on, replay
from veml_vcs.repository.moving.mv import mv
from veml_vcs.repository.reset import Mode, reset
from veml_vcs.repository.stashing.push import push
from veml_vcs.repository.stashing.stash import apply, drop, list_stashes
from veml_vcs.samples.tree import Tree

Then = Literal["ours", "theirs", "base", "abort"]


@dataclass
class Aside:
    """What is in the stash: the files, and the commit they were changed from."""

    commit: str
    work: Files


class MovingWorld(World):
    """A repository, and what a user knows of it.

    Attributes:
        aside: What is in the stash; one at a time.
        compared: How many rebases were compared with the model.
    """

    aside: Aside | None = None
    compared = 0

    def replay(self, kind: Kind, commit: str, then: Then) -> None:
        """Do here what a commit did, or undo it; settle conflicts to one side, or give up."""
        parents = self.project.git("log", "-1", "--format=%P", commit).split()
        if not self.clean or len(parents) != 1 or commit not in self.states:
            return
        ours = self.head
        if parents[0] not in self.states:
            return
        base, theirs = (parents[0], commit) if kind == "cherry-pick" else (commit, parents[0])
        if not self.followed([base], ours, theirs):
            return
        expected = self._model(base, ours, theirs, None)
        repo = self.project.repo
        result = replay(repo, kind, [commit])
        found = self.user_files()
        if expected is not None:
            assert len(result.conflicts) == sum(expected.conflicts.values())
            assert self.seen(found) == expected.seen
            assert folder_of(found) == self.joint_name(base, ours, theirs)
        if result.kind != "conflicts":
            if not result.commits:
                assert found == self.commits[ours]
                return
            self.work = self.staged = found
            self._committed(result.commit)
            return
        if then != "abort":
            self._settle(result.files, then)
            found = self.user_files()
            if expected is not None:
                wanted = self._model(base, ours, theirs, then)
                assert wanted is not None
                assert self.seen(found) == wanted.seen
            if found != self.commits[ours]:
                done = go_on(repo, kind)
                self.work = self.staged = found
                self._committed(done.commit)
                return
            with pytest.raises(InvalidInputError, match="nothing to commit"):
                go_on(repo, kind)
        give_up(repo, kind)
        assert self.user_files() == self.commits[ours]

    def _model(self, base: str, ours: str, theirs: str, choice: Then | None) -> Merged | None:
        """Return what a merge must give; None where it cannot be said in slots."""
        three = [self.states[one] for one in (base, ours, theirs)]
        if any(one is None for one in three):
            return None
        return merge_states(*(dict(one or {}) for one in three), choice)  # type: ignore[arg-type]

    def stash(self) -> None:
        """Put everything aside; only one stash at a time."""
        if self.aside is not None:
            return
        made = push(self.project.repo)
        if self.work == self.staged == self.commits[self.head]:
            assert made is None
            return
        assert made is not None
        self.aside = Aside(self.head, self.work)
        self.work = self.staged = self.commits[self.head]

    def pop(self, then: Then) -> None:
        """Bring the stash back; settle conflicts and commit, or throw away what came back."""
        aside, repo, head = self.aside, self.project.repo, self.head
        if aside is None or not self.clean or aside.commit not in self.commits:
            return
        names = [folder_of(one) for one in (self.commits[aside.commit], self.work, aside.work)]
        if len(set(names)) > 1 and not (names[0] == names[1] and self.state_kept(aside)):
            return
        self.states["stash"] = self._said(aside.work)
        expected = self._model(aside.commit, head, "stash", None)
        result = apply(repo, drop_it=True)
        found = self.user_files()
        if expected is not None:
            assert len(result.conflicts) == sum(expected.conflicts.values())
            assert self.seen(found) == expected.seen
        assert result.dropped == (not (result.conflicts or result.files))
        if result.dropped:
            self.aside = None
            self.work = found
            assert list_stashes(repo) == []
            assert folder_of(found) == names[2]
            if names[2] != names[1]:
                self.commit(all_=True)  # what of a renamed data set is staged is Git's business
            return
        if then == "abort":
            reset(repo, mode="hard")
            assert self.user_files() == self.commits[head]
            return
        self._settle(result.files, then)
        self.work = self.user_files()
        if expected is not None:
            wanted = self._model(aside.commit, head, "stash", then)
            assert wanted is not None
            assert self.seen(self.work) == wanted.seen
        self.commit(all_=True)
        drop(repo)
        self.aside = None

    def _said(self, files: Files) -> State | None:
        from tests.repository.machine import in_slots

        seen = self.seen(files)
        state = self.state if see_state(self.state) == seen else in_slots(seen)
        return dict(state) if see_state(state) == seen else None

    def reset(self, mode: Mode, name: str) -> None:
        """Move the branch to where another one is."""
        target = self.heads[name]
        if mode != "hard" and folder_of(self.commits[target]) != self.folder:
            return  # the folder would be another one than the index's: two data sets
        reset(self.project.repo, name, mode=mode)
        self.heads[self.here] = target
        if mode == "soft":
            return
        new = self.commits[target]
        if mode == "hard":
            loose = {k: v for k, v in self.work.items() if k not in self.staged and k not in new}
            self.work = {**loose, **new}
        self.staged = new
        if mode == "hard":
            self.tidy()

    def mv(self, image: int, place: int) -> None:
        """Give a sample another name; its annotations follow."""
        layout = FORMATS[self.layout]
        state = self.readable_state()
        names = sorted(state)
        name = names[image % len(names)]
        new = layout.places(int("".join(filter(str.isdigit, name))), "")[place]
        if not self.clean or new in state or self._said(self.work) is None:
            return
        folder = f"{self.folder}/{layout.folder}" if layout.folder else self.folder
        source, target = (str(self.project.path(f"{folder}/{one}")) for one in (name, new))
        mv(self.project.repo, [source], target)
        self.work = self.staged = self.user_files()
        self.state = {new if k == name else k: v for k, v in state.items()}
        assert self.seen(self.work) == see_state(self.state)

    def mv_dataset(self, then: Literal["commit", "stash"]) -> None:
        """Give the data set its other name, and commit that, or put it aside and get it back."""
        if not self.clean or (then == "stash" and self.aside is not None):
            return
        old = self.folder
        new = next(one for one in NAMES if one != old)
        if self.project.path(new).exists():  # folders that the user emptied: mv goes into them
            return
        mv(self.project.repo, [str(self.project.path(old))], str(self.project.path(new)))
        self.work = self.staged = {
            f"{new}/{key.removeprefix(old + '/')}" if key.startswith(old + "/") else key: data
            for key, data in self.work.items()
        }
        self.check()
        if then == "commit":
            self.commit()
            return
        self.stash()
        self.check()
        self.pop("ours")

    def state_kept(self, aside: Aside) -> bool:
        """Tell whether a stash did nothing to the data set but to rename it."""
        before = self.data_of(self.commits[aside.commit])
        start = len(folder_of(before))
        end = len(folder_of(aside.work))
        after = {key[end:]: data for key, data in self.data_of(aside.work).items()}
        return after == {key[start:]: data for key, data in before.items()}

    def rebase(self, name: str) -> None:
        """Let plain git put our commits onto another branch; in conflict it is given up."""
        if not self.clean or name == self.here:
            return
        old, onto = self.head, self.heads[name]
        commits = self.project.git("rev-list", "--reverse", f"{onto}..{old}").split()
        expected = self._rebased(onto, commits)
        moved = len({folder_of(self.commits[one]) for one in (old, onto, *commits)
                     if one in self.commits}) > 1  # fmt: skip
        install(self.project.repo)
        try:
            told = self.project.git("rebase", "--reapply-cherry-picks", name, check=False)
            if self.project.path(".git/rebase-merge").exists():
                # Git knows a renamed record again by its text, which may be too little.
                assert moved or expected is None or expected == "conflict", told
                self.project.git("rebase", "--abort")
                self.project.follow()
                assert self.user_files() == self.commits[old]
                return
        finally:
            uninstall(self.project.reopen())
        assert moved or expected != "conflict", told
        for one in self.project.git("rev-list", "--reverse", f"{onto}..HEAD").split():
            self.staged = self._stored(one)
            self._committed(one)
        self.heads[self.here] = self.project.git("rev-parse", "HEAD").strip()
        self.work = self.staged = self.commits[self.head]
        if isinstance(expected, dict) and not moved:
            self.compared += 1
            assert self.seen(self.work) == see_state(expected)

    def _rebased(self, onto: str, commits: list[str]) -> State | Literal["conflict"] | None:
        """Return what a rebase must give: a state, a conflict, or None where nobody can tell."""
        from tests.repository.machine import in_slots

        state, plain = self.states[onto], self.commits[onto][PLAIN]
        for one in commits:
            parents = self.project.git("log", "-1", "--format=%P", one).split()
            if len(parents) != 1 or parents[0] not in self.commits or one not in self.commits:
                return None
            base, theirs = self.states[parents[0]], self.states[one]
            before, after = self.commits[parents[0]][PLAIN], self.commits[one][PLAIN]
            if after not in (before, plain):
                if plain != before:
                    return "conflict"
                plain = after
            if state is None or base is None or theirs is None:
                return None
            merged = merge_states(base, state, theirs)
            if merged.conflicts:
                return "conflict"
            state = in_slots(merged.seen)
            if see_state(state) != merged.seen:
                return None
        return state

    def _stored(self, commit: str) -> Files:
        """Return the user's files in a commit that git made, as the store has them."""
        repo = self.project.repo
        ((folder, record),) = repo.datasets_at(repo.resolve(commit)).items()
        plain = repo.git.files(repo.resolve(commit))[PLAIN]
        return {PLAIN: repo.git.read_blob(plain.blob)} | {
            f"{folder}/{key}": repo.contents.read(entry.content)
            for key, entry in Tree(repo.store, record.tree).items()
            if entry.content is not None
        }

    def gc(self, *, forget: bool) -> None:
        """As above; expiring all reflogs would forget the stash too."""
        super().gc(forget=forget and self.aside is None)

    def crash_moving(self, command: str, fraction: float, name: str) -> None:
        """Kill a stash or a cherry-pick somewhere; then do it again."""
        if command == "stash" and not self.clean and self.aside is None:
            work, head = self.work, self.head
            run = push
            steps = self._steps(run)
            self._child(self.project.root, run, 1 + int(fraction * steps))
            self.project.reopen()
            push(self.project.repo)
            assert len(list_stashes(self.project.repo)) == 1
            self.aside = Aside(head, work)
            self.work = self.staged = self.commits[head]
        elif command == "cherry-pick" and self.clean and name in self.heads:
            self._crash_pick(self.heads[name], fraction)

    def _crash_pick(self, commit: str, fraction: float) -> None:
        if len(self.project.git("log", "-1", "--format=%P", commit).split()) != 1:
            return
        head = self.head
        self._child(
            self.project.root,
            lambda repo: replay(repo, "cherry-pick", [commit]),
            1 + int(fraction * self._steps(lambda repo: replay(repo, "cherry-pick", [commit]))),
        )
        repo = self.project.reopen()
        try:
            result = replay(repo, "cherry-pick", [commit])
        except ConflictError as error:
            if error.kind != "merging":
                raise
            give_up(repo, "cherry-pick")  # all was done but to say so
            return
        if result.kind == "conflicts":
            give_up(repo, "cherry-pick")
            assert self.user_files() == self.commits[head]
            return
        after = self.project.git("rev-parse", "HEAD").strip()
        if after != head:
            assert repo.git.parents(repo.resolve(after)) == [head]
            self.work = self.staged = self.user_files()
            self._committed(after)
