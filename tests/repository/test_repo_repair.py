"""fsck names what is damaged and whom it hits; --repair mends it, and says what it could not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.kit import Project, coco, images, png, small_model, voc
from veml_vcs.errors import NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.local import Pack
from veml_vcs.objects.pack import PackRow
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.repair import RepairResult, repair


def flip(project: Project, object_id: bytes, at: float = 0.5) -> str:
    """Flip a byte of an object in its pack; return the pack's name."""
    for pack, row in places(project, object_id):
        path = project.path(".git/veml/packs") / pack.name
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[row.offset + int(row.stored_bytes * at)] ^= 255
        path.write_bytes(data)
        project.reopen()
        return pack.name
    raise AssertionError("no such object")


def places(project: Project, object_id: bytes) -> list[tuple[Pack, PackRow]]:
    return [
        (pack, row)
        for pack in project.repo.store.packs()
        for row in pack.rows
        if row.object_id == object_id
    ]


def chunk(project: Project, kind: str, array: str) -> ObjectId:
    """Return the first chunk of an array in the first fragment of a kind."""
    for fragment in project.repo.catalog.opened(kind):
        for key, value in sorted(fragment.manifest().items()):
            if key.startswith(f"{array}/c") and isinstance(value, tuple):
                return value[0]
    raise AssertionError("no such chunk")


def start(project: Project) -> None:
    """Commit a VOC data set twice (the second version lacks an image)."""
    project.write(voc(small_model(12)), "d")
    project.save("d")
    project.remove("d/JPEGImages/0003.png")
    project.remove("d/Annotations/0003.xml")
    project.save("d", message="without 3")


def damage_payload(project: Project) -> None:
    flip(project, chunk(project, "content", "payload"))


def damage_offsets(project: Project) -> None:
    flip(project, chunk(project, "content", "offsets"))


def damage_ids(project: Project) -> None:
    flip(project, chunk(project, "content", "id"))


def damage_annotations(project: Project) -> None:
    flip(project, chunk(project, "annotations", "objects"))


def damage_manifest(project: Project) -> None:
    flip(project, project.repo.catalog.fragments("content")[0])


def damage_tree(project: Project) -> None:
    flip(project, project.repo.record_at("d", "HEAD").tree)


def damage_table(project: Project) -> None:
    path = min(project.path(".git/veml/packs").iterdir())
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-100] ^= 255
    path.write_bytes(data)
    project.reopen()


def lose_a_pack(project: Project) -> None:
    max(project.path(".git/veml/packs").iterdir(), key=lambda one: one.stat().st_size).unlink()
    project.reopen()


DAMAGES = [damage_payload, damage_offsets, damage_ids, damage_annotations, damage_manifest,
           damage_tree, damage_table, lose_a_pack]  # fmt: skip


def mend(project: Project, source: Path | None = None) -> RepairResult:
    done = repair(project.repo, None if source is None else str(source))
    project.reopen()
    return done


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_everything_comes_back_from_another_clone(
    project: Project, tmp_path: Path, damage: Callable[[Project], None]
) -> None:
    start(project)
    shutil.copytree(project.root, tmp_path / "other")
    kept = project.files("d")
    shutil.rmtree(project.root / "d")
    damage(project)
    problems = fsck(project.repo).problems
    assert problems
    assert any(one.versions or one.kind == "damaged" for one in problems)
    done = mend(project, tmp_path / "other")
    assert done.before.problems == problems
    assert done.after.problems == ()
    assert fsck(project.repo, full=True).problems == ()
    from veml_vcs.repository.restore import restore

    restore(project.repo, [str(project.root / "d")])
    assert project.files("d") == kept
    project.assert_clean()
    project.checkout("HEAD~1")
    assert "JPEGImages/0003.png" in project.files("d")
    assert len(project.repo.dataset("d", "HEAD").annotations()) == 12


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_the_work_tree_mends_the_version_it_holds(
    project: Project, damage: Callable[[Project], None]
) -> None:
    """Only the image that the folder lacks cannot come back, and it is named."""
    start(project)
    damage(project)
    done = mend(project)
    gone = [one for one in done.after.problems if "HEAD" not in one.where]
    hit = {version for one in gone for version in one.versions}
    first = project.git("rev-parse", "--short=7", "HEAD~1").strip()
    assert all(version.startswith(first) for version in hit), gone
    assert done.quarantined or damage is lose_a_pack
    from veml_vcs.repository.restore import restore

    kept = project.files("d")
    shutil.rmtree(project.root / "d")
    restore(project.repo, [str(project.root / "d")])
    assert project.files("d") == kept


