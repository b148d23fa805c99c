"""gc, compact and fsck --repair as a user types them: words, JSON, exit codes."""

from __future__ import annotations

import shutil
from dataclasses import fields

from tests.cli.conftest import Place, png
from veml_vcs.repository.upkeep.compact import CompactResult
from veml_vcs.repository.upkeep.gc import GcResult
from veml_vcs.repository.upkeep.repair import RepairResult


def names(kind: type) -> set[str]:
    return {one.name for one in fields(kind)}


def with_garbage(place: Place) -> None:
    """Commit a data set; add a second version, and take it back."""
    place.veml("init", ".")
    place.write("d/a.png", png(1))
    place.veml("add", "d")
    place.veml("commit", "-m", "one")
    place.write("d/wrong.png", png(2))
    place.veml("add", "d")
    (place.root / "d/wrong.png").unlink()
    place.veml("add", "d")


def test_gc_tells_before_and_after(place: Place) -> None:
    with_garbage(place)
    told = place.veml("gc", "--dry-run", "--prune=now")
    assert "would free about" in told.out
    assert "staged:" in told.out
    assert "1 file" in told.out
    assert "grace period" in place.veml("gc").out
    done = place.veml("gc", "--prune=now", "--json").json()
    assert done.keys() == names(GcResult)
    assert done["packs_removed"] == 1
    assert [one["samples"] for one in done["versions"]] == [1]
    assert "nothing to remove" in place.veml("gc", "--prune=now").out
    assert place.veml("gc", "-q").out == ""
    place.veml("fsck")


def test_gc_of_a_moment_that_is_none(place: Place) -> None:
    with_garbage(place)
    done = place.veml("gc", "--prune=soonish", code=128)
    assert "no moment in time" in done.err
    assert "2.weeks.ago" in done.err
    place.veml("gc", "--threshold", "7", code=129)


def test_gc_ends_with_1_and_says_why_where_it_is_blocked(place: Place) -> None:
    with_garbage(place)
    place.write(".git/veml/packs/" + "0" * 64 + ".pack", b"no pack")
    done = place.veml("gc", "--prune=now", code=1)
    assert "nothing was removed" in done.out
    assert "warning: pack 0000000000" in done.err
    assert "veml fsck --repair" in done.err


def test_compact(place: Place) -> None:
    with_garbage(place)
    assert "would rewrite" in place.veml("compact", "-n").out
    done = place.veml("compact", "--json").json()
    assert done.keys() == names(CompactResult)
    assert (done["packs_before"], done["packs_after"]) == (2, 1)
    assert "nothing to compact" in place.veml("compact").out
    assert "nothing to compact" in place.veml("compact", "--all", "HEAD").out  # it is so already
    place.veml("compact", "nowhere", code=128)
    place.veml("fsck", "--full")


def test_fsck_repairs(place: Place) -> None:
    with_garbage(place)
    shutil.copytree(place.root, place.root.parent / "other")
    for pack in (place.root / ".git/veml/packs").iterdir():
        pack.unlink()
    shutil.rmtree(place.root / "d")
    told = place.veml("fsck", code=1)
    assert "hint: veml fsck --repair" in told.err
    assert "--from PATH" in place.veml("fsck", "--repair", code=1).err
    done = place.veml("fsck", "--repair", "--from", str(place.root.parent / "other"), "--json")
    assert done.json().keys() == names(RepairResult)
    assert done.json()["after"]["problems"] == []
    assert done.json()["recovered"]["clone"] > 0
    place.veml("fsck", "--from", "x", code=128)


def test_names_with_escapes_reach_no_terminal(place: Place) -> None:
    place.veml("init", ".")
    place.write("e\x1b[31mvil/a\x1b]0;x.png", png(1))
    place.veml("add", "e\x1b[31mvil")
    place.veml("commit", "-m", "hi \x1b[2J")
    place.write("e\x1b[31mvil/b.png", png(2))
    place.veml("add", "e\x1b[31mvil")
    place.git("reset", "-q", "--hard")
    said = [place.veml("gc", "-n", "--prune=now"), place.veml("gc", "--prune=now")]
    for pack in (place.root / ".git/veml/packs").iterdir():
        pack.unlink()
    said += [place.veml("fsck", code=1), place.veml("gc", "--prune=now", code=1)]
    said += [place.veml("fsck", "--repair", code=None)]
    assert any("vil" in one.out + one.err for one in said)
    assert all("\x1b" not in one.out + one.err for one in said)
