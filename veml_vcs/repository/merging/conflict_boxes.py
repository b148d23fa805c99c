"""The objects of a sample in conflict, side by side: what a person needs to see to decide.

Read from the index, where Git keeps the three records of a path in conflict; so it is the same for
a merge of veml's and for one that plain git began. Nothing is merged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from veml_vcs.errors import FormatError
from veml_vcs.repository.absent import is_here
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations.boxes import Box, box_of, image_size, iou, objects_of
from veml_vcs.samples.annotations.match import content_of, match_objects
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tree import Tree
from veml_vcs.versions.data import RECORD_SUFFIX, parse_data_record

Changed = Literal["", "ours", "theirs", "both"]


@dataclass(frozen=True)
class ConflictBox:
    """One object on the three sides.

    Attributes:
        classes: Its class in base, ours and theirs; None where it is not there or has none.
        boxes: Its box (left, top, right, bottom, pixels) on these sides; None where it has none.
        there: On which of the sides it is.
        overlap: Intersection over union of our box and theirs; None where one is missing.
        changed: Which side differs from base.
        contradicts: Whether both differ from base, and from each other.
    """

    classes: tuple[str | None, str | None, str | None]
    boxes: tuple[Box | None, Box | None, Box | None]
    there: tuple[bool, bool, bool]
    overlap: float | None
    changed: Changed
    contradicts: bool


def conflict_boxes(repo: Repository, dataset: str, key: str) -> tuple[ConflictBox, ...]:
    """Return the objects of a sample on all sides, those that contradict each other first.

    Nothing where the data set is not in conflict in the index, where the data is not in this clone,
    or where no side has objects.
    """
    path = dataset + RECORD_SUFFIX
    if path not in repo.git.conflicted_paths():
        return ()
    said = [_annotation(repo, path, file, key) for file in repo.git.conflict_stages(path)]
    width, height = image_size(*said)
    sides = [objects_of(one) for one in said]
    base, ours, theirs = sides
    to_ours = match_objects(base, ours, width=width, height=height)
    to_theirs = match_objects(base, theirs, width=width, height=height)
    in_ours, in_theirs = dict(to_ours.pairs), dict(to_theirs.pairs)
    rows: list[tuple[int | None, int | None, int | None]] = [
        (i, in_ours.get(i), in_theirs.get(i)) for i in range(len(base))
    ]
    new_ours = [ours[i] for i in to_ours.added]
    new_theirs = [theirs[i] for i in to_theirs.added]
    # Ids of two new objects mean nothing: both tools number their first new box alike.
    new = match_objects(
        _without_ids(new_ours), _without_ids(new_theirs), width=width, height=height
    )
    rows += [(None, to_ours.added[i], to_theirs.added[j]) for i, j in new.pairs]
    rows += [(None, to_ours.added[i], None) for i in new.removed]
    rows += [(None, None, to_theirs.added[j]) for j in new.added]
    found = [_row(sides, row, (width, height)) for row in rows]
    return tuple(sorted(found, key=lambda one: not one.contradicts))


def _without_ids(objects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "id"} for one in objects]


def _annotation(repo: Repository, path: str, file: TreeFile | None, key: str) -> Annotation | None:
    if file is None:
        return None
    try:
        record = parse_data_record(repo.git.read_blob(file.blob), path)
    except FormatError:
        return None  # said where the conflict is listed
    entry = Tree(repo.store, record.tree).get(key) if is_here(repo, record) else None
    if entry is None or entry.annotation is None:
        return None
    found: Annotation = repo.annotations.read_many({entry.annotation})[entry.annotation]
    return found


def _row(
    sides: Sequence[Sequence[dict[str, Any]]],
    places: tuple[int | None, int | None, int | None],
    size: tuple[float | None, float | None],
) -> ConflictBox:
    objects = [side[i] if i is not None else None for side, i in zip(sides, places, strict=True)]
    contents = [None if one is None else content_of(one) for one in objects]
    boxes = [None if one is None else box_of(one, width=size[0], height=size[1]) for one in objects]
    names = [None if one is None else one.get("class") for one in objects]
    ours, theirs = contents[1] != contents[0], contents[2] != contents[0]
    changed: Changed = "both" if ours and theirs else "ours" if ours else "theirs" if theirs else ""
    overlap = iou(boxes[1], boxes[2]) if boxes[1] is not None and boxes[2] is not None else None
    return ConflictBox(
        classes=(_text(names[0]), _text(names[1]), _text(names[2])),
        boxes=(boxes[0], boxes[1], boxes[2]),
        there=(objects[0] is not None, objects[1] is not None, objects[2] is not None),
        overlap=overlap,
        changed=changed,
        contradicts=changed == "both" and contents[1] != contents[2],
    )


def _text(name: Any) -> str | None:
    return None if name is None else str(name)
