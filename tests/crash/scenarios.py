"""What is stopped at every step: a project, and one command in it. New commands plug in here.

A scenario is a name, a function that makes the project, and a function that runs the command.
Both must do the same each time (fixed times, no chance), so that commit ids can be compared.
``done`` lists the kinds of error that a second run may end with when the first one had got through
(``branch-exists``); whatever else it raises is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.repository.inferences import EXPORTED
from tests.repository.inferences import outcome as deployed
from tests.repository.inferences import prepared as prepared_inference
from tests.repository.kit import Project, coco, images, png, small_model
from tests.repository.trainings import outcome, prepared, weights
from veml_hooks.install import install
from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.checkout import checkout
from veml_vcs.repository.commit import Signature, commit
from veml_vcs.repository.git.notes import write_note
from veml_vcs.repository.inferences.write import write_inference
from veml_vcs.repository.merging.merge import abort, merge
from veml_vcs.repository.merging.replay import Kind, Options, give_up, go_on, replay
from veml_vcs.repository.merging.resolve import resolve
from veml_vcs.repository.moving.mv import mv
from veml_vcs.repository.refs import (
    create_branch,
    create_tag,
    delete_branch,
    delete_tag,
    rename_branch,
)
from veml_vcs.repository.reset import reset
from veml_vcs.repository.restore import restore
from veml_vcs.repository.rm import rm
from veml_vcs.repository.stashing.push import push
from veml_vcs.repository.stashing.stash import apply, drop
from veml_vcs.repository.trainings.merging import resolve_by_average
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.versions.trainings import Initial

ADA = Signature("Ada <ada@example.org>", 1_700_000_000, 0)


@dataclass(frozen=True)
class Scenario:
    """One command that is stopped at every step.

    ``stages`` lead, from what ``setup`` made, to the states that the command passes on its way.
    """

    name: str
    setup: Callable[[Project], None]
    command: Callable[[Repository], object]
    done: tuple[str, ...] = ()
    stages: tuple[Callable[[Repository], object], ...] = ()


def _save(project: Project, message: str) -> None:
    project.add(".")
    commit(project.repo, message, author=ADA, committer=ADA)


def _at(repo: Repository, *paths: str) -> list[str]:
    return [os.path.join(repo.root, path) for path in paths]


# -- projects ----------------------------------------------------------------------------------


def empty_with_files(project: Project) -> None:
    """Nothing tracked yet: a data set and ordinary files on disk."""
    project.write(coco(small_model(3)), "data/train")
    project.write({"README": b"one\n", "src/a.py": b"a = 1\n", "src/deep/b.py": b"b = 1\n"})


def staged(project: Project) -> None:
    empty_with_files(project)
    project.add("data/train")
    project.add(".")


def one_commit(project: Project) -> None:
    empty_with_files(project)
    project.add("data/train")
    _save(project, "one")


def two_data_sets(project: Project) -> None:
    """A second data set of the same format, which does not know all of the classes."""
    one_commit(project)
    model = {f"0{name}": boxes for name, boxes in small_model(2).items()}
    project.write(coco(model, ("tree", "person", "dog", "car")), "data/val")
    project.add("data/val")
    _save(project, "two")


def edited(project: Project) -> None:
    """One commit, and changes on disk: a sample changed, one new, one gone, a box moved."""
    one_commit(project)
    _edit(project)


def _edit(project: Project) -> None:
    model = small_model(4)
    first = model["0001.png"][0]
    model["0001.png"] = (replace_box(first, 30), *model["0001.png"][1:])
    del model["0002.png"]
    files = coco(model)
    files["images/0003.png"] = png(99)
    project.replace(files, "data/train")
    project.write({"README": b"two\n", "src/new.py": b"new\n"})
    (project.root / "src/a.py").unlink()


def replace_box(box: object, x: int) -> object:
    return box._replace(x=x)  # type: ignore[attr-defined]


def edited_and_staged(project: Project) -> None:
    edited(project)
    project.add(".")


def two_branches(project: Project) -> None:
    """``main`` and ``night`` differ in samples, boxes, files, a folder that is a file elsewhere."""
    one_commit(project)
    checkout(project.repo, "night", create=True)
    model = small_model(5)
    model["0001.png"] = (replace_box(model["0001.png"][0], 31), *model["0001.png"][1:])
    files = coco(model)
    files["images/0003.png"] = png(77)
    files["extra/deep/note.txt"] = b"a note\n"
    project.replace(files, "data/train")
    project.write({"README": b"night\n", "src/night.py": b"n = 1\n", "src/a.py": b"a = 2\n"})
    (project.root / "src/deep/b.py").unlink()
    _save(project, "night")
    checkout(project.repo, "main")
    project.write(images(2, 50), "data/train/images")
    project.write({"docs.txt": b"docs\n"})
    project.add("data/train")
    _save(project, "day")


def conflicting(project: Project) -> None:
    """The same box and the same file changed on both sides."""
    two_branches(project)
    model = small_model(3)
    model["0001.png"] = (replace_box(model["0001.png"][0], 40), *model["0001.png"][1:])
    files = coco(model)
    files.update({f"images/{n}": d for n, d in images(2, 50).items()})
    project.replace(files, "data/train")
    project.write({"README": b"day\n"})
    project.add("data/train")
    _save(project, "day again")


def in_conflict(project: Project) -> None:
    conflicting(project)
    merge(project.repo, "night", committer=ADA)


def _two_contradict(project: Project) -> None:
    """The same box of two data sets is moved on both sides."""
    two_data_sets(project)

    def move(x: int) -> None:
        train, val = small_model(3), {f"0{n}": boxes for n, boxes in small_model(2).items()}
        for model, key in ((train, "0001.png"), (val, "00001.png")):
            model[key] = (replace_box(model[key][0], x), *model[key][1:])
        project.replace(coco(train), "data/train")
        project.replace(coco(val, ("tree", "person", "dog", "car")), "data/val")
        _save(project, f"moved to {x}")

    checkout(project.repo, "night", create=True)
    move(30)
    checkout(project.repo, "main")
    move(40)


def two_in_conflict(project: Project) -> None:
    _two_contradict(project)
    merge(project.repo, "night", committer=ADA)


def two_in_conflict_by_git(project: Project) -> None:
    _two_contradict(project)
    install(project.repo)
    project.git("merge", "night", check=False)


def squashed(project: Project) -> None:
    """All of ``night`` is in index and work tree, and its message waits."""
    two_branches(project)
    merge(project.repo, "night", squash=True, committer=ADA)


def picked_apart(project: Project) -> None:
    """``night`` has two more commits, each of which changes the same line and the same box."""
    two_branches(project)
    checkout(project.repo, "night")
    for x, text in ((33, b"night, later\n"), (35, b"night, at last\n")):
        model = small_model(5)
        model["0001.png"] = (replace_box(model["0001.png"][0], x), *model["0001.png"][1:])
        files = coco(model)
        files["images/0003.png"] = png(77)
        files["extra/deep/note.txt"] = text
        project.replace(files, "data/train")
        project.write({"README": text})
        _save(project, text.decode().strip())
    checkout(project.repo, "main")


def second_of_three(project: Project) -> None:
    """Three commits were to be picked; the second is in conflict."""
    conflicting(project)
    project.git("branch", "late", "night")
    checkout(project.repo, "late")
    project.write({"one.txt": b"1\n"})
    _save(project, "one file")
    project.write({"two.txt": b"2\n"})
    _save(project, "two files")
    checkout(project.repo, "main")
    _replay(project.repo, "cherry-pick", "late~1", "night", "late")


def second_is_settled(project: Project) -> None:
    second_of_three(project)
    resolve(project.repo, ["data/train", "README"], "theirs")


def stashed(project: Project) -> None:
    """Changes of samples, boxes and files in a stash, an untracked file too."""
    one_commit(project)
    _edit(project)
    project.write({"untracked.txt": b"loose\n"})
    project.add("src/new.py")
    push(project.repo, "work", untracked=True, who=ADA)


def stashed_twice(project: Project) -> None:
    one_commit(project)
    for text in (b"b = 2\n", b"b = 3\n", b"b = 4\n"):
        project.write({"src/deep/b.py": text})
        push(project.repo, text.decode().strip(), who=ADA)


def stashed_in_conflict(project: Project) -> None:
    """What the stash changed was changed by a commit meanwhile."""
    stashed(project)
    model = small_model(3)
    model["0001.png"] = (replace_box(model["0001.png"][0], 40), *model["0001.png"][1:])
    project.replace(coco(model), "data/train")
    project.write({"README": b"another\n"})
    project.add("data/train")
    _save(project, "meanwhile")


def loose_and_staged(project: Project) -> None:
    """Some changes are staged, others not, and a file is not tracked."""
    edited(project)
    project.add("data/train")
    project.write({"data/train/images/0001.png": png(55), "untracked.txt": b"loose\n"})
    project.write({"staged.txt": b"staged\n"})
    project.add("staged.txt")


def with_names(project: Project) -> None:
    one_commit(project)
    create_branch(project.repo, "feature/one")
    create_tag(project.repo, "v1")
    project.git("pack-refs", "--all")
    create_branch(project.repo, "old")


def noted(project: Project) -> None:
    one_commit(project)
    write_note(project.repo, "drift", _version(project.repo), b"first\n")


def _version(repo: Repository) -> object:
    return repo.git.staged_files()["data/train.veml"].blob


def damaged_worktree(project: Project) -> None:
    """One commit; files changed, removed and added by hand since."""
    one_commit(project)
    project.write({"data/train/images/0001.png": b"scribble", "README": b"scribble"})
    (project.root / "data/train/images/0002.png").unlink()


# -- commands ----------------------------------------------------------------------------------


def _commit_all(repo: Repository) -> object:
    return commit(repo, "two", all=True, author=ADA, committer=ADA)


def _replay(
    repo: Repository, kind: Kind, *revisions: str, options: Options | None = None
) -> object:
    return replay(repo, kind, revisions, options=options, committer=ADA)


def _record_of_stash(repo: Repository) -> None:
    """Bring the record that ``apply`` writes first, and takes back: nothing of it is staged."""
    stash = repo.git.files(repo.resolve("refs/stash"))
    repo.write_file("data/train.veml", repo.git.read_blob(stash["data/train.veml"].blob))


def with_model(project: Project) -> None:
    """A data set and a model, committed: what a training is made of."""
    prepared(project)
    _save(project, "one")


def retrained(project: Project) -> None:
    """Both sides of a merge under way fine-tuned one training of one parent."""
    with_model(project)
    repo = project.repo
    parent = write_training(repo, outcome(repo), "base")
    initial = Initial("training", "base", parent.version, parent.record.checkpoint.tree)
    heads = iter((1, 2, 3))

    def train(message: str) -> None:
        tuned = outcome(repo, checkpoint=weights(0, head=next(heads)), initial=initial)
        write_training(repo, tuned, "night")
        commit(repo, message, author=ADA, committer=ADA)

    train("one")
    create_branch(repo, "side")
    train("two")
    checkout(repo, "side")
    train("three")
    checkout(repo, "main")
    merge(repo, "side", committer=ADA)


def with_training(project: Project) -> None:
    """A training, and the file that was exported of it, where nothing of veml looks."""
    prepared_inference(project)
    (project.root / ".git/exported.onnx").write_bytes(EXPORTED)


def _deploy(repo: Repository) -> object:
    file = Path(repo.root) / ".git/exported.onnx"
    return write_inference(repo, deployed(repo), file, "fast")


def _average(repo: Repository) -> object:
    return resolve_by_average(repo, ["night"])


SCENARIOS = (
    Scenario("add new", empty_with_files, lambda r: add(r, _at(r, "data/train", "README", "src"))),
    Scenario("add edited", edited, lambda r: add(r, [r.root])),
    Scenario(
        "commit first",
        staged,
        lambda r: commit(r, "one", author=ADA, committer=ADA),
        ("nothing-to-commit",),
    ),
    Scenario(
        "commit",
        edited_and_staged,
        lambda r: commit(r, "two", author=ADA, committer=ADA),
        ("nothing-to-commit",),
    ),
    Scenario("commit -a", edited, _commit_all, ("nothing-to-commit",)),
    Scenario(
        "commit --amend",
        edited_and_staged,
        lambda r: commit(r, "one, better", amend=True, author=ADA, committer=ADA),
    ),
    Scenario("checkout", two_branches, lambda r: checkout(r, "night")),
    Scenario("checkout --detach", two_branches, lambda r: checkout(r, "night", detach=True)),
    Scenario(
        "checkout --force",
        lambda p: (two_branches(p), p.write({"README": b"x", "data/train/images/0001.png": b"y"}))[
            0
        ],
        lambda r: checkout(r, "night", force=True),
    ),
    Scenario(
        "switch -c",
        edited,
        lambda r: checkout(r, "topic/new", create=True),
        ("branch-exists",),
    ),
    Scenario("merge", two_branches, lambda r: merge(r, "night", committer=ADA), ("merging",)),
    Scenario(
        "merge, fast forward",
        lambda p: (two_branches(p), p.git("branch", "ahead", "main"), checkout(p.repo, "HEAD~1"))[
            0
        ],
        lambda r: merge(r, "ahead"),
    ),
    Scenario("squash", two_branches, lambda r: merge(r, "night", squash=True, committer=ADA)),
    Scenario("squash, conflicts", conflicting, lambda r: merge(r, "night", squash=True)),
    Scenario(
        "squash, commit",
        squashed,
        lambda r: commit(r, None, author=ADA, committer=ADA),
        ("nothing-to-commit", "invalid-input"),
    ),
    Scenario("merge, conflicts", conflicting, lambda r: merge(r, "night"), ("merging",)),
    Scenario(
        "resolve",
        in_conflict,
        lambda r: resolve(r, ["data/train", "README"], "theirs"),
        ("no-conflict",),
    ),
    Scenario(
        "resolve --both",
        in_conflict,
        lambda r: resolve(r, ["data/train/images/0001.png", "README"], "both"),
        ("no-conflict",),
    ),
    Scenario("train", with_model, lambda r: write_training(r, outcome(r), "night")),
    Scenario("inference write", with_training, _deploy),
    Scenario("resolve --average", retrained, _average, ("no-conflict",)),
    Scenario(
        "resolve --both, two data sets",
        two_in_conflict,
        lambda r: resolve(r, ["data/train", "data/val"], "both"),
    ),
    Scenario(
        "resolve --both, two data sets of a git merge",
        two_in_conflict_by_git,
        lambda r: resolve(r, ["data/train", "data/val"], "both"),
        ("not-merging",),
    ),
    Scenario("merge --abort", in_conflict, lambda r: abort(r), ("not-merging",)),
    Scenario("restore", damaged_worktree, lambda r: restore(r, [r.root])),
    Scenario(
        "restore from a revision",
        two_branches,
        lambda r: restore(r, _at(r, "data/train", "README"), source="night", staged=True),
    ),
    Scenario("rm data", one_commit, lambda r: rm(r, _at(r, "data/train")), ("no-such-path",)),
    Scenario(
        "rm files",
        one_commit,
        lambda r: rm(r, _at(r, "src"), recursive=True),
        ("no-such-path",),
    ),
    Scenario(
        "mv data",
        edited,
        lambda r: mv(r, _at(r, "data/train"), _at(r, "day")[0]),
        ("no-such-path",),
    ),
    Scenario(
        "mv sample",
        one_commit,
        lambda r: mv(r, _at(r, "data/train/images/0001.png"), _at(r, "data/train/new/x.png")[0]),
        ("no-such-path",),
    ),
    Scenario(
        "mv sample across",
        two_data_sets,
        lambda r: mv(r, _at(r, "data/train/images/0001.png"), _at(r, "data/val")[0]),
        ("no-such-path",),
    ),
    Scenario(
        "mv files",
        lambda p: (edited(p), p.write({"lib/c.py": b"c = 1\n"}), p.add("lib"))[0],
        lambda r: mv(r, _at(r, "data", "README"), _at(r, "lib")[0]),
        ("no-such-path",),
    ),
    Scenario("cherry-pick", two_branches, lambda r: _replay(r, "cherry-pick", "night")),
    Scenario(
        "cherry-pick, two",
        picked_apart,
        lambda r: _replay(r, "cherry-pick", "night~2", "night~1", "night"),
        stages=(
            lambda r: _replay(r, "cherry-pick", "night~2"),
            lambda r: _replay(r, "cherry-pick", "night~2", "night~1"),
        ),
    ),
    Scenario(
        "cherry-pick, conflicts",
        conflicting,
        lambda r: _replay(r, "cherry-pick", "night"),
        ("merging",),
    ),
    Scenario(
        "cherry-pick -n",
        two_branches,
        lambda r: _replay(r, "cherry-pick", "night", options=Options(no_commit=True)),
    ),
    Scenario(
        "cherry-pick --continue",
        second_is_settled,
        lambda r: go_on(r, "cherry-pick", author=ADA, committer=ADA),
        ("not-merging",),
        (lambda r: commit(r, None, author=ADA, committer=ADA),),
    ),
    Scenario(
        "cherry-pick --skip",
        second_of_three,
        lambda r: go_on(r, "cherry-pick", skip=True, committer=ADA),
        ("not-merging",),
        (lambda r: abort(r),),
    ),
    Scenario(
        "cherry-pick --abort",
        second_of_three,
        lambda r: give_up(r, "cherry-pick"),
        ("not-merging",),
        (lambda r: abort(r),),
    ),
    Scenario(
        "revert",
        lambda p: (two_branches(p), p.git("tag", "day"))[0],
        lambda r: _replay(r, "revert", "day"),
    ),
    Scenario("reset --soft", two_branches, lambda r: reset(r, "night", mode="soft")),
    Scenario("reset --mixed", two_branches, lambda r: reset(r, "night")),
    Scenario(
        "reset --hard",
        lambda p: (two_branches(p), p.write({"README": b"x", "data/train/images/0001.png": b"y"}))[
            0
        ],
        lambda r: reset(r, "night", mode="hard"),
    ),
    Scenario("reset --hard, merging", in_conflict, lambda r: reset(r, mode="hard")),
    Scenario(
        "stash",
        loose_and_staged,
        lambda r: push(r, "work", untracked=True, who=ADA),
        stages=(lambda r: add(r, _at(r, "data/train")),),
    ),
    Scenario(
        "stash pop",
        stashed,
        lambda r: apply(r, drop_it=True),
        ("unknown-stash",),
        (_record_of_stash,),
    ),
    Scenario(
        "stash apply --index", stashed, lambda r: apply(r, index=True), stages=(_record_of_stash,)
    ),
    Scenario("stash apply, conflicts", stashed_in_conflict, lambda r: apply(r)),
    Scenario("stash drop", stashed_twice, lambda r: drop(r, "2"), ("unknown-stash",)),
    Scenario("branch", one_commit, lambda r: create_branch(r, "a/b/c"), ("branch-exists",)),
    Scenario(
        "branch -d", with_names, lambda r: delete_branch(r, "feature/one"), ("unknown-revision",)
    ),
    Scenario(
        "branch -m", with_names, lambda r: rename_branch(r, "main", "trunk"), ("unknown-revision",)
    ),
    Scenario("tag", one_commit, lambda r: create_tag(r, "v1"), ("tag-exists",)),
    Scenario(
        "tag -a",
        one_commit,
        lambda r: create_tag(r, "v1", message="first", tagger=ADA),
        ("tag-exists",),
    ),
    Scenario("tag -d", with_names, lambda r: delete_tag(r, "v1"), ("unknown-revision",)),
    Scenario("note", noted, lambda r: write_note(r, "drift", _version(r), b"second\n")),
)

__all__ = ["ADA", "SCENARIOS", "Scenario", "replace"]
