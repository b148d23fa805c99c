"""``merge=union`` and ``-merge`` in ``.gitattributes``: veml merges ordinary files as git does."""

from __future__ import annotations

import pytest

from tests.repository.kit import Project

ATTRIBUTES = b"CHANGELOG merge=union\n*.lock -merge\n*.bin binary\n[z-a] merge=union\n"
FILES = {
    "CHANGELOG": (b"one\n", b"one\nours\n", b"one\ntheirs\n"),
    "a.lock": (b"1\n2\n3\n4\n5\n", b"ours\n2\n3\n4\n5\n", b"1\n2\n3\n4\ntheirs\n"),
    "b.bin": (b"1\n2\n3\n4\n5\n", b"ours\n2\n3\n4\n5\n", b"1\n2\n3\n4\ntheirs\n"),
    "deep/CHANGELOG": (b"one\n", b"one\nours\n", b"one\ntheirs\n"),
    "plain.txt": (b"1\n2\n3\n4\n5\n", b"ours\n2\n3\n4\n5\n", b"1\n2\n3\n4\ntheirs\n"),
}


@pytest.fixture
def forked(project: Project) -> Project:
    project.write({".gitattributes": ATTRIBUTES, "deep/.gitattributes": b"CHANGELOG !merge\n"})
    for side, (name, branch) in enumerate((("base", ""), ("ours", ""), ("theirs", "night"))):
        if branch:
            project.git("checkout", "-q", "-b", branch, "HEAD~1")
            project.reopen()
        project.write({path: versions[side] for path, versions in FILES.items()})
        project.save(".", message=name)
    project.git("checkout", "-q", "main")
    project.reopen()
    return project


def test_as_git_does(forked: Project) -> None:
    """Seen to fail without the attributes: CHANGELOG in conflict, a.lock and b.bin mixed."""
    assert "CONFLICT" in forked.git("merge", "night", check=False)
    expected, stages = forked.files(), forked.git("ls-files", "--unmerged")
    forked.git("merge", "--abort")
    forked.reopen()
    found = forked.merge("night")
    assert found.files == ("a.lock", "b.bin", "deep/CHANGELOG")
    assert forked.files()["CHANGELOG"] == b"one\nours\ntheirs\n"
    assert forked.git("ls-files", "--unmerged") == stages
    merged = forked.files()
    for name in FILES.keys() - {"deep/CHANGELOG"}:  # there the marks name the sides otherwise
        assert merged[name] == expected[name]
    assert merged["deep/CHANGELOG"].count(b"<<<<<<<") == 1


def test_a_rule_goes_before_an_attribute_and_a_side_settles(forked: Project) -> None:
    forked.write({".vemlmerge": b"CHANGELOG theirs\n"})
    forked.save(".vemlmerge", message="rules")
    assert forked.merge("night", favour="ours").kind == "merged"
    merged = forked.files()
    assert merged["CHANGELOG"] == b"one\ntheirs\n"
    assert merged["a.lock"] == FILES["a.lock"][1]
    assert merged["plain.txt"] == b"ours\n2\n3\n4\ntheirs\n"
