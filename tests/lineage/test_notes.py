"""What notes say follows the notes: as much is read and written as changed, whatever wrote them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from dulwich.objects import Tree

from tests.crash.test_damage_everywhere import flip
from tests.lineage.kit import History, data_record, everything, follow
from tests.repository.conftest import isolated
from veml_vcs.ids import VersionId
from veml_vcs.lineage.check import fault_of
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git import notes
from veml_vcs.repository.git.notes import notes_stamp, read_note, read_notes
from veml_vcs.repository.git.notes_changed import changed_notes
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]

IDS = [
    *(VersionId(f"{number:x}{'5a' * 19}e") for number in range(16)),
    *(VersionId(f"00{number:038x}") for number in range(44)),
]


@pytest.fixture
def history(tmp_path: Path, isolated: Path) -> History:
    found = History(tmp_path / "project")
    found.commit({"first.veml": data_record(1)})
    return found


def put(
    history: History, ref: str, said: Mapping[VersionId, str], *, folders: bool = False
) -> None:
    """Set all notes of a ref, in one tree or in one folder for each two digits."""
    trees: dict[str, list[str]] = {}
    for one, text in said.items():
        blob = history.git("hash-object", "-w", "--stdin", given=text)
        folder, name = (one[:2], one[2:]) if folders else ("", one)
        trees.setdefault(folder, []).append(f"100644 blob {blob}\t{name}\n")
    rows = trees.pop("", [])
    for folder, some in trees.items():
        rows.append(f"040000 tree {history.git('mktree', given=''.join(some))}\t{folder}\n")
    tree = history.git("mktree", "--missing", given="".join(rows))
    history.git("update-ref", ref, history.git("commit-tree", "-m", "notes", tree))


def line(number: int, kind: str = "drift") -> str:
    of = blob_id(data_record(1))
    return json.dumps({"train" if kind == "drift" else "other": of, "effect": number / 8}) + "\n"


def test_one_more_note_is_one_more_note(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with all notes read (60 and one), and with all edges set again."""
    said = {one: line(number) for number, one in enumerate(IDS)}
    last = IDS[-1]
    put(history, "refs/notes/veml/drift", {one: said[one] for one in IDS[:-1]}, folders=True)
    repo, base = history.synced()
    read = []
    whole = notes._read
    monkeypatch.setattr(notes, "_read", lambda *given: read.append(given[2]) or whole(*given))
    put(history, "refs/notes/veml/drift", said, folders=True)
    with Repository(str(history.root)) as again:
        before = base.connection.total_changes
        sync(again, base)
        assert base.connection.total_changes - before < 20
        assert read == [last]
        followed = everything(base)
        sync(again, base, full=True)
        assert everything(base) == followed
    assert (last, "drifted_from", blob_id(data_record(1)), '{"effect":7.375}') in followed
    base.close()
    repo.close()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_notes(history: History, seed: int) -> None:
    """Ours and those of remotes, set, dropped, cut into folders, taken back; branches that go.

    Seen to fail with refs that are gone left out, with folders that came or went not looked into,
    and with the notes on the versions that changed not taken out first.
    """
    some = random.Random(seed)
    refs = [f"refs/notes/veml/{kind}" for kind in ("drift", "similar")]
    refs += [
        f"refs/veml/remotes/{remote}/{kind}" for remote in "ab" for kind in ("drift", "similar")
    ]
    told: dict[str, dict[VersionId, str]] = {ref: {} for ref in refs}
    repo, base = history.synced()
    base.close()
    repo.close()
    for number in range(12):
        if some.random() < 0.3:
            history.commit({f"d{number % 3}.veml": data_record(some.randint(1, 4))})
        for ref in some.sample(refs, 2):
            notes_of = told[ref]
            if some.random() < 0.15 and notes_of:
                told[ref] = {}
                history.git("update-ref", "-d", ref)
                continue
            there = [*IDS, *(blob_id(data_record(number)) for number in range(1, 5))]
            for one in some.sample(there, 6):
                if some.random() < 0.3:
                    notes_of.pop(one, None)
                else:
                    notes_of[one] = line(some.randint(0, 3), ref.rpartition("/")[2])
            put(history, ref, notes_of, folders=some.random() < 0.5)
        follow(history)


def test_notes_of_before_that_are_gone(history: History) -> None:
    """As after a gc: nobody can tell what changed, and all are read."""
    ref = "refs/notes/veml/drift"
    put(history, ref, {IDS[0]: line(1)})
    with Repository(str(history.root)) as repo:
        stamp = notes_stamp(repo, "drift")
        assert changed_notes(repo, "drift", stamp) == set()
        assert changed_notes(repo, "drift", "") == {IDS[0]}
        base = database(repo)
        sync(repo, base)
    put(history, ref, {IDS[1]: line(2)})
    history.git("reflog", "expire", "--expire=now", "--all")
    history.git("prune", "--expire=now")
    with Repository(str(history.root)) as repo:
        assert changed_notes(repo, "drift", stamp) is None
        sync(repo, base)
        assert [row[0] for row in everything(base) if row[1] == "drifted_from"] == [IDS[1]]
        base.close()


