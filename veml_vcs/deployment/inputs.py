"""What is predicted on: image files, folders of them, samples of data versions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.images import is_image
from veml_vcs.training.inputs import data_version


@dataclass(frozen=True)
class Input:
    """One image.

    Attributes:
        name: Its path, or folder and key of a data set.
        read: Returns the bytes of its file.
        data: The data version that it is of; None of a file.
        key: Its key there.
    """

    name: str
    read: Callable[[], bytes]
    data: Dataset | None = None
    key: str = ""


def inputs_of(repo: Repository, given: Sequence[str], notes: list[str]) -> tuple[Input, ...]:
    """Return the images that are meant.

    A folder that is a data set is its version, as staged; any other is looked through for images.

    Args:
        repo: The repository.
        given: Files, folders, ``PATH@REV`` or ``REV:PATH``.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such file, folder or data version, or no image in it.
        ConflictError: The folder of a data set differs from its version.
    """
    found: list[Input] = []
    for one in given:
        if os.path.isfile(one):
            found.append(Input(one, partial(_file, one)))
            continue
        if os.path.isdir(one) and not _is_data_set(repo, one):
            images = _images_below(one)
        else:
            images = _samples(repo, one, notes)
        if not images:
            raise NotFoundError(f"{one}: no image in it", kind="no-such-path")
        found += images
    return tuple({image.name: image for image in found}.values())


def _is_data_set(repo: Repository, folder: str) -> bool:
    full = os.path.abspath(folder)
    inside = full == repo.root or full.startswith(os.path.join(repo.root, ""))
    return inside and repo.relative(folder) in repo.staged_datasets()


def _images_below(folder: str) -> list[Input]:
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(files):
            path = os.path.join(place, name)
            if is_image(name):
                found.append(Input(path, partial(_file, path)))
    return found


def _samples(repo: Repository, spec: str, notes: list[str]) -> list[Input]:
    data, _ = data_version(repo, spec, notes)
    return [
        Input(f"{data.path}/{key}", partial(_sample, data, key), data, key)
        for key in data.keys
        if is_image(key)
    ]


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error


def _sample(data: Dataset, key: str) -> bytes:
    return data[key].data
