"""A temporary repository, tiny real images, and ways to run veml and git in it."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from veml_cli.main import main

PROGRAM = Path(sys.executable).with_name("veml")


@dataclass(frozen=True)
class Done:
    """What a command said and ended with."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code in (0, 1), self.err
        return json.loads(self.out)


def png(number: int) -> bytes:
    """A real PNG of 8 x 6 pixels in one colour, different for each number."""
    row = b"\0" + bytes((number % 256, number // 256 % 256, 77)) * 8

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 8, 6, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(row * 6))
        + chunk(b"IEND", b"")
    )


Box = tuple[str, int, int, int, int]


SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """A folder, and how to work in it."""

    root: Path

    def veml(self, *arguments: str, code: int | None = 0) -> Done:
        """Run veml in this process; check its exit code unless ``code`` is None."""
        here = Path.cwd()
        assert SOURCE not in (here, *here.parents), "veml would run in its own source tree"
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err):
            found = main(list(arguments))
        texts = []
        for stream in (out, err):
            stream.flush()
            assert isinstance(stream.buffer, io.BytesIO)
            texts.append(stream.buffer.getvalue().decode("utf-8", "surrogateescape"))
        done = Done(found, *texts)
        assert code is None or done.code == code, done
        return done

    def program(self, *arguments: str, **options: Any) -> Done:
        """Run the installed program."""
        done = subprocess.run(
            [str(PROGRAM), *arguments], cwd=self.root, capture_output=True, text=True, check=False,
            **options,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, data: str | bytes) -> Path:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(data if isinstance(data, bytes) else data.encode())
        return full

    def voc(self, folder: str, samples: dict[str, list[Box]], first: int = 0) -> None:
        """Write a Pascal VOC data set: name -> boxes."""
        for i, (name, boxes) in enumerate(samples.items()):
            objects = "".join(
                f"<object><name>{kind}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin>"
                f"<xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
                for kind, a, b, c, d in boxes
            )
            text = (
                f"<annotation><filename>{name}.png</filename><size><width>8</width>"
                f"<height>6</height><depth>3</depth></size>{objects}</annotation>"
            )
            self.write(f"{folder}/Annotations/{name}.xml", text)
            if not (self.root / folder / "JPEGImages" / f"{name}.png").exists():
                self.write(f"{folder}/JPEGImages/{name}.png", png(first + i))


CONFIG = "[user]\n\tname = Ann\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n"


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Leave nobody's settings but a name."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "VEML_")) or name in ("NO_COLOR", "EDITOR", "VISUAL", "PAGER"):
            monkeypatch.delenv(name)
    home.mkdir()
    (home / ".gitconfig").write_text(CONFIG)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()  # C has looked at it already


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty folder with nobody's settings but a name."""
    isolate(monkeypatch, tmp_path / "home")
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    return Place(root)


CARS: dict[str, list[Box]] = {
    f"{i:04}": [("car", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)] for i in range(6)
}


def make_drives(place: Place) -> None:
    place.veml("init")
    place.voc("images/train", CARS)
    place.write("notes.txt", "one\n")
    place.veml("add", "images/train", "notes.txt")
    place.veml("commit", "-m", "first drive")


def make_forked(drives: Place) -> None:
    drives.veml("checkout", "-b", "night")
    drives.voc("images/train", {"0000": [("car", 1, 1, 5, 5), ("bike", 2, 2, 6, 5)]})
    drives.voc("images/train", {"0100": [("car", 0, 0, 3, 3)]}, first=100)
    drives.veml("commit", "-am", "night drive")
    drives.veml("checkout", "main")
    drives.voc("images/train", {"0000": [("car", 1, 1, 4, 4), ("bus", 2, 2, 6, 5)]})
    drives.voc("images/train", {"0200": [("bike", 0, 0, 3, 3)]}, first=200)
    drives.veml("commit", "-am", "day drive")


def make_conflicted(drives: Place) -> None:
    drives.veml("checkout", "-b", "night")
    drives.voc("images/train", {"0000": [("car", 1, 1, 5, 4), ("bike", 2, 2, 6, 5)]})
    drives.write("notes.txt", "night\n")
    drives.veml("commit", "-am", "night")
    drives.veml("checkout", "main")
    drives.voc("images/train", {"0000": [("car", 1, 1, 4, 5), ("bike", 2, 2, 6, 5)]})
    drives.write("notes.txt", "day\n")
    drives.veml("commit", "-am", "day")
    drives.veml("merge", "night", code=1)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a maker of repositories that are made once; each test copies what it needs."""
    top = tmp_path_factory.mktemp("templates")
    makers = {"drives": [make_drives], "forked": [make_drives, make_forked]}
    makers["conflicted"] = [make_drives, make_conflicted]

    def make(name: str) -> Path:
        root = top / name
        if not root.exists():
            root.mkdir()
            with pytest.MonkeyPatch.context() as patch:
                isolate(patch, top / f"home-{name}")
                patch.chdir(root)
                for maker in makers[name]:
                    maker(Place(root))
        return root

    return make


def _copy(templates: Callable[[str], Path], name: str, place: Place) -> Place:
    shutil.copytree(templates(name), place.root, symlinks=True, dirs_exist_ok=True)
    return place


@pytest.fixture
def drives(place: Place, templates: Callable[[str], Path]) -> Place:
    """A repository with one commit: the data set ``images/train`` and a note."""
    return _copy(templates, "drives", place)


@pytest.fixture
def forked(place: Place, templates: Callable[[str], Path]) -> Place:
    """Two branches that change different boxes of one image, and add different samples."""
    return _copy(templates, "forked", place)


@pytest.fixture
def conflicted(place: Place, templates: Callable[[str], Path]) -> Place:
    """A merge under way: both sides moved one box to different places, and changed one line."""
    return _copy(templates, "conflicted", place)
