"""Which images an edit of a COCO file touched, found without parsing all of the file again.

Moving a few boxes changes a few objects of the list ``annotations`` and nothing else. Both contents
of the file are cut into the texts of these objects (C code, no JSON), the lists of texts are
compared, and only the images whose objects differ are parsed. What is not plainly such an edit is
answered with None, and the file is read as a whole.

Why cutting is safe. The old content was read as COCO before. Cutting is only done where braces tell
objects apart: no backslash anywhere, ``annotations`` named once, between its brackets as many
opening as closing braces as there are texts, each naming ``image_id`` once. A text that is taken
out or put in is parsed on its own. In valid JSON without backslashes a quoted ``"image_id"`` cannot
be the inside of a string (the quotes around it would end and begin strings, and a bare ``image_id``
is no JSON), so each text taken out is an object of the old list, and putting valid objects there
keeps the file valid. All other texts are the same on both sides, in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import chain
from operator import methodcaller
from typing import Any, NamedTuple

from veml_vcs.errors import FormatError
from veml_vcs.samples.formats.json_text import parse_json

_OPENING = re.compile(rb'"annotations"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*\{')
_CLOSING = re.compile(rb"\}[ \t\r\n]*\]")
_SEPARATOR = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_IMAGE = re.compile(rb'"image_id"[ \t\r\n]*:[ \t\r\n]*')
_ID = re.compile(rb'"id"[ \t\r\n]*:[ \t\r\n]*(-?[0-9]+)[ \t\r\n]*(?:,|$)')
_FEW = 4
"""An edit of more than a quarter of the objects is not looked at place by place."""


class Cut(NamedTuple):
    """A file cut up.

    Attributes:
        before: What stands before the first object's ``{``.
        inside: All between that and the last object's ``}``.
        objects: The objects of the list ``annotations``, without their outer braces.
        separator: What stands between two of them; empty where there is one only.
        after: What follows the last ``}``.
    """

    before: bytes
    inside: bytes
    objects: list[bytes]
    separator: bytes
    after: bytes


def changed_part(old: bytes, new: bytes, key: str) -> dict[str, Any] | None:
    """Return the document in ``new``, with changed images and their objects alone.

    Args:
        old: Content of the file that was read as COCO before.
        new: Its content now.
        key: The file, for messages.

    Returns:
        The document: ``images`` are those whose objects differ, ``annotations`` all objects of
        these, the rest is whole. None if more than objects changed, or it cannot be told so.
    """
    was, now = cut(old), cut(new)
    if was is None or now is None or (was.before, was.after) != (now.before, now.after):
        return None
    edit = _edit(was.objects, now.objects)
    if edit is None:
        return None
    gone, come = (parsed(texts, key) for texts in edit)
    if gone is None or come is None or not _ids_stay_unique(gone, come, now.objects):
        return None
    touched = {one.get("image_id") for one in [*gone, *come]}
    chosen = _objects_of(now, touched)
    if chosen is None:
        return None
    document: dict[str, Any] = parse_json(now.before + now.after, key)
    images = document.get("images")
    if not isinstance(images, list) or not all(isinstance(one, dict) for one in images):
        return None
    document["images"] = [one for one in images if one.get("id") in touched]
    if len(document["images"]) != len(touched):
        return None
    document["annotations"] = parsed(chosen, key)
    return None if document["annotations"] is None else document


def cut(data: bytes) -> Cut | None:
    """Cut a file up; None if it is not as plain as that takes."""
    if b"\\" in data or data.count(b'"annotations"') != 1:
        return None
    opening = _OPENING.search(data)
    if opening is None:
        return None
    start = opening.end()
    closing = _CLOSING.search(data, start)
    if closing is None:
        return None
    inside = data[start : closing.start()]
    separator = _SEPARATOR.search(inside)
    objects = inside.split(separator[0]) if separator is not None else [inside]
    count = len(objects) - 1
    if inside.count(b"{") != count or inside.count(b"}") != count:
        return None  # objects inside objects, braces in texts, or blanks of several kinds
    between = b"" if separator is None else separator[0]
    return Cut(data[: start - 1], inside, objects, between, data[closing.start() + 1 :])


def _edit(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]] | None:
    """Return the texts taken out and put in; None if the rest does not keep its order."""
    if len(old) == len(new):
        places = [at for at, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]]
        if len(places) * _FEW < len(new) + _FEW:
            return [old[at] for at in places], [new[at] for at in places]
    before, after = set(old), set(new)
    if len(before) != len(old) or len(after) != len(new):
        return None
    gone, come = [one for one in old if one not in after], [one for one in new if one not in before]
    if [one for one in old if one in after] != [one for one in new if one in before]:
        return None
    return gone, come


def _ids_stay_unique(gone: list[Any], come: list[Any], texts: list[bytes]) -> bool:
    """Tell that no object got an id that another one has (the reader warns of that)."""
    ids = [one.get("id") for one in come]
    if set(map(type, ids)) - {int} or len(set(ids)) != len(ids):
        return False
    new = set(ids) - {one.get("id") for one in gone}
    if not new:
        return True
    found = [place[1] for text in texts if (place := _ID.search(text)) is not None]
    return len(found) == len(texts) == len(set(found))


def _objects_of(whole: Cut, images: Collection[Any]) -> list[bytes] | None:
    """Return the objects of some images; None as ``places_of``."""
    places = places_of(whole, images)
    if places is None:
        return None
    return [whole.objects[at] for at in sorted(chain.from_iterable(places.values()))]


def places_of(whole: Cut, images: Collection[Any]) -> dict[int, list[int]] | None:
    """Return where the objects of some images stand in the list.

    Args:
        whole: A file.
        images: Their ids.

    Returns:
        Id -> places, of the images that have objects. None if an id is no whole number, or an
        object does not name its image once and plainly.
    """
    if set(map(type, images)) - {int}:
        return None
    name = _IMAGE.search(whole.inside)
    if name is None:
        return None
    # What follows each name, up to the next one. The end of just one object must lie in each.
    first, *rest = whole.inside.split(name[0])
    if whole.inside.count(b'"image_id"') != len(rest) or len(rest) != len(whole.objects):
        return None
    ends = list(map(methodcaller("count", b"}"), rest))
    if b"}" in first or ends.pop() or ends.count(1) != len(ends):
        return None
    numbers = [text.partition(b",")[0] for text in rest]
    if not b"".join(numbers).isdigit() or b"" in numbers:
        return None
    wanted = {b"%d" % image: image for image in images}
    found: dict[int, list[int]] = {}
    for at, number in enumerate(numbers):
        if number in wanted:
            found.setdefault(wanted[number], []).append(at)
    return found


def parsed(texts: list[bytes], key: str) -> list[dict[str, Any]] | None:
    """Parse objects; None if one of the texts is not an object on its own.

    All at once: there are no braces in the texts, so there are as many objects as texts only if
    each begins and ends where its text does.
    """
    try:
        found = parse_json(b"[" + b",".join(b"{%b}" % text for text in texts) + b"]", key)
    except FormatError:
        return None  # the reader says what is wrong, and where in the file
    sound = len(found) == len(texts) and all(isinstance(one, dict) for one in found)
    return found if sound else None
