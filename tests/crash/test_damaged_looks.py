"""A damaged tree node or annotation: what looks tells the rest, what writes refuses and says why.

``status``, ``diff``, ``log`` and ``show`` end with 66 and name the files that they know nothing of.
``merge`` and ``commit`` change nothing, name the damaged object and the versions it is needed for,
and what they say to type mends it. Before, all of them stopped at the first damaged node. Seen to
fail with each ``gaps`` taken out again: of ``status`` (its folder, its staged data), ``diff`` (its
trees, its entries, its work tree), ``counts_between``; with ``_refuse_damaged`` left out of
``commit``, and with ``explained`` left out of ``opened``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.crash.test_damage_everywhere import flip, veml
from tests.crash.test_damaged_trees import damage, project
from tests.crash.test_damaged_trees import pristine as trees
from tests.repository.conftest import isolated
from tests.repository.kit import Files, Project, coco, small_model
from veml_hooks.install import install

__all__ = ["isolated", "project", "trees"]

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def pristine(trees: Path) -> Path:
    """Two branches of 300 images; see ``test_damaged_trees``."""
    return trees


def said(
    project: Project, *arguments: str, patch: pytest.MonkeyPatch, capfd: Capture, code: int = 66
) -> tuple[str, str]:
    capfd.readouterr()
    assert veml(project.root, *arguments, monkeypatch=patch) == code
    told = capfd.readouterr()
    assert "Traceback" not in told.err
    if code == 66:
        assert "veml fsck --repair" in told.err
    return told.out, told.err


def lose(project: Project, revision: str, number: int) -> set[str]:
    """Damage a node, and forget what is remembered: it says the same without reading a tree."""
    hit = damage(project, revision, number)
    shutil.rmtree(project.path(".git/veml/cache"))
    for one in project.path(".git/veml/status").iterdir():
        one.unlink()
    return hit


def part(hit: set[str]) -> str:
    return f"{len(hit)} files after"


def test_diff_tells_the_rest(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    whole = project.git("diff", "--name-only", "main", "night").split()
    veml(project.root, "diff", "main", "night", "--name-status", monkeypatch=monkeypatch)
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) > 40
    hit = lose(project, "night", 1)
    out, err = said(
        project, "diff", "main", "night", "--name-status", patch=monkeypatch, capfd=capfd
    )
    unsaid = {f"data/{key}" for key in hit}
    assert out.splitlines() == [one for one in lines if one.split("\t")[1] not in unsaid]
    assert out.splitlines() != lines
    assert part(hit) in err
    assert max(hit) in err
    out, _ = said(project, "diff", "main", "night", "--json", patch=monkeypatch, capfd=capfd)
    (one,) = json.loads(out)["datasets"][0]["unreadable"]
    assert part(hit) in one["what"]
    assert "is damaged" in one["error"]
    out, _ = said(project, "diff", "night", "main", "--name-status", patch=monkeypatch, capfd=capfd)
    assert out
    assert not unsaid & {one.split("\t")[1] for one in out.splitlines()}
    for arguments in (("diff", "night", "main"), ("show", "night"), ("log", "--stat", "night")):
        out, err = said(project, *arguments, patch=monkeypatch, capfd=capfd)
        assert "1 part cannot be read" in out
        assert "README" in out
        assert part(hit) in err
    assert "two" in said(project, "log", "-n1", "night", patch=monkeypatch, capfd=capfd)[0]
    assert whole == ["README", "data.veml"]


@pytest.mark.parametrize("number", [1, -1])
def test_status_and_diff_of_the_folder(
    project: Project, number: int, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    project.checkout("night")
    shutil.copytree(project.root, project.root.parent / "clone", symlinks=True)
    hit = lose(project, "night", number)
    keys = sorted(project.files("data"))
    outside = next((key for key in keys if key not in hit), None)
    inside = next(key for key in keys if key in hit)
    project.write({inside: b"edited"}, "data")
    if outside is not None:
        project.write({outside: b"edited"}, "data")
    out, err = said(project, "status", patch=monkeypatch, capfd=capfd)
    assert "damaged data:   data" in out
    assert inside not in out.replace(max(hit), "")
    assert outside is None or f"~ {outside}" in out
    assert err.count("is damaged") == 1
    out, _ = said(project, "status", "--porcelain", patch=monkeypatch, capfd=capfd)
    assert out == (" X data/\n" if outside is None else " M data/\n")
    out, err = said(project, "diff", "--name-status", patch=monkeypatch, capfd=capfd)
    assert out == ("" if outside is None else f"M\tdata/{outside}\n")
    clone = str(project.root.parent / "clone")
    said(project, "fsck", "--repair", "--from", clone, patch=monkeypatch, capfd=capfd, code=0)
    out, _ = said(project, "status", patch=monkeypatch, capfd=capfd, code=0)
    assert f"~ {inside}" in out


def test_commit_of_what_cannot_be_read_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    project.checkout("night")
    hit = lose(project, "night", 1)
    project.git("reset", "-q", "--soft", "main")
    project.write(coco(small_model()), "another")  # which is whole, and first in the list
    project.add("another")
    head = project.git("rev-parse", "HEAD")
    assert part(hit) in said(project, "status", patch=monkeypatch, capfd=capfd)[1]
    _, err = said(project, "commit", "-m", "night again", patch=monkeypatch, capfd=capfd)
    assert "nothing was committed" in err
    assert part(hit) in err
    assert "veml restore --staged data goes back" in err
    assert project.git("rev-parse", "HEAD") == head


def test_what_cannot_be_read_can_be_dropped(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    project.checkout("night")
    lose(project, "night", 1)
    project.git("rm", "-q", "--cached", "data.veml")
    said(project, "commit", "-m", "without", patch=monkeypatch, capfd=capfd, code=0)
    assert "data.veml" not in project.git("ls-tree", "--name-only", "HEAD").split()


def test_commit_over_what_cannot_be_read_counts_the_rest(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """The old version is hit, the new one is whole: nothing of the user's is held up by it."""
    lose(project, "night", 1)
    project.git("reset", "-q", "--soft", "night")
    out, _ = said(project, "commit", "-m", "back", patch=monkeypatch, capfd=capfd, code=0)
    assert "1 part cannot be read" in out
    assert project.git("log", "-1", "--format=%s") == "back\n"
    assert said(project, "status", patch=monkeypatch, capfd=capfd, code=0)[0].endswith("clean\n")


