"""What the tests of history share: a project on disk, real git, tiny data sets made by hand."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

from hypothesis import HealthCheck, Phase, settings

from veml_vcs.repository import Repository, init
from veml_vcs.repository.add import AddResult, add
from veml_vcs.repository.checkout import CheckoutResult, checkout
from veml_vcs.repository.commit import CommitResult, commit
from veml_vcs.repository.merging.merge import MergeResult, merge
from veml_vcs.repository.status import Status, status
from veml_vcs.repository.worktree.follow import FollowResult, follow

Files: TypeAlias = dict[str, bytes]
SIZE = 64
"""Width and height that all annotations give."""

EXAMPLES = int(os.environ.get("VEML_EXAMPLES", "1"))
"""How many times as many examples the property tests try: 1 is quick, 30 is a search."""

CLASSES = ("car", "dog", "person", "tree")


class Box(NamedTuple):
    """One object of a model: whole pixels, so that every format holds it exactly."""

    id: int
    name: str
    x: int
    y: int
    w: int
    h: int


Model: TypeAlias = dict[str, tuple[Box, ...]]
"""A data set as plain Python: image name -> its boxes."""


def png(number: int, side: int = 4) -> bytes:
    """Return a grey PNG whose bytes differ with the number."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    text = chunk(b"tEXt", b"n\0%d" % number)
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes([number % 256]) * side
                                                   for _ in range(side))))  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + header + text + pixels + chunk(b"IEND", b"")


def images(count: int, start: int = 0) -> Files:
    """Return a folder of images without annotations."""
    return {f"{i:04d}.png": png(i) for i in range(start, start + count)}


def dump(value: object) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"


def coco(model: Model, classes: Iterable[str] = CLASSES, folder: str = "images/") -> Files:
    """Return a COCO data set: ``annotations.json`` beside ``images/``."""
    numbers = {name: i for i, name in enumerate(classes, 1)}
    files = {folder + name: png(image_number(name)) for name in model}
    files["annotations.json"] = dump(
        {
            "images": [
                {"id": image_number(n), "file_name": n, "width": SIZE, "height": SIZE}
                for n in sorted(model)
            ],
            "annotations": [
                {
                    "id": box.id,
                    "image_id": image_number(n),
                    "category_id": numbers[box.name],
                    "bbox": [box.x, box.y, box.w, box.h],
                }
                for n in sorted(model)
                for box in model[n]
            ],
            "categories": [{"id": i, "name": name} for name, i in numbers.items()],
        }
    )
    return files


def voc(model: Model) -> Files:
    """Return a Pascal VOC data set."""
    files: Files = {}
    for name, boxes in model.items():
        files[f"JPEGImages/{name}"] = png(image_number(name))
        objects = "".join(
            f"<object><name>{b.name}</name><bndbox><xmin>{b.x}</xmin><ymin>{b.y}</ymin>"
            f"<xmax>{b.x + b.w}</xmax><ymax>{b.y + b.h}</ymax></bndbox></object>\n"
            for b in boxes
        )
        files[f"Annotations/{name.removesuffix('.png')}.xml"] = (
            f"<annotation><folder>JPEGImages</folder><filename>{name}</filename>\n"
            f"<size><width>{SIZE}</width><height>{SIZE}</height><depth>1</depth></size>\n"
            f"{objects}</annotation>\n"
        ).encode()
    return files


def yolo(model: Model, classes: Iterable[str] = CLASSES) -> Files:
    """Return a YOLO data set: ``images/``, ``labels/`` and ``classes.txt``."""
    numbers = {name: i for i, name in enumerate(classes)}
    files: Files = {"classes.txt": b"".join(name.encode() + b"\n" for name in numbers)}
    for name, boxes in model.items():
        files[f"images/{name}"] = png(image_number(name))
        files[f"labels/{name.removesuffix('.png')}.txt"] = "".join(
            f"{numbers[b.name]} {(b.x + b.w / 2) / SIZE} {(b.y + b.h / 2) / SIZE} "
            f"{b.w / SIZE} {b.h / SIZE}\n"
            for b in boxes
        ).encode()
    return files


def kitti(model: Model) -> Files:
    """Return a KITTI data set: ``image_2/`` and ``label_2/``."""
    files: Files = {}
    for name, boxes in model.items():
        files[f"image_2/{name}"] = png(image_number(name))
        files[f"label_2/{name.removesuffix('.png')}.txt"] = "".join(
            f"{b.name} 0.00 0 0.00 {b.x}.00 {b.y}.00 {b.x + b.w}.00 {b.y + b.h}.00 "
            "1.00 1.00 1.00 0.00 0.00 0.00 0.00\n"
            for b in boxes
        ).encode()
    return files


def folders(model: Model) -> Files:
    """Return a data set of class folders: an image lies in the folder of its first box's class."""
    return {
        f"{boxes[0].name if boxes else 'none'}/{name}": png(image_number(name))
        for name, boxes in model.items()
    }


FORMATS = {"coco": coco, "voc": voc, "yolo": yolo, "kitti": kitti, "folders": folders}


def image_number(name: str) -> int:
    """Return the number in an image's name."""
    return int("".join(filter(str.isdigit, name)) or 0)


