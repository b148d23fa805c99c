"""``veml doctor`` finds what is wrong, and the line it ends with mends it."""

from __future__ import annotations

import os
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


def findings(place: Place, *checks: str, code: int | None = 0) -> list[dict[str, Any]]:
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


def test_a_lock_in_a_linked_work_tree_is_found(drives: Place) -> None:
    """Its index lies in a folder of its own. Seen to fail with Git's common folder looked at."""
    drives.git("worktree", "add", "-q", "--detach", "../other")
    tree = type(drives)(drives.root.parent / "other")
    lock = drives.root / ".git/worktrees/other/index.lock"
    lock.touch()
    (left,) = findings(tree, "locks", code=1)
    assert str(lock) in left["what"]


def test_a_lock_that_a_dead_veml_left_is_nobody_s_trouble(drives: Place) -> None:
    """The next veml removes it by itself. Seen to fail (``broken``) without ``is_of_veml``."""
    script = (
        "import os, signal\n"
        "from veml_vcs.repository import Repository\n"
        "with Repository('.') as repo, repo.git.dulwich.locks.lock('.git/index'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = script.replace("'.git/index'", repr(str(drives.root / ".git/index")))
    done = subprocess.run([sys.executable, "-c", script], cwd=drives.root, check=False)
    assert done.returncode == -9
    assert (drives.root / ".git/index.lock").exists()
    assert [one["state"] for one in findings(drives, "locks")] == ["ok"]
    drives.write("notes.txt", "two\n")
    drives.veml("add", "notes.txt")
    assert not (drives.root / ".git/index.lock").exists()


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


@pytest.mark.parametrize(
    ("command", "word", "drop"),
    [
        ("veml cherry-pick night", "a cherry-pick", "veml cherry-pick --abort"),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (
                ("git rebase night", "a rebase", "git rebase --abort"),
                ("git rebase --apply night", "a rebase", "git rebase --abort"),
                ("git cherry-pick night", "a cherry-pick", "git cherry-pick --abort"),
                ("veml revert HEAD~1", "a revert", "veml revert --abort"),
                ("git revert HEAD~1", "a revert", "git revert --abort"),
            )
        ),
    ],
)
def test_an_operation_that_waits_is_named_once(
    forked: Place, command: str, word: str, drop: str
) -> None:
    """Seen to fail with the line of each of Git's files taken out of ``operations``.

    ``rebase-merge``, ``rebase-apply``, ``CHERRY_PICK_HEAD``, ``REVERT_HEAD``. Before ``how_to_end``
    was asked, what veml had begun was to be ended by git.
    """
    for branch, text in (("night", "night\n"), ("main", "day\n"), ("main", "later\n")):
        forked.veml("checkout", "-q", branch)
        forked.write("notes.txt", text)
        forked.veml("commit", "-qam", text.strip())
    program, *rest = command.split()
    if program == "git":
        subprocess.run(command.split(), cwd=forked.root, check=False, capture_output=True)
    else:
        forked.veml(*rest, code=1)
    (found,) = (one for one in findings(forked, "operations") if "under way" in one["what"])
    assert found["state"] == "warning"
    assert found["what"].startswith(word)
    goes_on, _, ends = found["mend"].partition(", or ")
    assert goes_on == drop.replace("--abort", "--continue")
    assert ends == drop
    type_the_line(forked, ends)
    assert [one["state"] for one in findings(forked, "operations")] == ["ok"]


def test_commits_that_are_still_to_be_picked(forked: Place) -> None:
    """Between two of them ``merge.json`` alone knows. Seen to fail without ``load_sequence``."""
    for branch, texts in (("night", ("night\n", "dark\n")), ("main", ("day\n",))):
        forked.veml("checkout", "-q", branch)
        for text in texts:
            forked.write("notes.txt", text)
            forked.veml("commit", "-qam", text.strip())
    forked.veml("cherry-pick", "night~1", "night", code=1)
    forked.write("notes.txt", "both\n")
    forked.veml("add", "notes.txt")
    forked.veml("commit", "-qm", "by hand")
    (found,) = findings(forked, "operations")
    assert "1 commit to go" in found["what"]
    type_the_line(forked, found["mend"].partition(", or ")[2])
    assert [one["state"] for one in findings(forked, "operations")] == ["ok"]


