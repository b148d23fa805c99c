"""``veml fsck`` names what is damaged, which samples that hits, and what mends it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place


def flip(place: Place) -> None:
    """Change one byte of the largest pack."""
    pack = max((place.root / ".git/veml/packs").iterdir(), key=lambda one: one.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[20] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)


def test_all_good(drives: Place) -> None:
    done = drives.veml("fsck")
    assert done.out.startswith("all good; ")
    assert "1 version" in done.out
    assert drives.veml("fsck", "--full").out.startswith("all good; ")
    assert drives.veml("fsck", "--json").json()["problems"] == []


def test_a_flipped_byte_is_named_with_the_samples_it_hits(drives: Place) -> None:
    flip(drives)
    done = drives.veml("fsck", code=1)
    assert "images/train" in done.out
    assert "hint: veml fsck --repair mends what can be mended\n" in done.err
    problems = drives.veml("fsck", "--json", code=1).json()["problems"]
    assert problems
    assert drives.git("fsck", "--no-dangling") == ""  # Git's own objects are whole


def test_the_work_tree_mends_what_it_has(drives: Place) -> None:
    flip(drives)
    drives.veml("fsck", "--repair")
    assert drives.veml("fsck", "--full").out.startswith("all good; ")
    assert list((drives.root / ".git/veml/quarantine").iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--from", "../other"), 128, "--from goes with --repair"),
        (("--nope",), 129, "No such option: --nope"),
    ],
)
def test_flags_that_do_not_go(
    drives: Place, arguments: tuple[str, ...], code: int, said: str
) -> None:
    assert said in drives.veml("fsck", *arguments, code=code).err
