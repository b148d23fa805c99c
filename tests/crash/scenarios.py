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

from tests.repository.kit import Project, coco, images, png, small_model
from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.checkout import checkout
from veml_vcs.repository.commit import Signature, commit
from veml_vcs.repository.merge import abort, merge
from veml_vcs.repository.mv import mv
from veml_vcs.repository.notes import write_note
from veml_vcs.repository.refs import (
    create_branch,
    create_tag,
    delete_branch,
    delete_tag,
    rename_branch,
)
from veml_vcs.repository.resolve import resolve
from veml_vcs.repository.restore import restore
from veml_vcs.repository.rm import rm

ADA = Signature("Ada <ada@example.org>", 1_700_000_000, 0)


@dataclass(frozen=True)
class Scenario:
    """One command that is stopped at every step."""

    name: str
    setup: Callable[[Project], None]
    command: Callable[[Repository], object]
    done: tuple[str, ...] = ()


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


def edited(project: Project) -> None:
    """One commit, and changes on disk: a sample changed, one new, one gone, a box moved."""
    one_commit(project)
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
    Scenario("merge, conflicts", conflicting, lambda r: merge(r, "night"), ("merging",)),
    Scenario(
        "resolve",
        in_conflict,
        lambda r: resolve(r, ["data/train", "README"], "theirs"),
        ("no-conflict",),
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
        "mv files",
        lambda p: (edited(p), p.write({"lib/c.py": b"c = 1\n"}), p.add("lib"))[0],
        lambda r: mv(r, _at(r, "data", "README"), _at(r, "lib")[0]),
        ("no-such-path",),
    ),
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
