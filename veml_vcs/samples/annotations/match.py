"""Which object of one annotation is which object of another version of it.

In three steps, each on what the step before left over:

1. **The source's own id**, where an id stands once on each side. It decides alone: a box that was
   both relabelled and drawn anew elsewhere is still that box, for that is what an id is for.
2. **Identical content**, the id aside, so that a tool that numbers boxes anew changes nothing else.
   Found by hashing; of several equal objects, the k-th goes with the k-th.
3. **Class and overlap**, best first, in this order:

   * same class, IoU >= 0.5: the field's convention (VOC, COCO) for "the same object";
   * other class, IoU >= 0.5: relabelled. After the first, since where boxes crowd, the neighbour's
     box of the right class is the better guess; before the next, since so much overlap says more
     than a class that many objects of the image share;
   * same class, IoU >= 0.1, unless both have ids, which differ: moved far. Below that the class
     alone is left, which is no evidence; and little overlap does not outweigh two ids.

   Greedy by IoU: pairs of an assignment that is optimal in total can be worse one by one, and what
   people want to see is the obvious pairs. Ties go to the lower indices, so the result is
   deterministic.

An object without a usable box can only match in the first two steps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from veml_vcs.samples.annotations.boxes import AnnotatedObject, Box, box_of, iou
from veml_vcs.samples.annotations.canonical import canonical_json

SAME_OBJECT_IOU = 0.5
MOVED_FAR_IOU = 0.1

ObjectKey: TypeAlias = int | float | str
"""An id that can name an object: a number or a text."""

Rank: TypeAlias = Callable[[AnnotatedObject, AnnotatedObject, float], int | None]
"""From an old object, a new one and their IoU to the rank of the pair, 0 being best, or None."""


@dataclass(frozen=True)
class Matching:
    """Which objects belong together, by their indices in the two lists.

    Attributes:
        pairs: (old index, new index), sorted.
        removed: Old indices without a partner, sorted.
        added: New indices without a partner, sorted.
    """

    pairs: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]


def match_objects(
    old: Sequence[AnnotatedObject],
    new: Sequence[AnnotatedObject],
    *,
    width: float | None = None,
    height: float | None = None,
) -> Matching:
    """Match the objects of two versions of one annotation.

    Args:
        old: Objects before.
        new: Objects after.
        width: Of the image in pixels, if known. Needed only where one version has relative boxes
            and the other has pixels.
        height: As ``width``.

    Raises:
        InvalidInputError: An object is not made of JSON values.
    """
    found = _pair_by_id(old, new)
    return pair_up(old, new, found, usual_rank, (width, height))


def pair_up(
    old: Sequence[AnnotatedObject],
    new: Sequence[AnnotatedObject],
    found: dict[int, int],
    rank: Rank,
    size: tuple[float | None, float | None],
) -> Matching:
    """Complete the pairs in ``found`` (old index -> new index) by content, then by ``rank``."""
    pairs = dict(found)
    rest_old, rest_new = _rest(len(old), pairs.keys()), _rest(len(new), pairs.values())
    if rest_old and rest_new:
        pairs.update(_pair_by_content(old, rest_old, new, rest_new))
        rest_old, rest_new = _rest(len(old), pairs.keys()), _rest(len(new), pairs.values())
    if rest_old and rest_new:
        pairs.update(_pair_by_overlap(old, rest_old, new, rest_new, rank, size))
        rest_old, rest_new = _rest(len(old), pairs.keys()), _rest(len(new), pairs.values())
    return Matching(tuple(sorted(pairs.items())), tuple(rest_old), tuple(rest_new))


def usual_rank(old: AnnotatedObject, new: AnnotatedObject, overlap: float) -> int | None:
    """Rank pairs of two versions of one object: step 3 of the module's rules."""
    if overlap >= SAME_OBJECT_IOU:
        return 0 if same_class(old, new) else 1
    if overlap >= MOVED_FAR_IOU and same_class(old, new):
        # Left over from step 1, so their ids differ, unless one stands twice on a side.
        return None if object_key(old) is not None and object_key(new) is not None else 2
    return None


def same_class(old: AnnotatedObject, new: AnnotatedObject) -> bool:
    """Tell whether two objects have one class, or none."""
    return bool(old.get("class") == new.get("class"))