def test_one_note_is_found_without_the_others(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of sixteen folders one is read. Seen to fail with all of them read (as `veml similar` did).

    In a tree, in folders, in folders of folders; what is not there, and half an id.
    """
    ref = "refs/notes/veml/drift"
    said = {one: line(number) for number, one in enumerate(IDS)}
    trees: list[object] = []
    with Repository(str(history.root)) as repo:
        whole = Tree.items
        monkeypatch.setattr(Tree, "items", lambda tree: trees.append(tree) or whole(tree))
        for folders, most in ((False, 1), (True, 2)):
            put(history, ref, said, folders=folders)
            for one in (IDS[0], IDS[-1]):
                trees.clear()
                assert read_note(repo, "drift", one) == said[one].encode()
                assert len(trees) <= most
            assert read_note(repo, "drift", VersionId("9" * 40)) is None
            assert read_note(repo, "drift", VersionId(IDS[0][:2])) is None
            assert dict(read_notes(repo, "drift")) == {
                one: text.encode() for one, text in said.items()
            }


def damaged(history: History, name: str) -> Path:
    """Flip a byte of one of Git's objects; return its file, to flip it back."""
    path = history.root / ".git/objects" / name[:2] / name[2:]
    flip(path, path.stat().st_size // 2)
    return path


def left_out(history: History) -> list[tuple[str, str]]:
    """Follow, and return which notes are left out; what there is of the rest is as built anew."""
    with Repository(str(history.root)) as repo, database(repo) as base:
        skipped = sync(repo, base).skipped
        followed = everything(base)
        sync(repo, base, full=True)
        assert everything(base) == followed
        assert fault_of(repo) is None
    assert all(one.is_note for one in skipped)
    return [(one.version, one.path) for one in skipped]


def drifted(history: History) -> set[str]:
    with Repository(str(history.root)) as repo, database(repo) as base:
        return {row[0] for row in everything(base) if row[1] == "drifted_from"}


def test_a_damaged_note_costs_itself(history: History) -> None:
    """Seen to fail: no question was answered."""
    ref = "refs/notes/veml/drift"
    said = {one: line(number) for number, one in enumerate(IDS[:5])}
    put(history, ref, said)
    damaged(history, history.git("rev-parse", f"{ref}:{IDS[1]}"))
    assert left_out(history) == [(IDS[1], ref)]
    assert drifted(history) == {IDS[0], *IDS[2:5]}

    # It stays left out while others come and go, and branches that have its version.
    history.commit({"more.veml": data_record(2)}, "more")
    put(history, ref, said | {IDS[6]: line(6)})
    assert left_out(history) == [(IDS[1], ref)]
    assert drifted(history) == {IDS[0], *IDS[2:5], IDS[6]}

    # Another note in its place is read.
    put(history, ref, said | {IDS[1]: line(7)})
    assert left_out(history) == []
    assert drifted(history) == {*IDS[:5]}


def test_a_damaged_note_of_a_version_that_goes(history: History) -> None:
    """Seen to fail with what is told of notes taken out with what was told of records."""
    ref = "refs/notes/veml/similar"
    there = blob_id(data_record(2))
    history.git("checkout", "-q", "-b", "side")
    history.commit({"more.veml": data_record(2)}, "more")
    put(history, ref, {there: line(3, "similar")})
    damaged(history, history.git("rev-parse", f"{ref}:{there}"))
    assert left_out(history) == [(there, ref)]
    history.git("checkout", "-q", "-")
    history.git("branch", "-qD", "side")
    assert left_out(history) == [(there, ref)]


def test_a_note_that_was_mended_is_read(history: History) -> None:
    ref = "refs/notes/veml/drift"
    put(history, ref, {one: line(number) for number, one in enumerate(IDS[:5])})
    path = damaged(history, history.git("rev-parse", f"{ref}:{IDS[1]}"))
    assert left_out(history) == [(IDS[1], ref)]
    flip(path, path.stat().st_size // 2)
    assert left_out(history) == []
    assert drifted(history) == {*IDS[:5]}


@pytest.mark.parametrize("what", ["^{tree}", ""])
def test_a_damaged_tree_or_commit_of_notes_costs_those_of_its_kind(
    history: History, what: str
) -> None:
    """They are looked for at each question, since nothing tells when it is mended."""
    ref = "refs/notes/veml/drift"
    put(history, ref, {one: line(number) for number, one in enumerate(IDS[:5])})
    put(history, "refs/notes/veml/similar", {IDS[7]: line(1, "similar")})
    path = damaged(history, history.git("rev-parse", ref + what))
    assert left_out(history) == [("", ref)]
    assert drifted(history) == set()
    with Repository(str(history.root)) as repo, database(repo) as base:
        assert any(row[:2] == (IDS[7], "similar_to") for row in everything(base))
    history.commit({"more.veml": data_record(2)}, "more")
    assert left_out(history) == [("", ref)]
    flip(path, path.stat().st_size // 2)
    assert left_out(history) == []
    assert drifted(history) == {*IDS[:5]}
    history.git("update-ref", "-d", ref)
    assert left_out(history) == []
    assert drifted(history) == set()
