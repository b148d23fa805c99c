"""``veml doctor`` finds what is wrong, and the line it ends with mends it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from veml_hooks.doctor import ALL_CHECKS

Place = Any
QUICK = [one.name for one in ALL_CHECKS if one.name not in ("packages", "extras")]


def findings(place: Place, *checks: str, code: int = 0) -> list[dict[str, Any]]:
    said = place.veml("-C", str(place.root), "doctor", "--json", *checks, code=code)
    found: list[dict[str, Any]] = said.json()["findings"]
    return found


def type_the_line(place: Place, line: str) -> None:
    """Run the line of a finding, as its user would."""
    words = shlex.split(line)
    if words[0] == "veml":
        place.veml("-C", str(place.root), *words[1:])
    else:
        subprocess.run(words, cwd=place.root, check=True, capture_output=True)


def test_a_sound_repository_is_well(drives: Place) -> None:
    found = findings(drives, *QUICK)
    assert {one["check"] for one in found} == set(QUICK)
    # The folder of tests may lie in memory, or another veml may be on PATH.
    states = {(one["check"], one["state"]) for one in found} - {("filesystem", "note")}
    assert {state for name, state in states if name != "python"} == {"ok"}
    assert "ok" in drives.veml("doctor", *QUICK).out
    assert not (drives.root / ".git/veml/doctor").exists()


def test_it_changes_nothing(drives: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in drives.root.rglob("*") if path.is_file()}
    findings(drives, *QUICK)
    after = {path: path.stat().st_mtime_ns for path in drives.root.rglob("*") if path.is_file()}
    before.pop(drives.root / ".git/veml/lock"), after.pop(drives.root / ".git/veml/lock")
    assert after == before


def drop_hooks(place: Place) -> None:
    place.veml("hook", "uninstall")


def unmark_hook(place: Place) -> None:
    (place.root / ".git/hooks/post-checkout").chmod(0o644)


def age_hook(place: Place) -> None:
    path = place.root / ".git/hooks/post-merge"
    path.write_bytes(path.read_bytes().replace(sys.executable.encode(), b"/gone/python"))


def drop_driver(place: Place) -> None:
    place.git("config", "--unset", "merge.veml.driver")


def claim_case(place: Place) -> None:
    place.git("config", "core.ignorecase", "true")


def lose_the_name(place: Place) -> None:
    place.git("config", "user.email", "")


def move_the_record(place: Place) -> None:
    place.voc("images/train", {"0300": [("car", 0, 0, 3, 3)]}, first=300)
    place.veml("commit", "-am", "more")
    subprocess.run(
        ["git", "checkout", "-q", "HEAD~1"], cwd=place.root, check=True, env={"VEML_HOOKS": "0"}
    )


@pytest.mark.parametrize(
    ("harm", "check", "word"),
    [
        (drop_hooks, "hooks", "pre-commit"),
        (unmark_hook, "hooks", "not executable"),
        (age_hook, "hooks", "another Python"),
        (drop_driver, "hooks", "merge.veml"),
        (claim_case, "filesystem", "case"),
        (lose_the_name, "identity", "user.email"),
        (move_the_record, "data", "another version"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_line_mends_what_is_found(
    drives: Place, harm: Callable[[Place], None], check: str, word: str
) -> None:
    """Each was seen to fail with the condition of its check taken away."""
    harm(drives)
    found = [one for one in findings(drives, check) if one["state"] == "warning"]
    assert found, "nothing was found"
    assert any(word in one["what"] for one in found)
    for one in found:
        assert one["mend"]
        if one["state"] == "warning":
            type_the_line(drives, one["mend"].replace("--global ", ""))
    assert not [one for one in findings(drives, check) if one["state"] == "warning"]


def test_the_hook_of_another_mends(drives: Place) -> None:
    hook = drives.root / ".git/hooks/pre-push"
    hook.write_text("#!/bin/sh\nexit 0\n")
    (found,) = findings(drives, "hooks")
    assert "somebody else's" in found["what"]
    type_the_line(drives, found["mend"])
    (found,) = findings(drives, "hooks")
    assert found["state"] == "ok"
    assert "your own run first: pre-push" in found["what"]


def test_hooks_path(drives: Place) -> None:
    drives.git("config", "core.hooksPath", "elsewhere")
    (found,) = findings(drives, "hooks")
    assert found["state"] == "warning"
    assert "elsewhere" in found["what"]
    assert "veml hook run" in found["mend"]


def test_a_lock_that_git_left(drives: Place) -> None:
    """Left, it is broken and ends with 1; held by a living process, it is not."""
    lock = drives.root / ".git/index.lock"
    with lock.open("wb"):
        held = findings(drives, "locks")
    assert [one["state"] for one in held] == ["note"]
    assert "process" in held[0]["what"]
    (left,) = findings(drives, "locks", code=1)
    assert left["state"] == "broken"
    assert left["mend"].endswith(f"rm {lock}")
    type_the_line(drives, left["mend"].partition(": ")[2])
    assert [one["state"] for one in findings(drives, "locks")] == ["ok"]


def test_a_lock_of_a_ref_is_found(drives: Place) -> None:
    lock = drives.root / ".git/refs/heads/main.lock"
    lock.touch()
    (left,) = findings(drives, "locks", code=1)
    assert str(lock) in left["what"]


def test_the_lock_of_veml_names_its_owner(drives: Place) -> None:
    from veml_vcs.repository.repository import Repository

    with Repository(str(drives.root)) as repo, repo.lock("a test"):
        (found,) = findings(drives, "locks")
    assert found["state"] == "note"
    assert "a test" in found["what"]


def test_conflicts_and_operations_wait(conflicted: Place) -> None:
    found = findings(conflicted, "operations")
    assert {one["state"] for one in found} == {"warning"}
    assert any("conflict" in one["what"] for one in found)
    assert any("merge --abort" in one["mend"] for one in found)
    conflicted.git("bisect", "start")
    assert any("bisect" in one["what"] for one in findings(conflicted, "operations"))


def test_a_clone_without_data(drives: Place, tmp_path: Path) -> None:
    drives.git("clone", "-q", str(drives.root), str(tmp_path / "clone"))
    clone = type(drives)(tmp_path / "clone")
    assert any(one["mend"] == "veml init" for one in findings(clone, "store"))
    clone.veml("-C", str(clone.root), "init")
    (found,) = findings(clone, "data")
    assert found["state"] == "warning"
    assert "not in this clone" in found["what"]
    for line in found["mend"].split(", then "):
        type_the_line(clone, line)
    assert [one["state"] for one in findings(clone, "data")] == ["ok"]


def test_a_pack_that_cannot_be_read_is_broken(drives: Place) -> None:
    pack = next((drives.root / ".git/veml/packs").glob("*"))
    pack.write_bytes(pack.read_bytes()[:50])
    found = findings(drives, "store", code=1)
    assert found[0]["state"] == "broken"
    assert "veml fsck" in found[0]["mend"]


def test_outside_a_repository(place: Place) -> None:
    found = findings(place, "git")
    assert [one["check"] for one in found] == ["repository", "git"]
    assert found[0]["mend"] == "veml init"


def test_a_newer_store_is_broken(drives: Place) -> None:
    (drives.root / ".git/veml/format").write_text('{"format": 99}\n')
    found = findings(drives, "git", code=1)
    assert "format 99" in found[0]["what"]


def test_an_unknown_check(drives: Place) -> None:
    said = drives.veml("doctor", "hook", code=128)
    assert "hooks" in said.err


def test_help_names_every_check(drives: Place) -> None:
    text = " ".join(drives.veml("doctor", "--help").out.split())
    for one in ALL_CHECKS:
        assert one.name in text


def test_an_extra_that_is_installed_and_does_not_work(
    drives: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package whose library is gone: it is there by name and cannot be imported."""
    pytest.importorskip("PIL")
    broken = tmp_path / "broken" / "PIL"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libjpeg.so.8: cannot open')\n")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    found = [one for one in findings(drives, "extras", code=1) if "[plot]" in one["what"]]
    assert [one["state"] for one in found] == ["broken"]
    assert "libjpeg.so.8" in found[0]["what"]
    assert "pip install" in found[0]["mend"]


@pytest.mark.ml
def test_extras_and_packages_work_here(drives: Place) -> None:
    found = findings(drives, "packages", "extras")
    assert not [one for one in found if one["state"] == "broken"]
    assert any("[ml] works" in one["what"] for one in found)


def test_a_module_in_the_current_folder_is_not_run(drives: Place) -> None:
    """A stranger's clone holds ``PIL.py``: trying an extra must not run it."""
    drives.write("PIL.py", "open('ran', 'w')\n")
    drives.write("zarr.py", "open('ran', 'w')\n")
    drives.veml("doctor", "packages")
    assert not (drives.root / "ran").exists()
