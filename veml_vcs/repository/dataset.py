"""A data set at a revision, read straight from the store: nothing is checked out.

>>> import veml_vcs as veml                                   # doctest: +SKIP
>>> ds = veml.open(".").dataset("images/train", "main")       # doctest: +SKIP
>>> ds[0].key, ds["0001.jpg"].annotation, ds[10:20]           # doctest: +SKIP
>>> ds.filter(classes=["car"], where="width >= 640").column("width")   # doctest: +SKIP

What these methods do in bulk (columns, orders, COCO) is in ``dataset_views``; docs/python.md shows
all of it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import AnnotationId, SampleId, TreeId
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.tree import Entry, EntryKind, Tree
from veml_vcs.versions.data import DataRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from veml_vcs.samples.series import Series


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
        try:
            return self._dataset.repository.contents.read(self.id)
        except DamagedError as error:
            raise DamagedError(
                f"{self._dataset.path}/{self.key}: {error}", hint=error.hint, kind=error.kind
            ) from error

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

    def values(self) -> NDArray[Any]:
        """Return the numbers of a file of a series, as the data set's layout reads it.

        Returns:
            float [T, N, F]; NaN where there is no value.

        Raises:
            FormatError: It is no table or array of numbers by time and sensor.
        """
        from veml_vcs.repository.contents.series import layout_of
        from veml_vcs.samples.formats.series import SeriesLayout
        from veml_vcs.samples.series import read_values

        layout = layout_of(self._dataset.facts) or SeriesLayout()
        return read_values(self.data, self.key, layout).values

    def boxes(self) -> tuple[NDArray[np.float64], list[str]]:
        """Return the boxes in pixels and their classes.

        Returns:
            float64 [n, 4] as x1, y1, x2, y2, and n class names. Objects without a box are left out.
        """
        import numpy as np

        from veml_vcs.samples.annotations import box_of

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

    def masks(self) -> tuple[NDArray[np.bool_], list[str]]:
        """Return the masks of the objects that have a polygon or a mask, and their classes.

        Returns:
            bool [n, height, width] and n class names.

        Raises:
            InvalidInputError: A mask is malformed, or of an image of another size.
            FormatError: Nothing says the image's size, and its bytes are no image.
        """
        import numpy as np

        from veml_vcs.samples.annotations import image_size
        from veml_vcs.samples.annotations.shapes import SHAPES, mask_of
        from veml_vcs.samples.images import image_shape

        said = self.annotation or {}
        shaped = [obj for obj in said.get("objects", ()) if any(name in obj for name in SHAPES)]
        size = image_size(said)
        width, height = (
            size if size[0] is not None else image_shape(self.data) if shaped else (0, 0)
        )
        masks, names = [], []
        for obj in shaped:
            mask = mask_of(obj, int(width or 0), int(height or 0))
            if mask is not None:
                masks.append(mask)
                names.append(str(obj.get("class")))
        shape = (len(masks), int(height or 0), int(width or 0))
        return np.array(masks, np.bool_).reshape(shape), names

    def _size(self, said: Annotation) -> tuple[float | None, float | None]:
        from veml_vcs.samples.annotations import image_size

        width, height = image_size(said)
        if width is None and any(
            "cxcywhn" in obj or "segmentation_n" in obj for obj in said.get("objects", ())
        ):
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
        """Key -> entry of every sample.

        Raises:
            NotFoundError: The data is not in this clone.
        """
        require_here(self.repository, self.path, self.record)
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
    def __getitem__(self, index: slice | list[int] | list[str] | NDArray[Any]) -> Dataset: ...
    def __getitem__(
        self, index: int | str | slice | list[int] | list[str] | NDArray[Any]
    ) -> Sample | Dataset:
        """Return a sample by position or key, or a data set of several.

        Several are a slice, a list of positions or keys, or a numpy array of positions or of truth
        values (one a sample).

        Raises:
            IndexError: There is no such position, or not one truth value a sample.
            NotFoundError: There is no such key.
        """
        if isinstance(index, slice):
            return self._of(self.keys[index])
        if isinstance(index, str):
            key = index
        else:
            try:
                key = self.keys[operator.index(index)]  # type: ignore[arg-type]
            except TypeError:  # not one position, but several
                from veml_vcs.repository.dataset_views import keys_at

                return self._of(keys_at(self, index))
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

    def filter(
        self,
        *,
        classes: Sequence[str] = (),
        keys: Sequence[str] = (),
        splits: Sequence[str] = (),
        min_area: float | None = None,
        max_area: float | None = None,
        min_objects: int | None = None,
        max_objects: int | None = None,
        where: str | None = None,
        objects: str | None = None,
    ) -> Dataset:
        """Return the samples that meet conditions: a view, nothing is stored.

        The conditions are those of ``veml data filter`` (docs/data.md), which makes a version.

        Args:
            classes: Samples with an object or label of any of these classes.
            keys: Samples whose key matches any of these shell patterns.
            splits: Samples in any of these splits.
            min_area: Samples with a box of at least so many square pixels.
            max_area: Samples with a box of at most so many square pixels.
            min_objects: At least so many objects must meet all conditions on objects.
            max_objects: At most so many may.
            where: An expression that must hold for the sample.
            objects: An expression that must hold for an object.

        Raises:
            InvalidInputError: An expression cannot be parsed, or something is named that no sample
                of this data set has.
        """
        from veml_vcs.repository.dataset_views import chosen_keys
        from veml_vcs.samples.query import Conditions

        wanted = Conditions(
            tuple(classes), tuple(keys), tuple(splits), min_area, max_area, min_objects,
            max_objects, where, objects,
        )  # fmt: skip
        return self._of(chosen_keys(self, wanted))

    def column(self, expression: str, *, of: Literal["samples", "objects"] = "samples") -> Any:
        """Return one value a sample, or one an object, as a numpy array.

        Args:
            expression: A field (``"width"``, ``"attributes.color"``), or any expression of
                docs/data.md (``"count(class == 'car')"``, ``"box.area"``).
            of: What is asked. Of ``objects``, all objects of all samples one after the other;
                ``"sample.key"`` tells whose they are.

        Returns:
            int64 where all values are whole numbers, float64 (NaN where there is none) where all
            are numbers, bool where all are truth values, text where all are texts, else object
            with None where there is none. Shape [n].

        Raises:
            InvalidInputError: The expression cannot be parsed.
        """
        from veml_vcs.repository.dataset_views import column

        return column(self, expression, of)

    def boxes(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Return all boxes in pixels.

        Returns:
            float64 [n, 4] as x1, y1, x2, y2; int64 [n], the position of each box's sample in this
            data set; int64 [n], the position of its class in ``classes`` (-1: it has none).
        """
        from veml_vcs.repository.dataset_views import all_boxes

        return all_boxes(self)

    def series(
        self,
        *,
        adjacency: str | None = None,
        values: Sequence[str] = (),
        form: Literal["wide", "long"] | None = None,
        time: Sequence[str] = (),
        sensor: str | None = None,
        features: Sequence[str] = (),
        array: str | None = None,
    ) -> Series:
        """Return the values of sensors over time, and their graph.

        Without arguments as the data set is laid out (docs/formats.md: a file called like an
        adjacency, or ``series.json``); with any, as they say.

        Args:
            adjacency: Key of the file with the graph.
            values: Keys of the files with values; none: all that fit the graph.
            form: ``wide``: a column a sensor; ``long``: a column says the sensor.
            time: Columns that tell the time.
            sensor: Column that tells the sensor, of a long table.
            features: Columns that are features, of a long table.
            array: Name of the array in an NPZ file.

        Returns:
            ``values`` float [T, N, F], ``adjacency`` float64 [N, N] or None, and the names of
            ``sensors``, ``times`` and ``features``.

        Raises:
            InvalidInputError: The data set is no series, and nothing says how it is one.
            FormatError: It cannot be read as one.
        """
        from veml_vcs.repository.contents.series import dataset_series
        from veml_vcs.samples.formats.series import SeriesLayout

        said = SeriesLayout(
            adjacency, tuple(values), form, tuple(time), sensor, tuple(features), array
        )
        return dataset_series(self, said)

    def array(self, name: str) -> NDArray[Any]:
        """Return a whole array of numbers.

        Args:
            name: The key of an NPY file, ``KEY[NAME]`` in an NPZ file, or, of a Zarr store, an
                array's folder (``/``: the store itself), as ``veml diff`` calls them.

        Raises:
            NotFoundError: There is no such array.
            FormatError: It cannot be read.
        """
        from veml_vcs.repository.contents.arrays import dataset_array

        return dataset_array(self, name)

    def to_coco(self) -> dict[str, Any]:
        """Return the annotations as one COCO document, whatever the data set's format is.

        ``file_name`` is the sample's key. What COCO has no place for is left out.

        Raises:
            InvalidInputError: A relative box needs an image's size, and nothing says it.
        """
        from veml_vcs.repository.dataset_views import to_coco

        return to_coco(self)

    def in_store_order(self) -> Dataset:
        """Return the samples in the order in which their bytes lie in the store.

        The fastest order to read them all in: files are read from front to back.
        """
        from veml_vcs.repository.dataset_views import store_order

        return self._of(store_order(self))

    def shuffled(self, seed: int = 0, *, block: int = 256, window: int = 8) -> Dataset:
        """Return the samples shuffled, and still near to the order of the store.

        Blocks of neighbours are put in a random order, and the samples of every ``window`` blocks
        are shuffled together: a stream as random as a shuffle buffer of ``block * window`` samples
        makes it, of which at most ``window`` places on disk are read at a time. Give another seed
        each epoch.

        Args:
            seed: Draws the order; the same seed gives the same order, on every machine that stores
                the samples in the same order.
            block: Samples that stay neighbours until the second step; 1 is a perfect shuffle.
            window: Blocks that are shuffled together.

        Raises:
            InvalidInputError: ``block`` or ``window`` is less than 1.
        """
        from veml_vcs.repository.dataset_views import shuffled_keys

        return self._of(shuffled_keys(self, seed, block, window))

    def _of(self, keys: Sequence[str]) -> Dataset:
        """Return a data set of some of the samples, which shares what is read already."""
        part = Dataset(self.repository, self.path, self.record, keys)
        known = self.entries
        part.__dict__["entries"] = {key: known[key] for key in part._chosen or ()}
        return part

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
