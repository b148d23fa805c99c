"""What adding and removing images does to a COCO data set, told without reading its file again.

``Coco.recognise`` finds by vote how the file's names mean keys, and which images beside those that
the file lists are samples. Here is when an edit of the images alone cannot change the outcome.

The *hints* say that the data set is plain: one COCO file, each of whose names is ``strip + rest``
where the key is ``root + rest`` (for listed images that are there and for those that are not), and
none of which is a key of its own. They list the images that are out of the ordinary: ``absent``
ones (listed, not there), ``unlisted`` samples, and ``loose`` ones that are no samples.

In a plain data set where no two images share their last component as far as listed ones go, each
image has one vote, and it is for the same rule; so adding images that no name could mean, or that a
name does mean by the rule, and removing images while one that is listed stays, leave the rule as it
is. The key of a listed image is the same whether it is there or not, and so is its annotation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from veml_vcs.samples.formats.base import Regrouped
from veml_vcs.samples.formats.keys import base_of, folder_of, images_in, is_image, without_suffix
from veml_vcs.samples.formats.names import Naming
from veml_vcs.samples.formats.text import Tally

_MOST_NAMES = 400_000
"""With more, only a part of the names votes."""


def plain_hints(
    document: Mapping[str, Any], names: Sequence[str], naming: Naming, known: Collection[str]
) -> dict[str, Any]:
    """Return what hints begin with, if a COCO file and its rule are plain; else nothing.

    Args:
        document: The parsed file.
        names: File names of its images.
        naming: The rule.
        known: Keys of the images that are there.
    """
    strip, root = naming.strip, naming.root
    text = "\0".join(names)
    images = document["images"]
    if not isinstance(images, list) or len(names) != len(images) or len(names) > _MOST_NAMES:
        return {}
    if not names or naming.others or "\\" in text:
        return {}
    if not all(name.startswith(strip) for name in names):
        return {}
    if (strip or root) and any(name in known for name in names):
        return {}
    listed = {root + name[len(strip) :] for name in names}
    absent = sorted(listed.difference(known))
    sound = all(naming.absent_key(strip + key[len(root) :]) == key for key in absent)
    return {"absent": absent} if sound and len(listed) == len(names) else {}


def samples_in(hints: Mapping[str, Any], keys: Collection[str]) -> list[str]:
    """Return the samples among the files of a plain data set."""
    loose = set(hints["loose"])
    return [key for key in images_in(keys) if key not in loose]


def regroup(
    hints: Mapping[str, Any],
    keys: Collection[str],
    added: Collection[str],
    removed: Collection[str],
) -> Regrouped | None:
    """See ``Format.regroup``."""
    if any(key.lower().endswith(".json") for key in (*added, *removed)):
        return None
    new, gone = _images(added), _images(removed)
    absent, unlisted, loose = (set(hints[name]) for name in ("absent", "unlisted", "loose"))
    before = set(images_in(keys))
    listed = before - unlisted - loose | absent
    bases = {key.rpartition("/")[2] for key in listed}
    strangers = unlisted | loose | (new - absent)
    if len(bases) != len(listed) or not bases.isdisjoint(map(base_of, strangers)):
        return None
    there = (before - unlisted - loose - gone) | (new & absent)
    if not there:
        return None
    folders = {key.rpartition("/")[0] for key in there}
    # Of an image, what stands before the last dot is what ``without_suffix`` returns.
    stems = {key.rpartition(".")[0] for key in there} if strangers else set()

    def is_sample(key: str) -> bool:
        return folder_of(key) in folders and without_suffix(key) not in stems

    if not all(map(is_sample, unlisted - gone)) or any(map(is_sample, loose - gone)):
        return None
    found = {key for key in new - absent if is_sample(key)}
    named = gone - unlisted - loose
    missing = Tally("{count} images that are listed are not in the folder: {few}")
    for key in sorted(named):
        missing.add(key)
    return Regrouped(
        samples=frozenset(found | new & absent),
        named=frozenset(named),
        hints={
            "absent": sorted((absent - new) | named),
            "unlisted": sorted((unlisted - gone) | found),
            "loose": sorted((loose - gone) | (new - absent - found)),
        },
        warnings=tuple(missing.warnings()),
    )


def _images(keys: Collection[str]) -> set[str]:
    return {key for key in keys if key[:1] != "/" and is_image(key)}