def test_merge_and_add_refuse_and_say_what_is_hit(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    project.write({"0001.png": b"day"}, "data")
    project.add("data")
    project.commit("day")
    shutil.copytree(project.root, project.root.parent / "clone", symlinks=True)
    lose(project, "night", 1)
    before, head = project.files(), project.git("rev-parse", "HEAD")
    for arguments in (("merge", "night"), ("cherry-pick", "night")):
        _, err = said(project, *arguments, patch=monkeypatch, capfd=capfd)
        assert "is damaged" in err
        assert "it is needed for the data of night:data\n" in err
        assert "veml fsck --repair --from PATH" in err
        assert project.files() == before
        assert project.git("rev-parse", "HEAD") == head
        assert project.git("status", "--porcelain") == ""
    clone = str(project.root.parent / "clone")
    said(project, "fsck", "--repair", "--from", clone, patch=monkeypatch, capfd=capfd, code=0)
    said(project, "merge", "night", patch=monkeypatch, capfd=capfd, code=0)
    assert project.files("data")["0001.png"] == b"day"
    assert project.files("data")["0007.png"] == b"new 7"


def test_a_damaged_annotation_costs_what_is_said_of_its_samples(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Seen to fail (nothing told) without ``_readable_annotations``."""
    project = Project(tmp_path / "project")
    project.write(coco(small_model(4)), "data")
    project.save("data")
    project.write(coco(small_model(6)), "data")
    project.save("data")
    (fragment,) = (one for one in project.repo.catalog.opened("annotations") if one.rows == 2)
    chunk = max(fragment.chunk_ids(), key=lambda one: len(project.repo.store.get(one)))
    places = list(project.repo.store._packs.locate(chunk))
    project.close()
    for name, row in places:
        flip(project.path(f".git/veml/packs/{name}"), row.offset + row.stored_bytes // 2)
    out, err = said(project, "diff", "HEAD~1", "HEAD", patch=monkeypatch, capfd=capfd)
    assert "+2 samples" in out
    assert "images/0005.png" in out
    assert "the annotation of images/0005.png" in err
    assert "the annotation of images/0006.png" in err
    assert "images/0004.png" not in err


def git_merge_of_what_cannot_be_read(project: Project) -> Files:
    """Let plain git merge a damaged version; return what the user had."""
    project.write({"0001.png": b"day"}, "data")
    project.add("data")
    project.commit("day")
    install(project.repo)
    before = project.files()
    lose(project, "night", 1)
    done = subprocess.run(
        ["git", "merge", "night"], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "veml:   it is needed for the data of night:data\n" in done.stderr
    assert "veml: hint: veml fsck --repair" in done.stderr
    return before


def test_a_merge_that_git_began_can_be_given_up(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Seen to fail (66, still merging) without the gaps of ``_brought``."""
    before = git_merge_of_what_cannot_be_read(project)
    out, _ = said(project, "status", patch=monkeypatch, capfd=capfd, code=0)
    assert "is damaged" in out
    said(project, "merge", "--abort", patch=monkeypatch, capfd=capfd, code=0)
    assert project.files() == before
    assert project.git("status", "--porcelain") == ""
    assert said(project, "status", patch=monkeypatch, capfd=capfd, code=0)[0].endswith("clean\n")


@pytest.mark.slow
def test_what_a_damaged_merge_may_have_written_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """An edit where nobody knows whose it is: it stays and is named, everything else goes back."""
    before = git_merge_of_what_cannot_be_read(project)
    project.write({"0007.png": b"somebody's", "0299.png": b"mine"}, "data")
    _, err = said(project, "merge", "--abort", patch=monkeypatch, capfd=capfd)
    assert "24 files after 0005.png to 0029.png" in err
    assert project.files() == before | {"data/0007.png": b"somebody's", "data/0299.png": b"mine"}
    assert project.git("status", "--porcelain") == ""
    assert not project.path(".git/MERGE_HEAD").exists()


@pytest.mark.slow
def test_a_damaged_merge_is_settled_only_once_it_is_mended(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Ours taken whole would drop what the other side added and nobody contests."""
    git_merge_of_what_cannot_be_read(project)
    before = project.files()
    _, err = said(project, "resolve", "data", "--ours", patch=monkeypatch, capfd=capfd)
    assert "it is needed for the data of MERGE_HEAD:data" in err
    said(project, "commit", "-m", "x", patch=monkeypatch, capfd=capfd, code=1)
    assert project.files() == before
    assert project.path(".git/MERGE_HEAD").exists()
