"""What a ``Dataset`` answers in bulk: choices, columns, boxes, orders, COCO.

Functions over a data set, so that ``dataset`` stays the small thing that worker processes import.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import convert, get_format
from veml_vcs.samples.images import image_shape
from veml_vcs.samples.query import Conditions, SampleScope, Selector, parse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from veml_vcs.repository.dataset import Dataset

_COCO_FILE = "annotations.json"


def keys_at(dataset: Dataset, index: Any) -> list[str]:
    """Return the keys at positions, of keys, or where truth values are true.

    Raises:
        IndexError: There is no such position, or not one truth value a sample.
        NotFoundError: There is no such key.
    """
    keys = dataset.keys
    chosen = np.asarray(index)
    if chosen.dtype == bool:
        if chosen.shape != (len(keys),):
            raise IndexError(f"{len(keys)} samples, but truth values of shape {chosen.shape}")
        return [keys[place] for place in np.flatnonzero(chosen)]
    found = []
    for one in index:
        if isinstance(one, str):
            if one not in dataset.entries:
                raise NotFoundError(f"no sample {one!r} in {dataset.path}")
            found.append(str(one))
        else:
            found.append(keys[one])
    return found


def scopes(dataset: Dataset) -> list[SampleScope]:
    """Return every sample as expressions see it, in the data set's order."""
    said = dataset.annotations()

    def size_of(key: str) -> tuple[int, int] | None:
        try:
            return image_shape(dataset[key].data)
        except FormatError:
            return None

    return [
        SampleScope(key, entry.size, said.get(key), size_of)
        for key, entry in dataset.entries.items()
    ]


def chosen_keys(dataset: Dataset, conditions: Conditions) -> list[str]:
    """Return the keys of the samples that meet conditions.

    Raises:
        InvalidInputError: A condition makes no sense in this data set.
    """
    selector = Selector(conditions)
    every = scopes(dataset)
    selector.check_names((one.said for one in every), dataset.classes)
    return [one.key for one in every if selector.chooses(one)]


def column(dataset: Dataset, expression: str, of: str) -> NDArray[Any]:
    """Return the values of an expression; see ``Dataset.column``."""
    parsed = parse(expression)
    if of == "samples":
        return _array([parsed.value(one) for one in scopes(dataset)])
    if of != "objects":
        raise InvalidInputError(f"of={of!r}: expected 'samples' or 'objects'")
    return _array([parsed.value(obj) for one in scopes(dataset) for obj in one.objects()])


def _array(values: list[Any]) -> NDArray[Any]:
    kinds = set(map(type, values))
    if kinds == {bool}:
        return np.array(values, np.bool_)
    if kinds == {int} and all(abs(one) < 1 << 63 for one in values):
        return np.array(values, np.int64)
    if kinds <= {int, float, type(None)} and kinds & {int, float}:
        return np.array([np.nan if one is None else one for one in values], np.float64)
    if kinds == {str}:
        return np.array(values, np.str_)
    result = np.empty(len(values), object)
    result[:] = values
    return result


def all_boxes(
    dataset: Dataset,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return boxes, positions of their samples, positions of their classes."""
    classes = {name: place for place, name in enumerate(dataset.classes)}
    boxes, samples, labels = [], [], []
    for place, one in enumerate(scopes(dataset)):
        for obj in one.objects():
            box = obj.box()
            if box is not None:
                boxes.append((box["x1"], box["y1"], box["x2"], box["y2"]))
                samples.append(place)
                labels.append(classes.get(obj.obj.get("class", ""), -1))
    return (
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array(samples, np.int64),
        np.array(labels, np.int64),
    )


def to_coco(dataset: Dataset) -> dict[str, Any]:
    """Return one COCO document; see ``Dataset.to_coco``."""
    said: dict[str, Annotation] = {key: {} for key in dataset.entries}
    said |= {key: _alone(one) for key, one in dataset.annotations().items()}
    facts = dataset.facts
    if facts.format == "coco":
        extra = next(iter(facts.extra.values())) if len(facts.extra) == 1 else {}
        kept = {name: value for name, value in extra.items() if name != "categories"}
        target = Facts(
            "coco", facts.task, facts.classes, {"files": {_COCO_FILE: {}}}, {_COCO_FILE: kept}
        )
        annotations: Mapping[str, Annotation] = {
            key: {"objects": [], **one} for key, one in said.items()
        }
    else:
        sizes = {one.key: _whole(one.size) for one in scopes(dataset)}
        known = {key: size for key, size in sizes.items() if size is not None}
        done = convert(said, facts, "coco", known)
        target, annotations = done.facts, done.annotations
    (document,) = get_format("coco").write(annotations, target).values()
    result: dict[str, Any] = json.loads(document)
    return result


def _alone(said: Annotation) -> Annotation:
    """Return an annotation without what says in which of several files and splits it stands."""
    one = {k: v for k, v in said.items() if k not in ("splits", "sources", "entries", "file_name")}
    if "objects" in one:
        one["objects"] = [
            {name: value for name, value in obj.items() if name != "source"}
            for obj in one["objects"]
        ]
    return one


def _whole(size: tuple[float | None, float | None]) -> tuple[int, int] | None:
    width, height = size
    return None if width is None or height is None else (int(width), int(height))


def store_order(dataset: Dataset) -> list[str]:
    """Return the keys in the order in which their bytes lie in the store; unknown ones last."""
    return [dataset.keys[place] for place in _order(dataset)]


def shuffled_keys(dataset: Dataset, seed: int, block: int, window: int) -> list[str]:
    """Return the keys shuffled by blocks; see ``Dataset.shuffled``.

    Raises:
        InvalidInputError: ``block`` or ``window`` is less than 1.
    """
    if block < 1 or window < 1:
        raise InvalidInputError(f"block {block}, window {window}: expected 1 or more of each")
    random = np.random.default_rng(seed)
    order = _order(dataset)
    blocks = [order[start : start + block] for start in range(0, len(order), block)]
    places = random.permutation(len(blocks))
    keys = dataset.keys
    result: list[str] = []
    for start in range(0, len(blocks), window):
        part = np.concatenate([blocks[place] for place in places[start : start + window]])
        result += [keys[place] for place in random.permutation(part)]
    return result


def _order(dataset: Dataset) -> NDArray[np.int64]:
    """Return the positions of the samples by fragment and row."""
    contents: Iterable[Any] = [entry.content for entry in dataset.entries.values()]
    wanted: Sequence[Any] = list(contents)
    if not wanted:
        return np.zeros(0, np.int64)
    places = dataset.repository.catalog.find_many(wanted, "content")
    missing = (places[:, 0] < 0).astype(np.int64)
    return np.lexsort((places[:, 1], places[:, 0], missing)).astype(np.int64)
