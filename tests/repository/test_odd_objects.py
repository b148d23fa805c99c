"""Commits of other programs whose author lines are not as Git writes them; git itself is asked."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Callable

import pytest
from dulwich.objects import ObjectID, Tag

from tests.repository.kit import Project, coco, small_model
from veml_vcs.errors import DamagedError
from veml_vcs.ids import CommitId
from veml_vcs.lineage.ask import lineage
from veml_vcs.repository.git.odd_objects import _ident
from veml_vcs.repository.log import log
from veml_vcs.repository.upkeep.fsck import fsck

LINES = [
    b"A <a@b> 1300000000",
    b"A <a@b>",
    b"A <a@b> xyz +0000",
    b"A <a@b> 1300000000 zzz",
    b"A <a@b> 1300000000  -0130",
    b"A <a@b>1300000000 +0000",
    b"A <a@b>> 1300000000 +0000",
    b"A <a@b> x> 1300000000 +0000",
    b"A a@b 1300000000 +0000",
    b"A a@b",
    b"A <a@b 1300000000 +0000",
    b"<> 0 +0000",
    b"",
    b"\xff\xfe <\xff>",
    b"A <a@b> 1300000000 +051800",
    b"A <a@b> 99999999999999999999999 +0000",
    b"A <a@b> 1300000000 --700",
]


def write(project: Project, kind: str, data: bytes) -> CommitId:
    """Write an object of Git's that Git would not make."""
    done = subprocess.run(
        ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"],
        input=data, cwd=project.root, capture_output=True, check=True,
    )  # fmt: skip
    return CommitId(done.stdout.decode().strip())


def odd(project: Project, line: bytes, below: str = "HEAD") -> CommitId:
    """Make a commit with a line of its own, of the tree that is there, and go to it."""
    tree, parent = project.git("rev-parse", f"{below}^{{tree}}", below).split()
    data = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\nodd one\n" % (
        tree.encode(), parent.encode(), line, line
    )  # fmt: skip
    made = write(project, "commit", data)
    project.git("update-ref", "refs/heads/main", made)
    return made


def told(project: Project, commit: CommitId) -> tuple[str, int, int]:
    """Return author, date and committer's date as git tells them; 0 where it tells none."""
    found = project.git("log", "-1", "--encoding=UTF-8", "--format=%an%n%at%n%ct", commit)
    name, wrote, committed = found.removesuffix("\n").split("\n")
    return name, int(wrote or 0), int(committed or 0)


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
@pytest.mark.parametrize("line", LINES)
def test_a_commit_is_read_as_git_reads_it(project: Project, line: bytes, packed: bool) -> None:
    """Seen to fail: the first of these were damage or "a bug in veml"."""
    project.write(coco(small_model()), "data")
    project.save("data")
    made = odd(project, line)
    project.write({"data/more.png": b"more"})
    project.save("data", message="after it")
    if packed:
        project.git("repack", "-adq")
        project.git("prune-packed")
    project.reopen()
    newest, one, _ = log(project.repo)
    assert one.id == made
    assert one.subject == "odd one"
    name, wrote, committed = told(project, made)
    read = project.repo.git.commit(made)
    if name:
        assert os.fsdecode(read.author).split("<")[0].rstrip() == name
    if wrote:
        assert read.author_time == wrote
    if committed:
        assert read.commit_time == committed
    assert read.id.decode() == made
    assert read.as_raw_string() == project.repo.git.commit(made).as_raw_string()
    with lineage(project.repo) as found:
        node = found.store.node(made)
        assert node is not None
        assert node.name == "odd one"
    assert fsck(project.repo).problems == ()
    project.checkout(made)
    project.checkout(newest.id)
    assert project.status().clean
    assert project.git("status", "--porcelain") == ""


def test_one_in_an_alternate(project: Project, make_project: Callable[..., Project]) -> None:
    project.write({"file": b"x"})
    project.git("add", "file")
    project.git("commit", "-qm", "first")
    made = odd(project, b"A <a@b>")
    other = make_project("other")
    alternates = other.root / ".git/objects/info/alternates"
    alternates.write_text(f"{project.root}/.git/objects\n")
    assert other.repo.git.commit(made).author == b"A <a@b>"


def test_damage_is_told_still(project: Project) -> None:
    """A byte more in what such a commit says: it is not what its id says."""
    project.write({"file": b"x"})
    project.git("add", "file")
    project.git("commit", "-qm", "first")
    made = odd(project, b"A <a@b>")
    path = project.root / ".git/objects" / made[:2] / made[2:]
    data = zlib.decompress(path.read_bytes())
    path.chmod(0o644)
    path.write_bytes(zlib.compress(data.replace(b"odd one", b"odd two")))
    with pytest.raises(DamagedError, match="is damaged"):
        project.reopen().git.commit(made)
    path.write_bytes(b"no zlib")
    with pytest.raises(DamagedError, match="is damaged"):
        project.reopen().git.commit(made)


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
@pytest.mark.parametrize(
    "line",
    [b"tagger A <a@b> 1300000000\n", b"tagger A <a@b>\n", b"tagger A a@b 1 +0000\n", b"tagger\n",
     b"x\n", b""],
)  # fmt: skip
def test_a_tag(project: Project, line: bytes, packed: bool) -> None:
    """Seen to fail: log, tag, fsck and the lineage told damage as long as the tag was there."""
    project.write({"file": b"x"})
    project.git("add", "file")
    project.git("commit", "-qm", "first")
    commit = project.git("rev-parse", "HEAD").strip()
    data = b"object %s\ntype commit\ntag odd\n%s\nthe message\n" % (commit.encode(), line)
    made = write(project, "tag", data)
    project.git("update-ref", "refs/tags/odd", made)
    if packed:
        project.git("repack", "-adq")
        project.git("prune-packed")
    project.reopen()
    assert project.repo.resolve("odd") == commit
    read = project.repo.git.dulwich.object_store[ObjectID(made.encode())]
    assert isinstance(read, Tag)
    assert read.message == b"the message\n"
    name, seconds = project.git("for-each-ref", "--format=%(taggername)|%(taggerdate:unix)",
                                "refs/tags/odd").strip().split("|")  # fmt: skip
    assert os.fsdecode(read.tagger or b"").startswith(name)
    if seconds not in ("", "0"):
        assert read.tag_time == int(seconds)
    assert [entry.id for entry in log(project.repo, all_refs=True)] == [commit]
    with lineage(project.repo) as found:
        assert found.store.node(commit) is not None
    assert fsck(project.repo).problems == ()


@pytest.mark.parametrize(
    "line", [b"A" + b" " * 10**6 + b"x", b"A 1" * 10**5, b"A> " + b" " * 10**6]
)
def test_a_long_line_is_read_at_once(line: bytes) -> None:
    """Seen not to end in a minute with each of many blanks tried as the beginning of a date."""
    author = _ident(line)
    assert author[1:] == (0, 0)
