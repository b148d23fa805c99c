"""Shell completion, asked by real shells."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.kit import data_record

Place = Any
BIN = str(Path(sys.executable).parent)
TRAIN = "images/train"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", BIN, prepend=os.pathsep)


def bash(place: Place, *words: str) -> list[str]:
    """Return what bash offers for the last word, by the script as it is installed."""
    array = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(_VEML_COMPLETE=source_bash veml)"\n'
        f"COMP_WORDS=({array})\nCOMP_CWORD={len(words) - 1}\n_veml_completion veml\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=place.root, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line for line in done.stdout.split("\n") if line]


def test_commands_options_and_names(forked: Place) -> None:
    forked.git("tag", "v1.0")
    assert bash(forked, "veml", "sp") == ["sparse"]
    assert bash(forked, "veml", "data", "fi") == ["filter"]
    assert bash(forked, "veml", "hook", "d") == []  # hidden
    assert "--dry-run" in bash(forked, "veml", "mv", "--d")
    assert bash(forked, "veml", "checkout", "n") == ["night", "notes.txt"]
    assert bash(forked, "veml", "switch", "n") == ["night"]
    assert bash(forked, "veml", "merge", "v") == ["v1.0"]
    assert bash(forked, "veml", "diff", "main..n") == ["main..night"]
    assert bash(forked, "veml", "data", "stats", "") == [TRAIN]
    assert bash(forked, "veml", "sparse", "set", "--data", "") == [TRAIN]
    assert bash(forked, "veml", "data", "filter", TRAIN, "--class", "b") == ["bike", "bus"]
    assert bash(forked, "veml", "export", "--format", "vo") == ["voc"]
    assert bash(forked, "veml", "-C", str(forked.root), "switch", "n") == ["night"]
    assert bash(forked, "veml", "doctor", "ho") == ["hooks"]
    assert bash(forked, "veml", "train", "--data", "i") == [TRAIN]
    assert bash(forked, "veml", "train", "--val", f"{TRAIN}@n") == [f"{TRAIN}@night"]


def test_paths_and_keys_also_of_what_is_not_on_disk(drives: Place) -> None:
    """One folder alone is gone into: shells put a blank after the only candidate."""
    assert bash(drives, "veml", "rm", "im") == [f"{TRAIN}/Annotations/", f"{TRAIN}/JPEGImages/"]
    drives.veml("sparse", "set", "*/0001.png")
    assert bash(drives, "veml", "restore", f"{TRAIN}/JPEGImages/0003") == [
        f"{TRAIN}/JPEGImages/0003.png"
    ]
    assert len(bash(drives, "veml", "rm", f"{TRAIN}/JPEGImages/")) == 6
    assert bash(drives, "veml", "sparse", "set", "JPEG") == [
        f"JPEGImages/{i:04}.png" for i in range(6)
    ]
    assert bash(drives, "veml", "data", "show", TRAIN, "JPEGImages/0005") == ["JPEGImages/0005.png"]
    drives.veml("sparse", "set", "--no-data")
    assert bash(drives, "veml", "data", "show", TRAIN, "A") == [
        f"Annotations/{i:04}.xml" for i in range(6)
    ]


def test_blanks_are_quoted_for_bash(drives: Place) -> None:
    drives.write("a file.txt", "x")
    assert bash(drives, "veml", "add", "a") == ["a\\ file.txt"]


def test_conflicts(conflicted: Place) -> None:
    assert bash(conflicted, "veml", "resolve", "im") == [f"{TRAIN}/JPEGImages/0000.png"]


def test_outside_a_repository_and_in_a_damaged_one(place: Place) -> None:
    assert bash(place, "veml", "checkout", "n") == []
    place.veml("init")
    (place.root / ".git/index").write_bytes(b"not an index")
    assert bash(place, "veml", "rm", "x") == []


def keys(place: Place, command: list[str], setup: str, typed: str, expected: str) -> str:
    """Type into a real shell in a terminal; return the line that Tab makes of what was typed."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(place.root)
        os.environ.update(TERM="dumb", PS1="READY ", PROMPT="READY ", HISTFILE="/dev/null")
        os.execvp(command[0], command)
    seen = ""
    try:
        seen += _type(terminal, setup + "\n", "SETUP-DONE\r\n")
        seen += _type(terminal, typed + "\t", expected)
    finally:
        os.close(terminal)
        os.waitpid(process, 0)
    return seen


def _type(terminal: int, text: str, until: str) -> str:
    os.write(terminal, text.encode())
    seen = b""
    end = time.monotonic() + 60
    while until.encode() not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
    return seen.decode("utf-8", "replace")


