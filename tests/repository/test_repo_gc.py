"""Garbage collection: what goes, what stays whatever leads to it, what is told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.kit import Project, coco, images, png, small_model
from veml_vcs.errors import InvalidInputError, LockedError
from veml_vcs.lineage.ask import lineage
from veml_vcs.objects import LocalObjectStore
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.expiry import parse_expiry
from veml_vcs.repository.upkeep.gc import GcResult, gc
from veml_vcs.samples.fragments.vectors import read_vectors, write_vectors

NOW = 1e11  # long after any pack was written
LARGE = 64


def collect(project: Project, **options: object) -> GcResult:
    options = {"prune_before": NOW, "threshold": 0.0, **options}
    return gc(project.repo, **options)  # type: ignore[arg-type]


def forget_history(project: Project) -> None:
    """Drop what Git keeps beside branches: reflogs, ORIG_HEAD."""
    project.git("reflog", "expire", "--expire=now", "--all")
    for name in ("ORIG_HEAD", "FETCH_HEAD"):
        (project.root / ".git" / name).unlink(missing_ok=True)


def two_branches(project: Project) -> None:
    """Commit a data set on main, and one with 20 more images on the branch side."""
    project.write(images(10), "d")
    project.save("d")
    project.git("branch", "side")
    project.checkout("side")
    project.write({f"side{i}.png": png(100 + i, LARGE) for i in range(20)}, "d")
    project.save("d", message="side")
    project.checkout("main")


def has_side(project: Project) -> bool:
    """Tell whether the store has an image of the branch side."""
    import hashlib

    project.reopen()
    content = hashlib.sha256(png(100, LARGE)).digest()
    return project.repo.catalog.find(content, "content") is not None


def drop_side(project: Project) -> None:
    project.git("branch", "-D", "side")
    forget_history(project)


def test_what_a_deleted_branch_alone_had_goes_and_the_rest_stays(project: Project) -> None:
    two_branches(project)
    before = sum(file.stat().st_size for file in project.path(".git/veml/packs").iterdir())
    drop_side(project)
    told = collect(project, dry_run=True)
    assert told.dry_run
    assert has_side(project)
    done = collect(project)
    assert [(one.samples, one.content_bytes) for one in done.versions] == [
        (20, sum(len(png(100 + i, LARGE)) for i in range(20)))
    ]
    assert done.versions[0].name.endswith(":d")
    assert done.versions == told.versions
    assert done.freed_bytes == told.freed_bytes
    after = sum(file.stat().st_size for file in project.path(".git/veml/packs").iterdir())
    assert before - after == done.freed_bytes
    assert not has_side(project)
    project.assert_clean()
    assert project.files("d") == images(10)
    assert collect(project).freed_bytes == 0


def test_the_graph_of_the_lineage_keeps_nothing(project: Project) -> None:
    """It is asked before the branch goes. Seen to fail: gc took every id in its file for a lead."""
    two_branches(project)
    with lineage(project.repo) as found:
        assert found.store.counts()["data"] == 2
    drop_side(project)
    collect(project)
    assert not has_side(project)
    with lineage(project.repo) as found:
        assert found.store.counts()["data"] == 1


def test_dead_rows_of_a_fragment_that_lives_go_too(project: Project) -> None:
    """One ``add`` of 30 images makes one fragment; of ten of them nothing is left in history."""
    project.write({**images(20), **{f"bad{i}.png": png(100 + i, LARGE) for i in range(20)}}, "d")
    project.add("d")
    project.replace(images(20), "d")
    project.save("d")
    assert has_side(project)
    done = collect(project)
    assert done.packs_rewritten >= 1
    assert [one.samples for one in done.versions] == [20]
    assert done.versions[0].name.startswith("staged:")
    assert not has_side(project)
    project.assert_clean()
    packs = b"".join(f.read_bytes() for f in project.path(".git/veml/packs").iterdir())
    assert png(100, LARGE)[60:] not in packs  # erased, not only forgotten
    project.remove("d")
    project.git("checkout", "-q", "--", "d.veml")
    from veml_vcs.repository.restore import restore

    restore(project.repo, [str(project.root / "d")])
    assert project.files("d") == images(20)


def test_a_pack_with_little_garbage_is_left_alone(project: Project) -> None:
    project.write({**images(40), "bad.png": png(100)}, "d")
    project.add("d")
    project.replace(images(40), "d")
    project.save("d")
    collect(project)  # the first tree
    project.write({"bad.png": png(100)}, "d")
    done = collect(project, threshold=0.5)
    assert (done.packs_removed, done.packs_rewritten, done.freed_bytes) == (0, 0, 0)
    with pytest.raises(InvalidInputError, match="share"):
        collect(project, threshold=1.5)


# -- what leads to a version ---------------------------------------------------------------------


def _tag(project: Project) -> None:
    project.git("tag", "-a", "-m", "kept", "v1", "side")
    drop_side(project)


def _packed_remote_branch(project: Project) -> None:
    project.git("update-ref", "refs/remotes/origin/side", "side")
    project.git("pack-refs", "--all")
    drop_side(project)


def _stash(project: Project) -> None:
    project.checkout("side")
    project.write({"note.txt": b"one"})
    project.git("add", "note.txt")
    project.git("stash")
    project.checkout("main")
    project.git("branch", "-D", "side")
    # The stash is a ref, and its reflog: nothing else leads to the branch any more.
    project.git("reflog", "expire", "--expire=now", "HEAD")
    (project.root / ".git/logs/HEAD").unlink()
    (project.root / ".git/ORIG_HEAD").unlink(missing_ok=True)


def _reflog(project: Project) -> None:
    project.git("branch", "-D", "side")
    (project.root / ".git/ORIG_HEAD").unlink(missing_ok=True)


def _deleted_old_side_of_a_reflog(project: Project) -> None:
    side = project.git("rev-parse", "side").strip()
    drop_side(project)
    main = project.git("rev-parse", "main").strip()
    log = project.root / ".git/logs/HEAD"
    log.write_text(f"{side} {main} Ada <ada@example.org> 1 +0000\tcheckout\n")


def _index(project: Project) -> None:
    project.git("read-tree", "side")
    drop_side(project)


def _index_of_another_work_tree(project: Project) -> None:
    project.git("worktree", "add", "-q", "--no-checkout", "--detach", "../other", "main")
    project.git("-C", "../other", "read-tree", "side")
    drop_side(project)


def _head_of_another_work_tree(project: Project) -> None:
    project.git("worktree", "add", "-q", "--no-checkout", "--detach", "../other", "side")
    project.git("branch", "-D", "side")
    forget_history(project)
    for log in (project.root / ".git/worktrees").rglob("logs/HEAD"):
        log.unlink()


def _conflict_stage(project: Project) -> None:
    blob = project.git("rev-parse", "side:d.veml").strip()
    main = project.git("rev-parse", "main:d.veml").strip()
    lines = "".join(f"100644 {sha} {n}\td.veml\n" for n, sha in ((1, main), (2, main), (3, blob)))
    project.git("rm", "-q", "--cached", "d.veml")
    import subprocess

    subprocess.run(
        ["git", "update-index", "--index-info"], cwd=project.root, input=lines.encode(), check=True
    )
    drop_side(project)


def _record_in_the_work_tree(project: Project) -> None:
    record = project.git("show", "side:d.veml")
    (project.root / "d.veml").write_text(record)
    drop_side(project)
    project.git("prune", "--expire=now")


def _conflict_marks_in_the_work_tree(project: Project) -> None:
    ours, theirs = project.git("show", "main:d.veml"), project.git("show", "side:d.veml")
    text = f"<<<<<<< ours\n{ours}=======\n{theirs}>>>>>>> theirs\n"
    (project.root / "d.veml").write_text(text)
    drop_side(project)
    project.git("prune", "--expire=now")


def _merge_head(project: Project) -> None:
    side = project.git("rev-parse", "side").strip()
    drop_side(project)
    (project.root / ".git/MERGE_HEAD").write_text(side + "\n")


def _cherry_pick_head(project: Project) -> None:
    side = project.git("rev-parse", "side").strip()
    drop_side(project)
    (project.root / ".git/CHERRY_PICK_HEAD").write_text(side + "\n")


def _autostash_of_a_rebase(project: Project) -> None:
    side = project.git("rev-parse", "side").strip()
    drop_side(project)
    folder = project.root / ".git/rebase-merge"
    folder.mkdir()
    (folder / "autostash").write_text(side + "\n")


def _merge_state(project: Project) -> None:
    side = project.git("rev-parse", "side").strip()
    drop_side(project)
    (project.root / ".git/veml/merge.json").write_text(f'{{"theirs": "{side}"}}')


def _note(project: Project) -> None:
    from veml_vcs.ids import VersionId
    from veml_vcs.repository.git.notes import write_note

    version = VersionId(project.git("rev-parse", "side:d.veml").strip())
    write_note(project.repo, "summary/some", version, b'{"veml": 1}\n')
    drop_side(project)


def _drift_note_speaks_of_it(project: Project) -> None:
    from veml_vcs.ids import VersionId
    from veml_vcs.repository.git.notes import write_note

    side = project.git("rev-parse", "side:d.veml").strip()
    main = VersionId(project.git("rev-parse", "main:d.veml").strip())
    write_note(project.repo, "drift", main, f'{{"train": "{side}"}}\n'.encode())
    drop_side(project)


def _record_of_another_kind(project: Project) -> None:
    """A training record, as a later veml may write it, that names the tree."""
    record = project.git("show", "side:d.veml")
    tree = next(line for line in record.splitlines() if '"tree"' in line).split('"')[3]
    project.write(
        {"t.veml": f'{{\n "kind": "training",\n "on": "{tree}",\n "veml": 1\n}}'.encode()}
    )
    project.git("add", "t.veml")
    project.git("commit", "-q", "-m", "training")
    drop_side(project)
    project.git("prune", "--expire=now")


def _rebuild_that_waits(project: Project) -> None:
    keep_in_state(project, "rebuilds/night/state.json")


def _unfinished_training(project: Project) -> None:
    keep_in_state(project, "runs/night/plan.json")


def keep_in_state(project: Project, name: str) -> None:
    """Name the version as ``training.plan.Part`` does: by the text of its record."""
    state = project.root / ".git/veml" / name
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"new": {"record": project.git("show", "side:d.veml")}}))
    drop_side(project)
    project.git("prune", "--expire=now")


def _replacement(project: Project) -> None:
    """What git shows in the place of another commit; veml shows that other one."""
    project.git("replace", "main", "side")
    drop_side(project)
    project.git("prune", "--expire=now")


def _behind_a_replaced_commit(project: Project) -> None:
    """Git shows a history without it; it is there again after ``git replace -d``."""
    project.git("merge", "-q", "-s", "ours", "--no-edit", "side")
    project.git("replace", "--graft", "main", "main^1")
    drop_side(project)
    project.git("prune", "--expire=now")


def _behind_a_graft(project: Project) -> None:
    """The same by an older means, which veml follows where it shows history."""
    project.git("merge", "-q", "-s", "ours", "--no-edit", "side")
    one, parent = project.git("rev-parse", "main", "main^1").split()
    (project.root / ".git/info").mkdir(exist_ok=True)
    (project.root / ".git/info/grafts").write_text(f"{one} {parent}\n")
    drop_side(project)


LEADS = [
    _tag, _packed_remote_branch, _stash, _reflog, _deleted_old_side_of_a_reflog, _index,
    _index_of_another_work_tree, _head_of_another_work_tree, _conflict_stage,
    _record_in_the_work_tree, _conflict_marks_in_the_work_tree, _merge_head, _cherry_pick_head,
    _autostash_of_a_rebase, _merge_state, _note, _drift_note_speaks_of_it, _record_of_another_kind,
    _rebuild_that_waits, _unfinished_training, _replacement, _behind_a_replaced_commit,
    _behind_a_graft,
]  # fmt: skip


@pytest.mark.parametrize("lead", LEADS, ids=lambda one: one.__name__.strip("_"))
def test_whatever_leads_to_a_version_keeps_it(
    project: Project, lead: Callable[[Project], None]
) -> None:
    """Seen to fail for each lead when its few lines in ``upkeep/roots.py`` were taken out."""
    two_branches(project)
    lead(project)
    collect(project)
    assert has_side(project)


def test_without_any_lead_it_goes(project: Project) -> None:
    two_branches(project)
    drop_side(project)
    collect(project)
    assert not has_side(project)


def test_the_grace_period_keeps_what_is_young_and_what_that_leads_to(project: Project) -> None:
    two_branches(project)
    drop_side(project)
    done = collect(project, prune_before=None)
    assert (done.packs_young, done.freed_bytes) == (2, 0)
    assert has_side(project)
    packs = sorted(project.path(".git/veml/packs").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    os.utime(packs[0], (1, 1))
    os.utime(packs[1], (1, 1))
    # A batch that is published and not referenced yet, and that relies on old rows.
    project.write({f"side{i}.png": png(100 + i, LARGE) for i in range(20)}, "d")
    project.write({"one more.png": png(500)}, "d")
    project.add("d")
    project.git("reset", "-q", "--hard")  # nothing leads to what was added
    for pack in packs:
        os.utime(pack, (1, 1))  # the batch had renewed them, too
    collect(project, prune_before=None)
    assert has_side(project)
    project.git("reflog", "expire", "--expire=now", "--all")
    for pack in project.path(".git/veml/packs").iterdir():
        os.utime(pack, (1, 1))
    collect(project, prune_before=None)
    assert has_side(project)  # the folder still holds it, whatever git did to its record
    project.path(".git/veml/held.json").unlink()
    collect(project, prune_before=None)
    assert not has_side(project)
    project.remove("d")
    project.git("checkout", "-q", "--", "d.veml")


def test_embeddings_of_samples_that_live_stay(project: Project) -> None:
    import hashlib

    import numpy as np

    from veml_vcs.ids import SampleId

    two_branches(project)
    kept = [SampleId(hashlib.sha256(png(i)).digest()) for i in range(3)]
    gone = [SampleId(hashlib.sha256(png(100 + i, LARGE)).digest()) for i in range(3)]
    values = np.arange(24, dtype=np.float32).reshape(6, 4)
    write_vectors(project.repo.store, "e", kept + gone, values)
    drop_side(project)
    collect(project)
    found, known = read_vectors(project.reopen().catalog, "e", kept + gone, 4)
    assert known.tolist() == [True] * 3 + [False] * 3
    assert (found[:3] == values[:3]).all()


# -- what cannot be read keeps what may hang below it --------------------------------------------


def _git_object(project: Project, name: str) -> Path:
    sha = project.git("rev-parse", name).strip()
    path = project.root / ".git/objects" / sha[:2] / sha[2:]
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("how", ["removed", "garbled"])
@pytest.mark.parametrize("name", ["main~1", "main~1^{tree}"])
def test_a_damaged_commit_or_tree_keeps_every_record_git_has(
    project: Project, name: str, how: str
) -> None:
    """The middle commit is damaged: what it was, or came from, cannot be known any more."""
    two_branches(project)
    project.merge("side", no_ff=True)
    project.replace(images(2), "d")
    project.save("d", message="without all that")
    forget_history(project)
    path = _git_object(project, name)
    if how == "removed":
        path.unlink()
    else:
        path.write_bytes(b"garbage")
    project.git("update-ref", "-d", "refs/heads/side")
    done = collect(project)
    assert has_side(project)
    assert not done.blocked
    assert any("missing or damaged" in one.why for one in done.kept)


def test_a_missing_tree_node_blocks_everything_unless_told_otherwise(project: Project) -> None:
    two_branches(project)
    side = project.git("rev-parse", "side:d.veml").strip()
    record = project.git("cat-file", "blob", side)
    tree = next(line for line in record.splitlines() if '"tree"' in line).split('"')[3]
    drop_side(project)
    # A version whose data was never fetched.
    project.write({"e.veml": record.replace(tree, "ab" * 32).encode()})
    project.git("add", "e.veml")
    project.git("commit", "-q", "-m", "not here")
    done = collect(project)
    assert done.blocked
    assert done.freed_bytes == 0
    assert [(one.what.split(":")[1], one.blocks) for one in done.kept] == [("e", True)]
    assert has_side(project)
    done = collect(project, ignore_missing=True)
    assert not done.blocked
    assert not has_side(project)


def test_damage_blocks_whatever_is_told(project: Project) -> None:
    two_branches(project)
    drop_side(project)
    tree = project.repo.record_at("d", None).tree
    for pack in project.repo.store.packs():
        for row in pack.rows:
            if row.object_id == tree:
                path = project.root / ".git/veml/packs" / pack.name
                path.chmod(0o644)
                data = bytearray(path.read_bytes())
                data[row.offset + row.stored_bytes // 2] ^= 255
                path.write_bytes(data)
    project.reopen()
    done = collect(project, ignore_missing=True)
    assert done.blocked
    assert has_side(project)


def test_a_record_of_a_newer_veml_blocks_everything(project: Project) -> None:
    two_branches(project)
    record = project.git("show", "main:d.veml").replace('"veml": 1', '"veml": 2')
    drop_side(project)
    project.write({"new.veml": record.encode()})
    project.git("add", "new.veml")
    done = collect(project)
    assert done.blocked
    assert "newer veml" in done.kept[0].why
    assert has_side(project)


def test_a_pack_that_cannot_be_read_blocks_everything(project: Project) -> None:
    two_branches(project)
    drop_side(project)
    path = project.root / ".git/veml/packs" / ("0" * 64 + ".pack")
    path.write_bytes(b"no pack")
    done = collect(project)
    assert done.blocked
    assert path.exists()
    assert has_side(project)


# -- side by side --------------------------------------------------------------------------------


def test_an_open_batch_keeps_removal_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when ``alone`` does not close the gate."""
    import veml_vcs.objects.gate as gate

    monkeypatch.setattr(gate._wait, "__defaults__", None)
    two_branches(project)
    drop_side(project)
    other = Repository(str(project.root))
    alone = LocalObjectStore.alone
    monkeypatch.setattr(LocalObjectStore, "alone", lambda self: alone(self, 0.05))
    with other.store.write() as writer:
        writer.put(b"something")
        with pytest.raises(LockedError, match="storing data"):
            collect(project)
    other.close()
    assert has_side(project)
    collect(project)
    assert not has_side(project)