def object_key(obj: AnnotatedObject) -> ObjectKey | None:
    """Return the object's own id, or None if it has none that can name it."""
    return as_key(obj.get("id"))


def as_key(value: Any) -> ObjectKey | None:
    """Return the value of an ``id`` field if it can name an object, else None."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return None


def unique_keys(objects: Sequence[AnnotatedObject]) -> dict[ObjectKey, int]:
    """Return id -> index for the ids that stand once among the objects."""
    keys = list(map(object_key, objects))
    found = {key: index for index, key in enumerate(keys) if key is not None}
    if len(found) == len(keys):
        return found
    counts = Counter(keys)
    return {key: index for key, index in found.items() if counts[key] == 1}


def content_of(obj: AnnotatedObject) -> bytes:
    """Return the canonical form of all that an object says, its id aside."""
    if "id" in obj:
        obj = {name: value for name, value in obj.items() if name != "id"}
    return canonical_json(obj, what="object")


def _rest(count: int, taken: Collection[int]) -> list[int]:
    gone = set(taken)
    return [index for index in range(count) if index not in gone]


def _pair_by_id(old: Sequence[AnnotatedObject], new: Sequence[AnnotatedObject]) -> dict[int, int]:
    new_keys = unique_keys(new)
    return {index: new_keys[key] for key, index in unique_keys(old).items() if key in new_keys}


def _pair_by_content(
    old: Sequence[AnnotatedObject],
    rest_old: list[int],
    new: Sequence[AnnotatedObject],
    rest_new: list[int],
) -> dict[int, int]:
    waiting: defaultdict[bytes, deque[int]] = defaultdict(deque)
    for index in rest_new:
        waiting[content_of(new[index])].append(index)
    pairs = {}
    for index in rest_old:
        partners = waiting.get(content_of(old[index]))
        if partners:
            pairs[index] = partners.popleft()
    return pairs


def _pair_by_overlap(
    old: Sequence[AnnotatedObject],
    rest_old: list[int],
    new: Sequence[AnnotatedObject],
    rest_new: list[int],
    rank: Rank,
    size: tuple[float | None, float | None],
) -> dict[int, int]:
    old_boxes = _boxes_by_left(old, rest_old, size)
    new_boxes = _boxes_by_left(new, rest_new, size)
    candidates: list[tuple[int, float, int, int]] = []
    for i, j, overlap in _overlapping(old_boxes, new_boxes):
        place = rank(old[i], new[j], overlap)
        if place is not None:
            candidates.append((place, -overlap, i, j))
    candidates.sort()
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, j in candidates:
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs


def _overlapping(
    old_boxes: list[tuple[Box, int]], new_boxes: list[tuple[Box, int]]
) -> list[tuple[int, int, float]]:
    """Return (old index, new index, IoU) of all pairs that overlap.

    Two boxes overlap along x if and only if the left edge of one lies within the other. So each box
    needs a look only at those of the other side that begin within it: sorting and bisecting leaves
    all pairs that share no x aside, which in a crowded image are most.
    """
    found = []
    old_lefts = [box[0] for box, _ in old_boxes]
    new_lefts = [box[0] for box, _ in new_boxes]
    for box, i in old_boxes:
        first, last = bisect_left(new_lefts, box[0]), bisect_right(new_lefts, box[2])
        for other, j in new_boxes[first:last]:
            overlap = iou(box, other)
            if overlap > 0:
                found.append((i, j, overlap))
    for box, j in new_boxes:
        # An equal left edge was seen above.
        first, last = bisect_right(old_lefts, box[0]), bisect_right(old_lefts, box[2])
        for other, i in old_boxes[first:last]:
            overlap = iou(other, box)
            if overlap > 0:
                found.append((i, j, overlap))
    return found


def _boxes_by_left(
    objects: Sequence[AnnotatedObject],
    indices: list[int],
    size: tuple[float | None, float | None],
) -> list[tuple[Box, int]]:
    boxes = []
    for index in indices:
        box = box_of(objects[index], *size)
        if box is not None:
            boxes.append((box, index))
    boxes.sort()
    return boxes
