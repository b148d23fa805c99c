"""Put other boxes of a few images into a COCO file, and leave the rest of it byte for byte.

For a merge: what it decided of some images goes into our side's file, where their objects stand.
The texts of objects are taken from the sides' files where one says just the same, so that only what
nobody wrote before is written here. Whether the outcome says what it shall is for the caller to
read back; what this cannot do is answered with None, and the file is written anew as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats.coco_changes import Cut, cut, parsed, places_of
from veml_vcs.samples.formats.coco_write import Names, categories_of, object_entry


def splice(
    key: str,
    data: bytes,
    others: Sequence[bytes],
    facts: Facts,
    annotations: Mapping[str, Annotation],
) -> bytes | None:
    """Return a COCO file in which some images have other objects.

    Args:
        key: The file, the only one of its data set.
        data: Its content.
        others: Contents whose words are as good as its own.
        facts: About the data set; the file's list of categories is theirs.
        annotations: Sample key -> what shall be said. What is said of the image itself stays as it
            is, whatever stands here.

    Returns:
        None where the file is not plain enough, or an object has no id.
    """
    whole = cut(data)
    if whole is None or not whole.separator:
        return None
    images = {one.get("id") for one in annotations.values()}
    places = places_of(whole, images)
    if places is None or len(images) != len(annotations):
        return None
    entries = _entries(key, facts, annotations)
    if entries is None:
        return None
    words = _Words(key, spaced=b'": ' in whole.objects[0])
    words.learn(whole, places)
    for other in map(cut, others):
        if other is not None:
            words.learn(other, places_of(other, images) or {})
    pieces: list[list[bytes]] = [[one] for one in whole.objects]
    for image, said in entries.items():
        texts = list(map(words.of, said))
        if image in places:
            _replace(pieces, places[image], texts)
        else:
            pieces.append(texts)
    inside = whole.separator.join(text for piece in pieces for text in piece)
    return b"%b{%b}%b" % (whole.before, inside, whole.after) if inside else None


def _replace(pieces: list[list[bytes]], places: Sequence[int], texts: Sequence[bytes]) -> None:
    """Put an image's texts where its objects stand, in their order; those left over after them."""
    for at, text in zip(places, texts, strict=False):
        pieces[at] = [text]
    for at in places[len(texts) :]:
        pieces[at] = []
    pieces[places[-1]] += texts[len(places) :]


def _entries(
    key: str, facts: Facts, annotations: Mapping[str, Annotation]
) -> dict[int, list[dict[str, Any]]] | None:
    """Return image id -> its objects as COCO has them; None if one cannot be said, or has no id."""
    names: Names = {}
    found: dict[int, list[dict[str, Any]]] = {}
    try:
        for sample, annotation in annotations.items():
            number = annotation["id"]
            found[number] = [
                object_entry(one, number, sample, names) for one in annotation.get("objects", ())
            ]
        objects = [one for listed in found.values() for one in listed]
        used = {one["category_id"] for one in objects if "category_id" in one}
        _, numbers = categories_of(key, facts, facts.extra.get(key, {}), used)
    except InvalidInputError:
        return None
    for one in objects:
        if one["id"] is None:
            return None
        if "category_id" in one:
            one["category_id"] = numbers[one["category_id"]]
    return found


class _Words:
    """How objects are written.

    Args:
        key: The file.
        spaced: Whether a blank follows colons and commas.
    """

    def __init__(self, key: str, *, spaced: bool) -> None:
        self._key = key
        self._separators = (", ", ": ") if spaced else (",", ":")
        self._known: dict[str, bytes] = {}

    def learn(self, source: Cut, places: Mapping[int, Sequence[int]]) -> None:
        """Take over the words of a file for the objects at some places."""
        texts = [source.objects[at] for found in places.values() for at in found]
        for text, one in zip(texts, parsed(texts, self._key) or (), strict=False):
            self._known.setdefault(_canonical(one), text)

    def of(self, entry: Mapping[str, Any]) -> bytes:
        """Return the text of an object, without its braces."""
        known = self._known.get(_canonical(entry))
        if known is not None:
            return known
        text = json.dumps(entry, ensure_ascii=False, allow_nan=False, separators=self._separators)
        return text.encode()[1:-1]


def _canonical(entry: Mapping[str, Any]) -> str:
    """Return a text that tells objects apart, and 1 from 1.0."""
    return repr(sorted(entry.items()))