@pytest.mark.slow
def test_the_tab_key_in_bash(forked: Place) -> None:
    setup = 'eval "$(_VEML_COMPLETE=source_bash veml)"; echo SETUP-"DONE"'
    command = ["bash", "--norc", "-i"]
    seen = keys(forked, command, setup, "veml switch nig", "night")
    assert "veml switch night" in seen
    seen = keys(forked, command, setup, "veml rm images/train/JPEGImages/020", "0200.png")
    assert "JPEGImages/0200.png" in seen


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_the_tab_key_in_zsh(forked: Place) -> None:
    setup = (
        "autoload -U compinit; compinit -u -D; "
        'eval "$(_VEML_COMPLETE=source_zsh veml)"; echo SETUP-"DONE"'
    )
    seen = keys(forked, ["zsh", "-f", "-i"], setup, "veml switch nig", "night")
    assert "night" in re.sub(r"[\x08\x1b]\S*", "", seen) or "ht" in seen


HOSTILE = (
    "ro\\$(touch ran1)",
    "ro\\`touch ran2`",
    'ro"$(touch ran3)"',
    "ro'$(touch ran4)'",
    "ro$(touch ran5)",
)


@pytest.fixture
def hostile(place: Place) -> Place:
    """Data sets in folders whose names a shell would run."""
    place.veml("init", "-q")
    place.git("config", "core.hooksPath", "/dev/null")
    for number, name in enumerate((*HOSTILE, "roads")):
        place.write(f"{name}.veml", data_record(number + 1))
    place.git("add", "-A")
    place.git("commit", "-qm", "a stranger's")
    return place


def test_zsh_is_given_nothing_that_would_run(
    hostile: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_VEML_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "veml lineage show ro")
    done = subprocess.run(["veml"], cwd=hostile.root, capture_output=True, text=True, check=False)
    assert '"roads"' in done.stdout
    assert not re.search(r"\\\\[$`]|(?<!\\)[$`]", done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_does_not_run_in_zsh(place: Place, name: str) -> None:
    """Seen to fail: Tab in a stranger's repository ran what a name said."""
    place.veml("init", "-q")
    place.git("config", "core.hooksPath", "/dev/null")
    place.write(f"{name}.veml", data_record(1))
    place.write("rx.veml", data_record(2))
    place.git("add", "-A")
    place.git("commit", "-qm", "a stranger's")
    setup = (
        "autoload -U compinit; compinit -u -D; "
        'eval "$(_VEML_COMPLETE=source_zsh veml)"; echo SETUP-"DONE"'
    )
    keys(place, ["zsh", "-f", "-i"], setup, "veml lineage show r", "rx")
    assert not list(place.root.glob("ran*"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_what_fish_offers(forked: Place) -> None:
    def ask(line: str) -> list[str]:
        script = f"_VEML_COMPLETE=source_fish veml | source; complete -C '{line}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script], cwd=forked.root, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout.split()

    assert ask("veml switch n") == ["night"]
    assert ask("veml show main:ima") == [
        "main:images/train/Annotations/", "main:images/train/JPEGImages/",
    ]  # fmt: skip


def test_it_starts_light(drives: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_VEML_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "veml rm images/train/JPEG")
    monkeypatch.setenv("COMP_CWORD", "2")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", f"{BIN}/veml"],
        cwd=drives.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = set(re.findall(r"^import time:.*\|\s*([\w.]+)$", done.stderr, re.MULTILINE))
    assert "veml_vcs.repository.complete" in modules
    assert not modules & {"torch", "zarr", "rich", "scipy", "pyarrow"}


def test_all_levels_of_a_tree(drives: Place) -> None:
    """The names of one level are found by jumping over what lies below them."""
    from veml_vcs.repository.complete import keys_below
    from veml_vcs.repository.repository import Repository

    for name in ("a/b/c.png", "a/b!/d.png", "a/b0.png", "a.png", "a/b/e/f.png", "z z.png"):
        drives.write(f"other/{name}", b"\x89PNG" + name.encode())
    drives.veml("add", "other")
    with Repository(str(drives.root)) as repo:
        record = repo.record_at("other", None)
        assert list(keys_below(repo, record, "")) == ["a.png", "a/", "z z.png"]
        assert list(keys_below(repo, record, "a/")) == ["a/b!/", "a/b/", "a/b0.png"]
        assert list(keys_below(repo, record, "a/b")) == ["a/b!/", "a/b/", "a/b0.png"]
        assert list(keys_below(repo, record, "a/b/")) == ["a/b/c.png", "a/b/e/"]
        assert list(keys_below(repo, record, "b")) == []
