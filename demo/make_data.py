"""Draw the small data sets of ``demo/data`` again from the full tars.

Run it as ``VEML_DATA=<folder of tars> python demo/make_data.py``. Of each data set it takes images
at even steps through the sorted names, with their annotation files and the licence, byte for byte
as the tar has them; lists of names (``ImageSets``) are cut down to the images taken. The result
depends on the tars alone, so running it twice changes nothing. ``demo/data/README.md`` is written
by hand and stays.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

TARGET = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True)
class Subset:
    """One Pascal VOC data set to draw from.

    Attributes:
        name: Name of the tar, and of the folder in it.
        images: How many images to take.
        root: The folder inside the tar that holds ``JPEGImages`` and ``Annotations``.
    """

    name: str
    images: int
    root: str


SUBSETS = (
    Subset("carla_town01", 64, "carla_town01"),
    Subset("carla_town03", 56, "carla_town03"),
    Subset("bccd", 20, "bccd/BCCD"),
)


def even_steps(names: list[str], count: int) -> list[str]:
    """Return ``count`` of the names, at even steps through their sorted order.

    Raises:
        ValueError: There are fewer than ``count`` names.
    """
    if count > len(names):
        raise ValueError(f"expected at least {count} images, found {len(names)}")
    ordered = sorted(names)
    return [ordered[i * len(ordered) // count] for i in range(count)]


def draw(subset: Subset, archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the bytes of each file of a subset.

    Args:
        subset: What to take.
        archive: The open tar of that data set.

    Raises:
        KeyError: An image has no annotation file, or the data set no licence.
    """
    files = {member.name: member for member in archive.getmembers() if member.isfile()}

    def content(path: str) -> bytes:
        stream = archive.extractfile(files[path])
        if stream is None:
            raise KeyError(path)
        return stream.read()

    images = [name for name in files if name.startswith(f"{subset.root}/JPEGImages/")]
    taken = even_steps(images, subset.images)
    stems = {PurePosixPath(name).stem for name in taken}
    yield f"{subset.name}/LICENSE", content(f"{subset.name}/LICENSE")
    for image in taken:
        annotation = f"{subset.root}/Annotations/{PurePosixPath(image).stem}.xml"
        yield image, content(image)
        yield annotation, content(annotation)
    for path in sorted(files):
        if path.startswith(f"{subset.root}/ImageSets/"):
            lines = content(path).decode().splitlines(keepends=True)
            yield path, "".join(line for line in lines if line.strip() in stems).encode()


def make(source: Path, target: Path) -> int:
    """Replace the data sets under ``target`` by fresh draws.

    Args:
        source: Folder that holds ``NAME.tar`` of each subset.
        target: Folder to write to.

    Returns:
        Bytes written.

    Raises:
        FileNotFoundError: A tar is missing.
    """
    total_bytes = 0
    for subset in SUBSETS:
        with tarfile.open(source / f"{subset.name}.tar") as archive:
            shutil.rmtree(target / subset.name, ignore_errors=True)
            for path, data in draw(subset, archive):
                file = target / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
                total_bytes += len(data)
    return total_bytes


def main() -> None:
    """Run from the command line."""
    source = os.environ.get("VEML_DATA")
    if source is None:
        raise SystemExit("make_data.py: set VEML_DATA to the folder that holds the tars")
    total_bytes = make(Path(source), TARGET)
    sys.stdout.write(f"{TARGET.name}: {total_bytes / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