def test_what_a_killed_command_left_is_noted(drives: Place) -> None:
    """Seen to fail without the look into ``writing``; the next command sweeps up, as it says."""
    script = (
        "import os, signal\n"
        "from veml_vcs.repository import Repository\n"
        "with Repository('.') as repo, repo.lock('a test'), repo.unfinished.about('something'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=drives.root, check=False)
    (found,) = findings(drives, "operations")
    assert found["state"] == "note"
    assert "killed" in found["what"]
    drives.write("notes.txt", "two\n")
    drives.veml("add", "notes.txt")
    assert [one["state"] for one in findings(drives, "operations")] == ["ok"]


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


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root; root may write anywhere else")
def test_a_store_that_cannot_be_written_to_is_broken(drives: Place) -> None:
    """Seen to fail (``ok``) with ``blocked`` left empty in the check of the store."""
    store = str(drives.root / ".git/veml")
    if subprocess.run(["mount", "--bind", store, store], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", store], check=True)
        found = findings(drives, "store", "locks", "filesystem", code=1)
    finally:
        subprocess.run(["umount", "-l", store], check=False)
    broken = [one for one in found if one["state"] == "broken"]
    assert {one["check"] for one in broken} == {"store"}
    assert [one["mend"] for one in broken] == [f"chmod u+w {store}", f"chmod u+w {store}/packs"]


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
    pillow(tmp_path / "broken", monkeypatch, "raise ImportError('libjpeg.so.8: cannot open')\n")
    found = [one for one in findings(drives, "extras", code=1) if "[plot]" in one["what"]]
    assert [one["state"] for one in found] == ["broken"]
    assert "libjpeg.so.8" in found[0]["what"]
    assert "pip install" in found[0]["mend"]


def pillow(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Put another Pillow before the real one, for processes that are started from here."""
    module = folder / "PIL"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_an_extra_that_crashes_does_not_crash_the_doctor(
    drives: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail (``it ended with -9``) without the look at the signal."""
    pytest.importorskip("PIL")
    pillow(tmp_path / "crash", monkeypatch, "import os\nos.kill(os.getpid(), 9)\n")
    found = [one for one in findings(drives, "extras", code=1) if "[plot]" in one["what"]]
    assert [one["state"] for one in found] == ["broken"]
    assert "ended by signal 9" in found[0]["what"]


def test_what_does_not_answer_in_time_is_not_called_broken(
    drives: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new machine with a cold disk takes minutes to import torch; nothing is known of it then.

    Seen to fail: ``broken``, and exit code 1, before there was ``answered``.
    """
    monkeypatch.setattr("veml_vcs.repository.doctor.probe._SECONDS", 0.0)
    found = findings(drives, "packages", "extras")
    tried = [one for one in found if one["state"] != "note"]
    assert tried
    for one in tried:
        assert one["state"] == "warning"
        assert "not tried: no answer within 0 s" in one["what"]
        assert one["mend"].startswith("veml doctor packages extras")


def pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, *wanted: str) -> None:
    """Say of veml, in metadata before its own, that it wants other packages."""
    told = folder / "veml-9.9.dist-info"
    told.mkdir(parents=True)
    lines = "".join(f"Requires-Dist: {one}\n" for one in wanted)
    text = f"Metadata-Version: 2.1\nName: veml\nVersion: 9.9\nProvides-Extra: odd\n{lines}"
    (told / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize(
    ("wanted", "state", "word", "mend"),
    [
        ("veml-no-such", "note", "missing: veml-no-such", "pip install 'veml[odd]'"),
        ("dulwich<0.1", "broken", "wanted <0.1", "pip install --upgrade 'veml[odd]'"),
        ("packaging", "ok", "[odd] works: packaging", None),
    ],
)
def test_an_extra_as_the_metadata_has_it(
    drives: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    state: str,
    word: str,
    mend: str | None,
) -> None:
    """Seen to fail without ``packages.absent`` and ``packages.unfit`` in ``extras``."""
    pretend(tmp_path / "odd", monkeypatch, f'{wanted}; extra == "odd"')
    (found,) = findings(drives, "extras", code=1 if state == "broken" else 0)
    assert found["state"] == state
    assert word in found["what"]
    assert found["mend"] == mend


@pytest.mark.parametrize(
    ("wanted", "word"),
    [("veml-no-such", "not installed: veml-no-such"), ("dulwich<0.1", "wanted <0.1")],
)
def test_a_package_that_is_always_needed(
    drives: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, word: str
) -> None:
    """Seen to fail without ``absent`` and ``unfit`` in ``packages``."""
    pretend(tmp_path / "odd", monkeypatch, wanted)
    (found,) = findings(drives, "packages", code=1)
    assert found["state"] == "broken"
    assert word in found["what"]
    assert found["mend"] == "pip install --upgrade veml"


def test_a_package_that_does_not_work(
    drives: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail without the look at what the try said."""
    broken = tmp_path / "broken" / "imagesize.py"
    broken.parent.mkdir()
    broken.write_text("raise ImportError('half an imagesize')\n")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    (found,) = findings(drives, "packages", code=1)
    assert found["state"] == "broken"
    assert "half an imagesize" in found["what"]
    assert found["mend"].startswith("pip install --force-reinstall ")


@pytest.mark.ml
def test_extras_and_packages_work_here(drives: Place) -> None:
    found = findings(drives, "packages", "extras", code=None)
    broken = "\n".join(one["what"] for one in found if one["state"] == "broken")
    assert not broken, broken
    slow = [one["what"] for one in found if one["state"] == "warning"]
    if slow:
        pytest.skip("; ".join(slow))
    assert any("[ml] works" in one["what"] for one in found)


def test_a_module_in_the_current_folder_is_not_run(drives: Place) -> None:
    """A stranger's clone holds ``PIL.py``: trying an extra must not run it."""
    drives.write("PIL.py", "open('ran', 'w')\n")
    drives.write("zarr.py", "open('ran', 'w')\n")
    drives.veml("doctor", "packages")
    assert not (drives.root / "ran").exists()
