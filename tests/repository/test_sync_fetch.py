"""``veml data fetch``: a clone gets the data it lacks, checked, from another clone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.kit import Project, coco, images, small_model
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.repository.restore import restore
from veml_vcs.repository.source import Source, local_path
from veml_vcs.repository.sync import fetch_data
from veml_vcs.samples.fragments.content import ContentReader, ContentWriter


@pytest.fixture
def origin(project: Project) -> Project:
    """A repository with two commits of a data set on main, and another one on a branch."""
    project.write(coco(small_model(6)), "data")
    project.save("data", message="first")
    project.git("branch", "old")
    project.write(images(3, start=50), "data/images")
    project.save("data", message="second")
    project.checkout("night", create=True)
    project.write(images(2, start=90), "night")
    project.save("night", message="night")
    project.checkout("main")
    return project


@pytest.fixture
def clone(origin: Project, make_project: Callable[..., Project]) -> Project:
    """A plain ``git clone``: records, and no data."""
    root = origin.root.parent / "clone"
    origin.git("clone", "-q", str(origin.root), str(root))
    return make_project("clone", create=False)


def test_a_clone_gets_the_data_of_its_commit_and_no_more(origin: Project, clone: Project) -> None:
    done = fetch_data(clone.repo)
    assert (done.versions, done.missing) == (1, ())
    assert done.content_bytes == sum(map(len, origin.files("data").values()))
    restore(clone.repo, [str(clone.root)])
    assert clone.files("data") == origin.files("data")
    clone.git("checkout", "-q", "-b", "night", "origin/night")
    with pytest.raises(NotFoundError):
        restore(clone.reopen(), [str(clone.path("night"))])


def test_fetching_again_copies_nothing(origin: Project, clone: Project) -> None:
    fetch_data(clone.repo, str(origin.root))
    packs = os.listdir(clone.path(".git/veml/packs"))
    again = fetch_data(clone.reopen(), str(origin.root))
    assert (again.files, again.annotations, again.nodes) == (0, 0, 0)
    assert os.listdir(clone.path(".git/veml/packs")) == packs


def test_what_was_fetched_before_is_not_copied_again(origin: Project, clone: Project) -> None:
    first = fetch_data(clone.repo, str(origin.root), ["origin/old"])
    second = fetch_data(clone.reopen(), str(origin.root), ["main"])
    assert first.files == len(origin.files("data")) - 3
    # Three new images: the COCO file does not list them, so it is the same.
    assert second.files == 3


def test_everything_brings_all_branches(origin: Project, clone: Project) -> None:
    done = fetch_data(clone.repo, str(origin.root), everything=True)
    assert done.versions == 3
    clone.git("checkout", "-q", "-b", "night", "origin/night")
    restore(clone.reopen(), [str(clone.root)])
    assert clone.files("night") == images(2, start=90)
    clone.assert_clean()


def test_a_killed_fetch_goes_on(
    origin: Project, clone: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when nodes were published before contents: the root was here, files were not."""
    monkeypatch.setattr("veml_vcs.repository.sync.BATCH_BYTES", 200)
    read = ContentReader.read
    count = 0

    def killed(self: ContentReader, content_id: object) -> bytes:
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return read(self, content_id)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ContentReader, "read", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch_data(clone.repo, str(origin.root))
    record = clone.repo.record_at("data", "HEAD")
    assert record.tree not in clone.reopen().store
    done = fetch_data(clone.repo, str(origin.root))
    assert 0 < done.files < len(origin.files("data"))
    fetch_data(clone.reopen(), str(origin.root), everything=True)
    restore(clone.reopen(), [str(clone.root)])
    assert clone.files("data") == origin.files("data")
    clone.assert_intact()


def test_a_source_that_lacks_some_is_named_and_the_rest_is_copied(
    origin: Project, clone: Project, make_project: Callable[..., Project]
) -> None:
    fetch_data(clone.repo, str(origin.root), ["main"])
    origin.git("clone", "-q", str(origin.root), str(origin.root.parent / "third"))
    third = make_project("third", create=False)
    done = fetch_data(third.repo, str(clone.root), ["main", "origin/night"])
    assert [one.version.partition(":")[2] for one in done.missing] == ["night"]
    restore(third.reopen(), [str(third.root)])
    assert third.files("data") == origin.files("data")


def test_a_hostile_source_cannot_slip_in_other_bytes(
    origin: Project, make_project: Callable[..., Project]
) -> None:
    """A store whose fragment gives an image's id to other bytes, and is sound in every other way.

    Were rows not checked, the id would count as stored here, and adding the true image later would
    lose it. Seen to fail with the digest check in ``ContentReader.read_row`` taken out.
    """
    liar = make_project("liar")
    liar.write(coco(small_model(6)), "data")
    liar.add("data")
    victim = next(s for s in liar.repo.dataset("data"))
    shutil.rmtree(liar.path(".git/veml/packs"))
    shutil.rmtree(liar.path(".git/veml/cache"))
    store = liar.reopen()
    store.create_store()
    with store.store.write() as writer:
        contents = ContentWriter(store.catalog, writer)
        contents.add(victim.id, b"not that image", "x.png")
        contents.finish()
    with Source(str(liar.root)) as source, pytest.raises(Exception, match="damaged"):
        source.contents.read(victim.id)
    done = fetch_data(origin.reopen(), str(liar.root))
    assert done.missing == ()  # nothing was needed from it
    fresh = make_project("fresh")
    fresh.git("pull", "-q", str(origin.root), "old")
    found = fetch_data(fresh.repo, str(liar.root), ["HEAD"])
    assert len(found.missing) == 1
    assert fresh.reopen().catalog.find(victim.id, "content") is None


def test_the_source_is_not_written_to(origin: Project, clone: Project) -> None:
    """Not even its caches: it may be another user's, or a folder of links prepared by one."""
    shutil.rmtree(origin.path(".git/veml/cache"))
    before = {p: p.stat().st_mtime_ns for p in sorted(origin.path(".git").rglob("*"))}
    fetch_data(clone.repo, str(origin.root), everything=True)
    assert {p: p.stat().st_mtime_ns for p in sorted(origin.path(".git").rglob("*"))} == before


def test_sources_that_are_none(origin: Project, clone: Project, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="this repository"):
        fetch_data(origin.repo, str(origin.root))
    with pytest.raises(NotFoundError, match="not a Git repository"):
        fetch_data(origin.repo, str(tmp_path))
    with pytest.raises(NotFoundError, match="without a veml store"):
        fetch_data(origin.repo, str(clone.root))
    with pytest.raises(NotFoundError, match="no remote on this machine"):
        fetch_data(origin.repo)
    with pytest.raises(NotFoundError, match="clones on this machine"):
        fetch_data(origin.repo, "https://example.org/drives.git")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/srv/drives", "/srv/drives"),
        ("../drives", "../drives"),
        ("file:///srv/the%20drives", "/srv/the drives"),
        ("file://elsewhere/srv", None),
        ("https://example.org/drives", None),
        ("git@example.org:drives", None),
        ("host:drives", None),
        ("./odd:name", "./odd:name"),
    ],
)
def test_which_remotes_are_on_this_machine(url: str, path: str | None) -> None:
    assert local_path(url) == path
