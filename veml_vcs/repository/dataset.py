"""A data set at a revision, read straight from the store: nothing is checked out.

>>> import veml_vcs as veml                                   # doctest: +SKIP
>>> ds = veml.open(".").dataset("images/train", "main")       # doctest: +SKIP
>>> ds[0].key, ds["0001.jpg"].annotation, ds[10:20]           # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import AnnotationId, SampleId, TreeId
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import box_of, image_size
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.tree import Entry, EntryKind, Tree
from veml_vcs.versions.data import DataRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Sample:
    """One sample of a data set; bytes and annotation are read when asked for.

    Attributes:
        key: Its path in the data set.
        entry: What the tree says of it.
    """

    __slots__ = ("_dataset", "entry", "key")

    def __init__(self, dataset: Dataset, key: str, entry: Entry) -> None:
        self._dataset = dataset
        self.key = key
        self.entry = entry

    @property
    def id(self) -> SampleId:
        """SHA-256 of the bytes."""
        assert self.entry.content is not None
        return self.entry.content

    @property
    def size_bytes(self) -> int:
        """Length of the bytes."""
        return self.entry.size

    @property
    def data(self) -> bytes:
        """The bytes, checked against the id.

        Raises:
            NotFoundError: This clone's store does not have them.
            DamagedError: What is stored is not what the id says.
        """
        return self._dataset.repository.contents.read(self.id)

    @property
    def annotation(self) -> Annotation | None:
        """What is said about the sample (see docs/concepts.md), or None."""
        found = self.entry.annotation
        return None if found is None else self._dataset.repository.annotations.read(found)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The sample's objects, as the source has them."""
        said = self.annotation
        return [] if said is None else list(said.get("objects", ()))

    @property
    def labels(self) -> list[str]:
        """Class names of the sample as a whole."""
        said = self.annotation
        return [] if said is None else list(said.get("labels", ()))

    def boxes(self) -> tuple[NDArray[np.float64], list[str]]:
        """Return the boxes in pixels and their classes.

        Returns:
            float64 [n, 4] as x1, y1, x2, y2, and n class names. Objects without a box are left out.
        """
        import numpy as np

        said = self.annotation
        boxes, names = [], []
        if said is not None:
            width, height = self._size(said)
            for obj in said.get("objects", ()):
                box = box_of(obj, width, height)
                if box is not None:
                    boxes.append(tuple(box))
                    names.append(str(obj.get("class")))
        return np.array(boxes, np.float64).reshape(-1, 4), names

    def _size(self, said: Annotation) -> tuple[float | None, float | None]:
        width, height = image_size(said)
        if width is None and any("cxcywhn" in obj for obj in said.get("objects", ())):
            from veml_vcs.samples.images import image_shape

            return image_shape(self.data)
        return width, height

    def __repr__(self) -> str:
        return f"Sample({self.key!r}, {self.size_bytes} bytes)"


class Dataset(Sequence[Sample]):
    """The samples of one data version, in key order; slicing gives a data set of the chosen ones.

    Safe to pass to worker processes: it is pickled as the place of its repository and its keys.

    Args:
        repository: The repository.
        path: The data set's folder.
        record: The version.
        keys: Only these samples, in this order; None is all in key order.
    """

    def __init__(
        self,
        repository: Repository,
        path: str,
        record: DataRecord,
        keys: Sequence[str] | None = None,
    ) -> None:
        self.repository = repository
        self.path = path
        self.record = record
        self._chosen = None if keys is None else list(keys)

    @property
    def facts(self) -> Facts:
        """Format, classes and layout."""
        return self.record.facts

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the data set's order."""
        return tuple(one.name for one in self.record.facts.classes)

    @property
    def tree(self) -> TreeId:
        """Digest of the content: equal trees, equal data."""
        return self.record.tree

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Key -> entry of every sample."""
        tree = Tree(self.repository.store, self.record.tree)
        found = {key: entry for key, entry in tree.items() if entry.kind is EntryKind.SAMPLE}
        return found if self._chosen is None else {key: found[key] for key in self._chosen}

    @cached_property
    def keys(self) -> list[str]:
        """The samples' keys."""
        return list(self.entries)

    def __len__(self) -> int:
        return self.record.samples if self._chosen is None else len(self._chosen)

    @overload
    def __getitem__(self, index: int | str) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | str | slice) -> Sample | Dataset:
        """Return a sample by position or key, or a data set of a slice.

        Raises:
            IndexError: There is no such position.
            NotFoundError: There is no such key.
        """
        if isinstance(index, slice):
            return Dataset(self.repository, self.path, self.record, self.keys[index])
        key = index if isinstance(index, str) else self.keys[index]
        entry = self.entries.get(key)
        if entry is None:
            raise NotFoundError(f"no sample {key!r} in {self.path}")
        return Sample(self, key, entry)

    def __iter__(self) -> Iterator[Sample]:
        for key, entry in self.entries.items():
            yield Sample(self, key, entry)

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __repr__(self) -> str:
        return f"Dataset({self.path!r}, {len(self)} samples, tree {self.tree.hex()[:10]})"

    def annotations(self) -> dict[str, Annotation]:
        """Return what is said of every sample that has an annotation, read in bulk."""
        wanted: dict[str, AnnotationId] = {
            key: entry.annotation for key, entry in self.entries.items() if entry.annotation
        }
        found = self.repository.annotations.read_many(wanted.values())
        return {key: found[one] for key, one in wanted.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.repository.root, self.path, self.record, self._chosen)


def _reopen(root: str, path: str, record: DataRecord, keys: list[str] | None) -> Dataset:
    return Dataset(Repository(root), path, record, keys)


def dataset(repo: Repository, path: str, revision: str | None = None) -> Dataset:
    """Open a data set at a revision, or as it is staged.

    Raises:
        NotFoundError: There is no such data set there.
    """
    relative = path.rstrip("/")
    return Dataset(repo, relative, repo.record_at(relative, revision))