def test_what_was_relied_on_meanwhile_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After gc has thought, before it removes, somebody adds what it is about to remove."""
    two_branches(project)
    drop_side(project)
    alone = LocalObjectStore.alone
    other = Project(project.root, create=False)

    def add_first(self: LocalObjectStore) -> object:
        if not other.path("d/side0.png").exists():
            other.write({f"side{i}.png": png(100 + i, LARGE) for i in range(20)}, "d")
            # The lock is held by gc in truth; without it this is the worst that can happen.
            monkeypatch.setattr(
                Repository, "lock", lambda *_: __import__("contextlib").nullcontext()
            )
            other.add("d")
        return alone(self)

    monkeypatch.setattr(LocalObjectStore, "alone", add_first)
    collect(project)
    other.close()
    assert has_side(project)
    project.commit("took it back")
    project.assert_clean()


def test_a_reader_goes_on_while_packs_go(project: Project) -> None:
    project.write({**images(20), **{f"bad{i}.png": png(100 + i, LARGE) for i in range(20)}}, "d")
    project.add("d")
    project.replace(images(20), "d")
    project.save("d")
    reader = Repository(str(project.root))
    data = reader.dataset("d", "HEAD")
    first = [data[0].data]
    late = Repository(str(project.root))
    late_keys = late.dataset("d", "HEAD")
    _ = late_keys.keys, late.catalog
    assert collect(project).packs_rewritten
    first += [data[i].data for i in range(1, len(data))]
    assert first == [images(20)[key] for key in data.keys]
    assert [late_keys[i].data for i in range(len(late_keys))] == first
    late.store.refresh()
    late.catalog.refresh()
    assert [late_keys[i].data for i in range(len(late_keys))] == first
    reader.close()
    late.close()


def test_a_stale_stat_cache_does_not_stand_for_bytes_that_were_collected(project: Project) -> None:
    """Added, taken back, collected, added again: fails without ``_forget_collected``."""
    project.write({"a.txt": b"x"})
    project.git("add", "a.txt")
    project.git("commit", "-q", "-m", "one")
    project.write(images(5), "d")
    project.age("d")
    time.sleep(0.05)  # so that the stat cache may prove something
    project.add("d")
    project.git("rm", "-q", "--cached", "d.veml")
    (project.root / "d.veml").unlink()
    collect(project)
    project.save("d")
    project.assert_clean()


def test_a_catalog_opened_before_a_collection_does_not_stand_for_rows(project: Project) -> None:
    """A process that lives long adds again what was collected meanwhile."""
    two_branches(project)
    old = Repository(str(project.root))
    _ = old.catalog.find(bytes(32), "content")
    drop_side(project)
    collect(project)
    project.write({f"side{i}.png": png(100 + i, LARGE) for i in range(20)}, "d")
    from veml_vcs.repository.add import add

    add(old, [str(project.root / "d")])
    old.close()
    project.reopen()
    project.commit("again")
    project.assert_clean()


def test_a_running_git_command_is_waited_for_when_there_is_no_grace(project: Project) -> None:
    two_branches(project)
    drop_side(project)
    lock = project.root / ".git/index.lock"
    lock.write_bytes(b"")
    with pytest.raises(LockedError, match="git command"):
        collect(project)
    assert collect(project, prune_before=None).freed_bytes == 0
    lock.unlink()
    assert has_side(project)


def test_writers_renew_the_packs_they_rely_on(project: Project) -> None:
    with project.repo.store.write() as writer:
        one = writer.put(b"known")
    (pack,) = project.path(".git/veml/packs").iterdir()
    os.utime(pack, (1, 1))
    with project.repo.store.write() as writer:
        assert writer.put(b"known") == one
    assert pack.stat().st_mtime > 1e9


def test_an_empty_clone_has_nothing_to_collect(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.git("commit", "-q", "--allow-empty", "-m", "x")
    assert collect(project).freed_bytes == 0


def test_annotations_and_derived_nodes_survive(project: Project) -> None:
    project.write(coco(small_model(60)), "d")
    project.save("d")
    kept = project.files("d")
    for i in range(6):
        project.write({f"images/x{i}.png": png(300 + i)}, "d")
        project.save("d", message=f"edit {i}")
    collect(project)
    project.assert_clean()
    head = project.git("rev-parse", "HEAD").strip()
    project.checkout(head + "~6")
    project.git("branch", "-f", "main", "HEAD")
    project.checkout("main")
    forget_history(project)
    done = collect(project)
    assert [one.samples for one in done.versions] == [6]  # the newest of the six has all
    project.reopen()
    project.assert_clean()
    assert project.files("d") == kept
    assert len(project.repo.dataset("d", "HEAD").annotations()) == 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.weeks.ago", 1e6 - 1209600),
        ("3 days ago", 1e6 - 259200),
        ("never", 0),
        ("1.hour", 996400),
    ],
)
def test_moments(text: str, expected: float) -> None:
    assert parse_expiry(text, now=1e6) == expected


def test_moments_that_are_none() -> None:
    assert parse_expiry("now", now=5.0) > 5.0
    assert parse_expiry("1970-01-02T00:00:00+00:00") == 86400
    with pytest.raises(InvalidInputError, match="no moment"):
        parse_expiry("yesterdayish")
