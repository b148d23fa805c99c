"""A byte flipped in the blob, the tree or the commit of notes (core sets, drift): noticed, named.

A damaged blob costs its own note. A damaged tree or commit costs the notes of its ref, unless a
remote's are here, and the error says how to go back or on. No other command minds, and
``veml fsck`` finds it. Before: fsck said "all good" of a tree or blob, and was "a bug in veml" at a
commit; one damaged blob hid every note of its kind. Seen to fail with ``contains_loose``, the look
of fsck at notes, each ``continue`` to the next ref and the way to older notes taken out.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest

from tests.crash.test_damage_everywhere import flip, loose, veml
from tests.repository.conftest import isolated
from tests.repository.kit import Project, images
from veml_vcs.errors import DamagedError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.notes import noted_versions, read_note, write_note

__all__ = ["isolated"]

KIND = "summary/test"
REF = f"refs/notes/veml/{KIND}"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions with a note each, written one after the other."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{kind}_NAME", "Ada")
            patch.setenv(f"GIT_{kind}_EMAIL", "ada@example.org")
        project = Project(tmp_path_factory.mktemp("notes") / "project")
        for count in (3, 5):
            project.write(images(count), "data")
            project.save("data")
            write_note(project.repo, KIND, version_of(project, "HEAD"), b"note %d\n" % count)
        project.close()
    return project.root


def version_of(project: Project, revision: str) -> VersionId:
    return VersionId(project.git("rev-parse", f"{revision}:data.veml").strip())


@pytest.fixture
def project(pristine: Path, tmp_path: Path, isolated: Path) -> Project:
    shutil.copytree(pristine, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project", create=False)


def damage(project: Project, what: str, place: float) -> str:
    name = project.git("rev-parse", REF + what).strip()
    project.close()
    path = loose(project, name)
    flip(path, int(path.stat().st_size * place))
    return name


def nothing_else_is_in_the_way(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for command in ("status", "log -n1", "checkout -q HEAD~1", "checkout -q main", "gc --dry-run"):
        assert veml(project.root, *command.split(), monkeypatch=monkeypatch) == 0, command
    capfd.readouterr()
    assert veml(project.root, "fsck", monkeypatch=monkeypatch) == 1
    told = capfd.readouterr()
    assert REF in told.out
    assert "is damaged" in told.out
    assert "bug" not in told.err


@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
def test_a_blob_costs_its_own_note(
    project: Project,
    place: float,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    first, second = version_of(project, "HEAD~1"), version_of(project, "HEAD")
    name = damage(project, f":{first}", place)
    repo = project.reopen()
    assert set(noted_versions(repo, KIND)) == {first, second}
    assert read_note(repo, KIND, second) == b"note 5\n"
    with pytest.raises(
        DamagedError, match=f"the note {KIND} of version {first[:10]}.*{name}"
    ) as got:
        read_note(repo, KIND, first)
    write_note(repo, KIND, second, b"another\n")
    assert read_note(repo, KIND, second) == b"another\n"
    nothing_else_is_in_the_way(project, monkeypatch, capfd)
    type_the_hint(project, got.value)
    assert read_note(project.reopen(), KIND, first) is None
    project.close()


@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("what", ["^{tree}", ""])
def test_a_tree_or_commit_costs_the_notes_of_its_ref(
    project: Project,
    what: str,
    place: float,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    first = version_of(project, "HEAD~1")
    name = damage(project, what, place)
    for ask in (
        lambda: read_note(project.reopen(), KIND, first),
        lambda: noted_versions(project.reopen(), KIND),
    ):
        with pytest.raises(DamagedError, match=f"the notes of {REF}.*{name}") as got:
            ask()
    nothing_else_is_in_the_way(project, monkeypatch, capfd)
    type_the_hint(project, cast("DamagedError", got.value))
    expected = b"note 3\n" if what else None  # a commit that cannot be read has no parents
    assert read_note(project.reopen(), KIND, first) == expected
    assert veml(project.root, "fsck", monkeypatch=monkeypatch) == 0
    project.close()


@pytest.mark.parametrize("what", [":{}", "^{{tree}}", ""])
def test_what_a_remote_says_is_taken_then(project: Project, what: str) -> None:
    first = version_of(project, "HEAD~1")
    remote = project.root.parent / "remote"
    shutil.copytree(project.root, remote, symlinks=True)
    theirs = Project(remote, create=False)
    write_note(theirs.repo, KIND, first, b"theirs\n")
    theirs.close()
    project.git("fetch", "-q", str(remote), f"+{REF}:refs/veml/remotes/origin/{KIND}")
    damage(project, what.format(first), 0.5)
    assert read_note(project.reopen(), KIND, first) == b"theirs\n"
    assert first in noted_versions(project.repo, KIND)
    project.close()


def test_a_note_on_a_record_that_is_damaged(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A record that nothing but its note names: seen to be "a bug in veml" (fsck, gc)."""
    first = version_of(project, "HEAD")
    project.git("reset", "-q", "--soft", "HEAD~1")
    project.git("reset", "-q")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.close()
    for one in (".git/ORIG_HEAD", ".git/veml/held.json"):
        project.path(one).unlink(missing_ok=True)
    path = loose(project, first)
    flip(path, path.stat().st_size // 2)
    capfd.readouterr()
    for command, code in (("fsck", 1), ("gc --dry-run", 0)):
        assert veml(project.root, *command.split(), monkeypatch=monkeypatch) == code
        assert "bug" not in capfd.readouterr().err


def type_the_hint(project: Project, error: DamagedError) -> None:
    """Run the command that a hint begins with."""
    assert error.hint is not None
    words = shlex.split(error.hint)
    end = next(at for at, word in enumerate(words) if word in ("does", "goes", "drops"))
    project.close()
    subprocess.run(words[:end], cwd=project.root, check=True, capture_output=True)