def small_model(count: int = 4) -> Model:
    """Return a few images with one or two boxes each."""
    return {
        f"{i:04d}.png": tuple(
            Box(10 * i + j, CLASSES[(i + j) % 3], 2 + 20 * j, 3 + i, 10, 12)
            for j in range(1 + i % 2)
        )
        for i in range(1, count + 1)
    }


def examples(count: int) -> settings:
    """Return the settings of a property test that works with real files."""
    return settings(
        max_examples=count * EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        derandomize=EXAMPLES == 1,
        # Shrinking a failure that works with real files takes minutes: only where one searches.
        phases=tuple(Phase) if EXAMPLES > 1 else (Phase.explicit, Phase.generate),
    )


class Project:
    """A veml repository on disk, with the commands as short methods, and real git to compare.

    Args:
        root: Its folder.
        create: Run ``veml init``.
    """

    def __init__(self, root: Path, *, create: bool = True) -> None:
        self.root = root
        if create:
            init(str(root), branch="main")

    # -- files ---------------------------------------------------------------------------------

    def path(self, relative: str) -> Path:
        return self.root / relative

    def write(self, files: Mapping[str, bytes], below: str = "") -> None:
        """Write files, creating their folders."""
        for name, data in files.items():
            target = os.path.join(os.fsencode(self.root), os.fsencode(below), os.fsencode(name))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(data)

    def replace(self, files: Mapping[str, bytes], below: str) -> None:
        """Make a folder hold these files and no others, leaving equal files untouched."""
        old = self.files(below)
        for name in old.keys() - files.keys():
            (self.root / below / name).unlink()
        self.write({n: data for n, data in files.items() if old.get(n) != data}, below)

    def files(self, below: str = "") -> Files:
        """Return every file below a folder, ``.git`` left out."""
        top = os.fsencode(self.root / below)
        found: Files = {}
        for folder, names, files in os.walk(top):
            names[:] = [name for name in names if name != b".git"]
            for name in files:
                full = os.path.join(folder, name)
                key = os.fsdecode(os.path.relpath(full, top))
                if os.path.islink(full):
                    found[key] = b"-> " + os.readlink(full)
                else:
                    with open(full, "rb") as file:
                        found[key] = file.read()
        return found

    def remove(self, relative: str) -> None:
        target = self.root / relative
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()

    def inodes(self, below: str) -> dict[str, tuple[int, int]]:
        """Return inode and mtime of each file below a folder."""
        return {
            key: ((self.root / below / key).stat().st_ino,
                  (self.root / below / key).stat().st_mtime_ns)
            for key in self.files(below)
        }  # fmt: skip

    def age(self, below: str = "") -> None:
        """Give all files an old time stamp, so that none is racily clean."""
        for key in self.files(below):
            full = self.root / below / key
            if not full.is_symlink():
                os.utime(full, ns=(10**18, 10**18))

    # -- veml ----------------------------------------------------------------------------------

    @cached_property
    def repo(self) -> Repository:
        return Repository(str(self.root))

    def reopen(self) -> Repository:
        """Forget what the process knows of the repository."""
        self.close()
        return self.repo

    def close(self) -> None:
        opened = self.__dict__.pop("repo", None)
        if opened is not None:
            opened.close()

    def add(self, *paths: str, annotations: Iterable[str] = (), **options: object) -> AddResult:
        return add(
            self.repo,
            [str(self.root / path) for path in paths],
            annotations=[str(self.root / path) for path in annotations],
            **options,  # type: ignore[arg-type]
        )

    def commit(self, message: str | None = "a commit", **options: object) -> CommitResult:
        return commit(self.repo, message, **options)  # type: ignore[arg-type]

    def save(self, *paths: str, message: str = "a commit") -> CommitResult:
        """Add and commit."""
        self.add(*paths)
        return self.commit(message)

    def checkout(self, target: str, **options: object) -> CheckoutResult:
        return checkout(self.repo, target, **options)  # type: ignore[arg-type]

    def merge(self, revision: str, **options: object) -> MergeResult:
        return merge(self.repo, revision, **options)  # type: ignore[arg-type]

    def status(self, **options: object) -> Status:
        return status(self.repo, **options)  # type: ignore[arg-type]

    def follow(self) -> FollowResult:
        """Bring data folders to the records that git put into the work tree, as its hooks do."""
        with self.reopen().lock("a test"):
            return follow(self.repo)

    # -- git -----------------------------------------------------------------------------------

    def git(self, *arguments: str, check: bool = True) -> str:
        """Run git and return its output; ``check`` fails on a bad exit."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=False)
        text = os.fsdecode(done.stdout + done.stderr)
        assert not check or done.returncode == 0, text
        return text

    def assert_clean(self) -> None:
        """Check that veml and git agree that nothing is to be done, and that both are intact."""
        assert self.git("status", "--porcelain") == ""
        found = self.status()
        assert found.clean, found
        assert not found.untracked
        assert not found.untracked_data
        self.assert_intact()

    def assert_intact(self) -> None:
        """Check that git's objects and veml's store are whole."""
        from veml_vcs.repository.upkeep.fsck import fsck

        told = self.git("fsck", "--strict", "--no-dangling")
        assert "error" not in told
        assert "missing" not in told
        assert fsck(self.repo).problems == ()
