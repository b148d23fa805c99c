"""Compaction: fewer packs, rows in key order, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.repository.kit import Project, coco, images, png, small_model
from veml_vcs.errors import DamagedError
from veml_vcs.objects import LocalObjectStore
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.compact import CompactResult, compact
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.gc import gc
from veml_vcs.samples.fragments.vectors import read_vectors, write_vectors


def many_edits(project: Project, count: int = 6) -> list[str]:
    """Commit a COCO data set and small edits of it; return the commits, oldest first."""
    model = small_model(20)
    project.write(coco(model), "d")
    commits = [project.save("d").id]
    for i in range(count):
        (project.root / f"d/images/{i + 1:04d}.png").write_bytes(png(200 + i))
        (project.root / f"d/images/a{i}.png").write_bytes(png(300 + i))
        text = json.loads((project.root / "d/annotations.json").read_text())
        text["annotations"][i]["bbox"][0] += 1
        (project.root / "d/annotations.json").write_text(json.dumps(text))
        commits.append(project.save("d", message=f"edit {i}").id)
    return [str(one) for one in commits]


def run(project: Project, **options: object) -> CompactResult:
    return compact(project.repo, **options)  # type: ignore[arg-type]


def state(project: Project, commits: list[str]) -> dict[str, object]:
    """Return everything that every version contains."""
    repo = project.reopen()
    found: dict[str, object] = {}
    for commit in commits:
        data = repo.dataset("d", commit)
        found[commit] = (
            data.tree,
            {sample.key: sample.data for sample in data},
            data.annotations(),
        )
    return found


@pytest.mark.parametrize("everything", [False, True])
def test_every_version_is_what_it_was(project: Project, everything: bool) -> None:
    commits = many_edits(project)
    before = state(project, commits)
    assert len(list(project.path(".git/veml/packs").iterdir())) == 7
    done = run(project, everything=everything)
    assert (done.packs_before, done.packs_after, done.packs_rewritten) == (7, 1, 7)
    assert done.fragments_after < done.fragments_before
    assert len(list(project.path(".git/veml/packs").iterdir())) == 1
    project.assert_clean()
    assert state(project, commits) == before
    project.assert_clean()
    assert run(project).packs_rewritten == 0
    for commit in commits:
        project.checkout(commit)
        project.assert_clean()


def test_a_second_complete_compaction_loses_nothing(project: Project) -> None:
    """The new pack may have the very name of the old one: it must not be taken for the old one."""
    commits = many_edits(project, 2)
    before = state(project, commits)
    for _ in range(3):
        run(project, everything=True)
        assert state(project, commits) == before
    assert len(list(project.path(".git/veml/packs").iterdir())) == 1


def test_rows_lie_in_key_order_of_the_version(project: Project) -> None:
    commits = many_edits(project)
    run(project, revision=commits[-1])
    repo = project.reopen()
    data = repo.dataset("d", commits[-1])
    ids = [data.entries[key].content for key in data.keys]
    places = repo.catalog.find_many([one for one in ids if one], "content")
    assert len(set(places[:, 0].tolist())) == 1
    assert (np.diff(places[:, 1]) == 1).all()
    run(project, revision=commits[0], everything=True)
    repo = project.reopen()
    data = repo.dataset("d", commits[0])
    ids = [data.entries[key].content for key in data.keys]
    places = repo.catalog.find_many([one for one in ids if one], "content")
    assert (np.diff(places[:, 1]) == 1).all()


def test_deleted_rows_do_not_come_back_and_are_not_dropped_either(project: Project) -> None:
    """A sample that the version lacks stays out of it (lance #6653), and in the one that has it."""
    project.write(images(10), "d")
    first = project.save("d").id
    project.remove("d/0003.png")
    second = project.save("d").id
    run(project, everything=True)
    repo = project.reopen()
    assert "0003.png" in repo.dataset("d", first)
    assert "0003.png" not in repo.dataset("d", second)
    assert repo.dataset("d", first)["0003.png"].data == png(3)
    project.checkout("main")
    assert not project.path("d/0003.png").exists()
    project.assert_clean()


def test_vectors_are_joined(project: Project) -> None:
    project.write(images(6), "d")
    project.save("d")
    data = project.repo.dataset("d")
    ids = [data.entries[key].content for key in data.keys]
    values = np.arange(24, dtype=np.float32).reshape(6, 4)
    for i in range(6):
        write_vectors(project.repo.store, "e", [ids[i]], values[i : i + 1])  # type: ignore[list-item]
    run(project)
    repo = project.reopen()
    assert len(repo.catalog.fragments("vectors")) == 1
    found, known = read_vectors(repo.catalog, "e", ids, 4)  # type: ignore[arg-type]
    assert known.all()
    assert (found == values).all()
    project.assert_clean()


def test_a_dry_run_changes_nothing(project: Project) -> None:
    many_edits(project, 3)
    before = sorted(project.path(".git/veml/packs").iterdir())
    done = run(project, dry_run=True)
    assert (done.packs_rewritten, done.packs_after) == (4, 4)
    assert sorted(project.path(".git/veml/packs").iterdir()) == before


def test_compaction_renews_no_grace_period(project: Project) -> None:
    import os

    many_edits(project, 3)
    for i, pack in enumerate(project.path(".git/veml/packs").iterdir()):
        os.utime(pack, (1000 + i, 1000 + i))
    run(project)
    (pack,) = project.path(".git/veml/packs").iterdir()
    assert pack.stat().st_mtime == 1003


def test_what_is_stored_meanwhile_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between writing and removing, another process stores a version that relies on old packs."""
    commits = many_edits(project, 3)
    other = Project(project.root, create=False)
    alone = LocalObjectStore.alone
    made: list[str] = []

    def store_first(self: LocalObjectStore) -> object:
        if not made:
            made.append("started")
            from contextlib import nullcontext

            monkeypatch.setattr(Repository, "lock", lambda *_: nullcontext())
            other.write({"images/new.png": png(900)}, "d")
            made.append(str(other.save("d", message="meanwhile").id))
        return alone(self)

    monkeypatch.setattr(LocalObjectStore, "alone", store_first)
    run(project)
    other.close()
    state(project, [*commits, made[1]])
    project.assert_clean()


def test_a_chunk_that_is_relied_on_meanwhile_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids of a fragment with one image are the ids of that image's embedding, too."""
    project.write({"0001.png": png(1)}, "d")
    project.save("d")
    project.write({"0002.png": png(2)}, "d")
    project.save("d")
    other = Repository(str(project.root))
    ids = [one.entry.content for one in other.dataset("d")][:1]
    alone = LocalObjectStore.alone

    def embed_first(self: LocalObjectStore) -> object:
        write_vectors(other.store, "e", ids, np.ones((1, 4), np.float32))  # type: ignore[arg-type]
        return alone(self)

    monkeypatch.setattr(LocalObjectStore, "alone", embed_first)
    run(project)
    other.close()
    repo = project.reopen()
    found, known = read_vectors(repo.catalog, "e", ids, 4)  # type: ignore[arg-type]
    assert known.all()
    assert (found == 1).all()
    project.assert_intact()


def test_a_reader_that_knows_the_old_places_goes_on(project: Project) -> None:
    commits = many_edits(project)
    reader = Repository(str(project.root))
    data = reader.dataset("d", commits[-1])
    _ = data.keys, reader.catalog
    run(project, everything=True)
    reader.store.refresh()  # which lets go of the old packs, still mapped until then
    assert {one.key: one.data for one in data} == {
        key: value for key, value in project.files("d").items() if key.endswith(".png")
    }
    assert len(data.annotations()) == 20
    reader.close()


def test_duplicates_of_a_compaction_that_was_killed_go(project: Project) -> None:
    commits = many_edits(project, 3)
    before = state(project, commits)
    folder = project.path(".git/veml/packs")
    old = {file.name: file.read_bytes() for file in folder.iterdir()}
    run(project)
    for name, data in old.items():
        (folder / name).write_bytes(data)  # as if it had been killed before it removed anything
    project.reopen()
    assert fsck(project.repo).problems == ()
    run(project)
    assert len(list(folder.iterdir())) == 1
    assert state(project, commits) == before


def test_damage_comes_first(project: Project) -> None:
    many_edits(project, 2)
    (fragment, *_) = project.repo.catalog.fragments("content")
    for pack in project.repo.store.packs():
        for row in pack.rows:
            if row.object_id == fragment:
                path: Path = project.path(".git/veml/packs") / pack.name
                path.chmod(0o644)
                data = bytearray(path.read_bytes())
                data[row.offset] ^= 255
                path.write_bytes(data)
    before = sorted(project.path(".git/veml/packs").iterdir())
    with pytest.raises(DamagedError):
        compact(project.reopen())
    assert sorted(project.path(".git/veml/packs").iterdir()) == before


def test_a_damaged_row_keeps_its_fragment_where_it_is(project: Project) -> None:
    """All but the damaged chunk is moved, and the damaged pack is not removed."""
    commits = many_edits(project, 2)
    damaged = project.repo.catalog.fragments("content")[0]
    number = project.repo.catalog.fragments().index(damaged)
    chunk = next(
        value[0]
        for key, value in project.repo.catalog.fragment(number).manifest().items()
        if key.startswith("payload/c") and isinstance(value, tuple)
    )
    for pack in project.repo.store.packs():
        for row in pack.rows:
            if row.object_id == chunk:
                path = project.path(".git/veml/packs") / pack.name
                path.chmod(0o644)
                data = bytearray(path.read_bytes())
                data[row.offset + row.stored_bytes // 2] ^= 255
                path.write_bytes(data)
                name = pack.name
    done = compact(project.reopen())
    assert list(done.left) == [f"pack {name[:10]}"]
    assert (project.path(".git/veml/packs") / name).exists()
    assert commits


def test_after_compaction_a_collection_still_finds_its_garbage(project: Project) -> None:
    project.write(images(10), "d")
    project.save("d")
    project.write({"bad.png": png(777, 64)}, "d")
    project.add("d")
    project.remove("d/bad.png")
    project.add("d")
    run(project)
    done = gc(project.repo, prune_before=1e11, threshold=0.0)
    assert done.packs_rewritten == 1
    assert [one.samples for one in done.versions] == [1]
    project.assert_clean()


def series(rows: int) -> bytes:
    return b"".join(b"%d,%d\n" % (i, i * i % 9973) for i in range(rows))


def test_large_texts_that_share_chunks(project: Project) -> None:
    """A series that grew shares its first chunks with what it was: neither command tears them."""
    project.write({"a.csv": series(250_000), "b.csv": series(300_000)[::-1]}, "d")
    first = project.save("d").id
    project.write({"a.csv": series(300_000)}, "d")
    second = project.save("d", message="grown").id
    run(project)
    assert run(project).fragments_rewritten == 0
    project.git("reset", "-q", "--hard", first)
    project.git("reflog", "expire", "--expire=now", "--all")
    (project.root / ".git/ORIG_HEAD").unlink(missing_ok=True)
    project.path(".git/veml/held.json").unlink()  # else the folder keeps what it still holds
    done = gc(project.repo, prune_before=1e11, threshold=0.0)
    assert done.freed_bytes > 0
    assert str(second)[:7] in done.versions[0].name
    repo = project.reopen()
    data = repo.record_at("d", first)
    from veml_vcs.samples.tree import Tree

    for key, entry in Tree(repo.store, data.tree).items():
        assert entry.content is not None
        assert len(repo.contents.read(entry.content)) == entry.size, key
    assert fsck(repo, full=True).problems == ()