def test_a_flipped_byte_names_the_sample_and_every_version(project: Project) -> None:
    start(project)
    commits = project.git("rev-list", "--abbrev-commit", "--abbrev=7", "HEAD").split()
    import hashlib

    victim = hashlib.sha256(png(5)).digest()
    fragment, row = project.repo.catalog.locate(victim, "content")
    _ = row
    offsets = fragment.array("offsets", "int64")
    at = (offsets[row] + 40) / fragment.info("payload").shape[0]
    payload = next(
        value[0]
        for key, value in fragment.manifest().items()
        if key.startswith("payload/c") and isinstance(value, tuple)
    )
    flip(project, payload, float(at))
    problems = fsck(project.repo).problems
    (sample,) = [one for one in problems if one.what.startswith("sample")]
    assert set(sample.versions) == {f"{commit}:d/JPEGImages/0005.png" for commit in commits}
    assert sample.kind == "damaged"
    shutil.rmtree(project.root / "d")
    done = mend(project)
    assert done.recovered["damaged packs"] > 11
    (left,) = done.after.problems
    assert (left.kind, left.what) == ("missing", f"sample {victim.hex()[:10]}")
    assert set(left.versions) == set(sample.versions)
    assert (project.path(".git/veml/quarantine") / done.quarantined[0]).exists()


def test_annotations_come_back_from_the_stored_files(project: Project) -> None:
    project.write(coco(small_model(6)), "d")
    project.save("d")
    before = project.repo.dataset("d").annotations()
    shutil.rmtree(project.root / "d")
    damage_annotations(project)
    done = mend(project)
    assert done.recovered["annotation files"] == 6
    assert done.after.problems == ()
    assert project.repo.dataset("d").annotations() == before


def test_what_is_sound_is_left_alone(project: Project) -> None:
    start(project)
    before = {one.name: one.read_bytes() for one in project.path(".git/veml/packs").iterdir()}
    done = mend(project)
    assert done.before.problems == ()
    assert done.quarantined == ()
    after = {one.name: one.read_bytes() for one in project.path(".git/veml/packs").iterdir()}
    assert after == before


def test_a_work_tree_file_of_other_bytes_is_not_taken(project: Project) -> None:
    project.write(images(4), "d")
    project.save("d")
    project.path("d/0001.png").write_bytes(png(9))  # as long, and another image
    damage_offsets(project)
    done = mend(project)
    assert done.recovered["work tree"] == 3
    (left,) = done.after.problems
    assert left.kind == "missing"
    assert left.versions[0].endswith(":d/0001.png")


def test_counts_that_are_wrong_are_found(project: Project) -> None:
    start(project)
    text = project.path("d.veml").read_text()
    for wrong in ('"samples": 11', '"files": 11', '"objects": '):
        assert wrong in text
    project.path("d.veml").write_text(text.replace('"samples": 11', '"samples": 12'))
    project.git("commit", "-q", "-am", "wrong")
    (problem,) = fsck(project.repo).problems
    assert (problem.kind, problem.where) == ("counts", "samples 12, its tree has 11")
    assert problem.versions[0].endswith(":d")
    number = text.split('"objects": ')[-1].split(",")[0]
    project.path("d.veml").write_text(text.replace(f'"objects": {number}', '"objects": 99'))
    project.git("commit", "-q", "--amend", "-am", "wrong")
    assert any(one.kind == "counts" for one in fsck(project.repo, full=True).problems)


def test_git_objects_that_are_missing_are_named(project: Project) -> None:
    start(project)
    sha = project.git("rev-parse", "HEAD~1:d.veml").strip()
    path = project.root / ".git/objects" / sha[:2] / sha[2:]
    path.unlink()
    (problem,) = fsck(project.repo).problems
    assert (problem.kind, problem.what) == ("git", f"object {sha}")


def test_a_source_that_is_none_is_refused(project: Project, tmp_path: Path) -> None:
    start(project)
    lose_a_pack(project)
    with pytest.raises(NotFoundError):
        repair(project.repo, str(tmp_path / "nowhere"))


def test_a_pack_whose_trailer_is_damaged_gives_all_it_has(project: Project) -> None:
    """Nothing else has the data: no clone, no folder. Fails without ``salvage`` of the objects."""
    start(project)
    kept = project.files("d")
    shutil.rmtree(project.root / "d")
    for path in project.path(".git/veml/packs").iterdir():
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[-20] ^= 255
        path.write_bytes(data)
    project.reopen()
    assert fsck(project.repo).problems
    done = mend(project)
    assert done.after.problems == ()
    assert len(done.quarantined) == 2
    from veml_vcs.repository.restore import restore

    restore(project.repo, [str(project.root / "d")])
    assert project.files("d") == kept
