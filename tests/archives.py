"""Archives of real data, and of old repositories, unpacked for a test."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive that is ours: Python 3.11 before 3.11.4 knows no filter yet."""
    with tarfile.open(archive) as file:
        if hasattr(tarfile, "data_filter"):
            file.extractall(folder, filter="data")
        else:
            file.extractall(folder)


def unpack_data(name: str, folder: Path) -> None:
    """Unpack one of the real data sets (mark ``data``), with or without compression."""
    root = Path(os.environ["VEML_DATA"])
    (archive,) = root.glob(f"{name}.tar*")
    unpack(archive, folder)
