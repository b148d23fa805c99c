"""``veml data ls`` and ``veml data show``: samples of a version, one a line, and one in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veml_vcs.errors import MissingDependencyError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.contents.arrays import array_facts
from veml_vcs.repository.data.version import open_version
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.kinds import is_parquet
from veml_vcs.samples.query import Conditions, Selector
from veml_vcs.samples.tables import (
    TableSummary,
    is_table,
    read_parquet,
    read_table,
    summarise,
    summarise_parquet,
)
from veml_vcs.samples.tree import Entry

if TYPE_CHECKING:
    from veml_vcs.samples.arrays import ArrayFacts


@dataclass(frozen=True)
class Listed:
    """One sample of a list.

    Attributes:
        key: Its key.
        size_bytes: Length of its bytes.
        objects: Number of its objects; None where nothing is said of any.
        classes: Class names of its objects and labels, sorted.
        splits: The splits it is in.
        width: Of the image in pixels, as the annotation says.
        height: As ``width``.
    """

    key: str
    size_bytes: int
    objects: int | None = None
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True)
class Listing:
    """Samples of a data version that meet conditions.

    Attributes:
        path: The data set.
        revision: Its revision; None is what is staged.
        version: Its version id.
        total: Number of samples in the version.
        samples: Those that meet the conditions, in key order.
    """

    path: str
    revision: str | None
    version: VersionId
    total: int
    samples: tuple[Listed, ...]


@dataclass(frozen=True)
class ListedDataSet:
    """One data set of a list.

    Attributes:
        path: Its path from the repository's root.
        version: Its version id.
        format: The format of its annotations.
        task: What the annotations are for.
        samples: Number of samples.
        objects: Number of objects in all annotations.
        classes: Class names, in the order of the data set.
        content_bytes: Sum of the sizes of samples and files.
    """

    path: str
    version: VersionId
    format: str
    task: str
    samples: int
    objects: int
    classes: tuple[str, ...]
    content_bytes: int


@dataclass(frozen=True)
class ShownSample:
    """One sample in full.

    Attributes:
        path: The data set.
        key: The sample's key.
        entry: Its entry: content id, annotation id, size.
        annotation: What is said of it.
        width: Of the image, from its bytes; None if it is no image.
        height: As ``width``.
        table: Of a table: its form, columns and first rows.
        arrays: Of an NPY or NPZ file: what is in it.
        note: A sentence about what could not be shown.
    """

    path: str
    key: str
    entry: Entry
    annotation: Annotation | None
    width: int | None = None
    height: int | None = None
    table: TableSummary | None = None
    arrays: tuple[ArrayFacts, ...] = ()
    note: str | None = None


def list_data_sets(repo: Repository, revision: str | None = None) -> list[ListedDataSet]:
    """Return the data sets of a revision, sorted by path.

    Args:
        repo: The repository.
        revision: Its name; None is what is staged.

    Raises:
        NotFoundError: There is no such revision.
    """
    records = (
        repo.staged_datasets() if revision is None else repo.datasets_at(repo.resolve(revision))
    )
    return [
        ListedDataSet(
            path, blob_id(one.to_bytes()), one.facts.format, one.facts.task, one.samples,
            one.objects, tuple(kind.name for kind in one.facts.classes), one.content_bytes,
        )
        for path, one in sorted(records.items())
    ]  # fmt: skip


def list_data(
    repo: Repository, spec: str, conditions: Conditions, *, revision: str | None = None
) -> Listing:
    """List samples of a data version.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        conditions: Which samples.
        revision: A revision, instead of one in ``spec``.

    Raises:
        NotFoundError: There is no such data version.
        InvalidInputError: A condition makes no sense.
    """
    source = open_version(repo, spec, revision)
    chosen = source.chosen(Selector(conditions))
    listed = []
    for key, one in chosen.items():
        width, height = one.said.get("width"), one.said.get("height")
        objects = one.said.get("objects")
        listed.append(
            Listed(
                key,
                source.samples[key].size,
                None if objects is None else len(objects),
                tuple(one.classes),
                tuple(one.said.get("splits", ())),
                width,
                height,
            )
        )
    return Listing(source.path, source.revision, source.id, source.record.samples, tuple(listed))


def show_sample(
    repo: Repository, spec: str, key: str, *, revision: str | None = None
) -> tuple[ShownSample, bytes | None]:
    """Return one sample in full, and its bytes (None where the image is absent).

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        key: The sample's key, or its end if that is unique.
        revision: A revision, instead of one in ``spec``.

    Raises:
        NotFoundError: There is no such data version or sample.
    """
    source = open_version(repo, spec, revision)
    entry = source.entries.get(key)
    if entry is None:
        key = _by_end(key, list(source.entries), source.name)
        entry = source.entries[key]
    said = None if entry.annotation is None else repo.annotations.read(entry.annotation)
    data = None if entry.content is None else repo.contents.read(entry.content)
    size = source.size_of(key)
    width, height = size if size is not None else (None, None)
    table, note = (None, None) if data is None else _table(data, key)
    arrays = () if data is None else array_facts(data, key)
    return ShownSample(source.path, key, entry, said, width, height, table, arrays, note), data


def _table(data: bytes, key: str) -> tuple[TableSummary | None, str | None]:
    """Summarise a table; None, and a note where a package is missing, if it cannot be read."""
    if is_table(key):
        return summarise(read_table(data, key)), None
    if not is_parquet(key):
        return None, None
    try:
        return summarise_parquet(read_parquet(data, key)), None
    except MissingDependencyError as error:
        return None, f"{error.message}; {error.hint}"


def _by_end(key: str, keys: Sequence[str], name: str) -> str:
    """Find a key by its last components."""
    found = [one for one in keys if one.endswith("/" + key)]
    if len(found) == 1:
        return found[0]
    from difflib import get_close_matches

    near = found[:3] or get_close_matches(key, keys, 3, 0.5)
    raise NotFoundError(
        f"{name}: no sample {key!r}" if not found else f"{name}: {key!r} ends several keys",
        hint=f"did you mean {', '.join(near)}?" if near else "veml data ls lists them",
        kind="no-such-path",
    )
