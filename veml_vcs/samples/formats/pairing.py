"""Which annotation file speaks of which image, where each image has a file of its own.

VOC, YOLO and KITTI all pair by name: ``JPEGImages/a.jpg`` with ``Annotations/a.xml``,
``images/train/a.jpg`` with ``labels/train/a.txt``, or side by side. The pairing found is
expressed as few folder pairs plus exceptions, so that the place of a new image's file follows from
it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.samples.formats.keys import (
    IMAGE_FOLDERS,
    base_of,
    folder_of,
    join,
    suffix_of,
    without_suffix,
)

_ANNOTATION_FOLDERS = frozenset(
    ("annotations", "annotation", "labels", "label", "xml", "xmls", "anns", "ann")
)


@dataclass(frozen=True)
class Pairing:
    """Where the annotation file of each image lies.

    Attributes:
        folders: Folder of images -> folder of annotation files; subfolders follow.
        suffix: Extension of annotation files, with its dot.
        exceptions: Sample key -> annotation file where the rule says otherwise.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ".txt"
    exceptions: Mapping[str, str] = field(default_factory=dict)

    def source_of(self, sample: str) -> str:
        """Return the key of a sample's own annotation file, whether it exists or not."""
        return self.exceptions.get(sample) or without_suffix(self._beside(sample)) + self.suffix

    def sources_of(self, samples: Sequence[str]) -> dict[str, str]:
        """Return the annotation file of each sample, no file twice.

        Of two samples that differ in their extension alone (``a.jpg``, ``a.png``) the later one's
        file keeps the extension: ``a.png.txt``.
        """
        result = {key: self.exceptions[key] for key in samples if key in self.exceptions}
        taken = set(result.values())
        for sample in samples:
            if sample in result:
                continue
            source = self.source_of(sample)
            if source in taken:
                source = self._beside(sample) + self.suffix
            taken.add(source)
            result[sample] = source
        return result

    def _beside(self, sample: str) -> str:
        """Return the sample's path, moved to its folder of annotation files."""
        folder = folder_of(sample)
        rest = base_of(sample)
        while folder not in self.folders:
            if not folder:
                return sample
            rest = join(base_of(folder), rest)
            folder = folder_of(folder)
        return join(self.folders[folder], rest)

    def to_json(self) -> dict[str, Any]:
        """Return the pairing as JSON values, for ``Layout.options``."""
        facts: dict[str, Any] = {"folders": dict(self.folders), "suffix": self.suffix}
        if self.exceptions:
            facts["exceptions"] = dict(self.exceptions)
        return facts

    @staticmethod
    def from_json(facts: Mapping[str, Any], suffix: str) -> Pairing:
        """Undo ``to_json``; ``suffix`` is the format's usual extension."""
        return Pairing(
            facts.get("folders", {}), facts.get("suffix", suffix), facts.get("exceptions", {})
        )


@dataclass(frozen=True)
class Paired:
    """What ``pair`` found.

    Attributes:
        pairing: The rule.
        own_source: Sample key -> annotation file; also for images that are absent.
        image_folders: Folders whose images belong to the data set.
    """

    pairing: Pairing
    own_source: dict[str, str]
    image_folders: frozenset[str]


def pair(
    images: Sequence[str],
    sources: Sequence[str],
    suffix: str,
    is_orphan: Callable[[str], bool],
) -> Paired:
    """Find out which annotation file speaks of which image.

    Args:
        images: Sorted keys.
        sources: Sorted keys of all files with the format's extension.
        suffix: The format's usual extension.
        is_orphan: Tells whether a file that lies *among images* and whose image is absent is an
            annotation file at all (and not, say, a README).
    """
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for image in images:
        by_stem[without_suffix(base_of(image))].append(image)
    by_folder: defaultdict[str, list[str]] = defaultdict(list)
    for source in sources:
        by_folder[folder_of(source)].append(source)
    folders_of_images = {folder_of(image) for image in images}

    chosen: list[tuple[str, str]] = []
    for folder, files in by_folder.items():
        target = _image_folder(folder, files, by_stem, folders_of_images)
        if target is not None:
            chosen.append((folder, target))
    # The usual names first: they win where two folders speak of the same images.
    chosen.sort(key=lambda both: (not _is_usual(both[0]), both))

    usual_suffix = _usual_suffixes(images)
    all_suffixes = frozenset(usual_suffix.values())
    own: dict[str, str] = {}
    for folder, target in chosen:
        inside = {image for stem in by_folder[folder] for image in _namesakes(stem, by_stem)}
        inside = {image for image in inside if folder_of(image) == target}
        by_name = {base_of(image): image for image in sorted(inside)}
        by_short: dict[str, str] = {}
        for name, image in by_name.items():
            by_short.setdefault(without_suffix(name), image)
        orphans = []
        for source in by_folder[folder]:
            stem = without_suffix(base_of(source))
            found = by_name.get(stem) or by_short.get(stem)
            if found is None:
                orphans.append(source)
            elif found not in own:
                own[found] = source
        for source in orphans:
            if folder != target or is_orphan(source):
                stem = without_suffix(base_of(source))
                named = stem if suffix_of(stem) in all_suffixes else None
                absent = named or stem + usual_suffix.get(target, ".jpg")
                own.setdefault(join(target, absent), source)
    return Paired(_rule(chosen, own, suffix), own, frozenset(target for _, target in chosen))


def _namesakes(source: str, by_stem: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield images a source may speak of: ``a.txt`` of ``a.jpg``, ``a.jpg.txt`` of ``a.jpg``."""
    stem = without_suffix(base_of(source))
    yield from by_stem.get(stem, ())
    for image in by_stem.get(without_suffix(stem), ()):
        if base_of(image) == stem:
            yield image


def _image_folder(
    folder: str,
    files: Sequence[str],
    by_stem: Mapping[str, list[str]],
    folders_of_images: set[str],
) -> str | None:
    """Return the folder of the images that the files of one folder speak of, or None."""
    votes = Counter(folder_of(image) for file in files for image in _namesakes(file, by_stem))
    counterparts = list(_counterparts(folder))
    for candidate in [*counterparts, folder]:
        if candidate in votes:
            return candidate
    if votes:
        return min(votes, key=lambda candidate: (-votes[candidate], candidate))
    if _is_usual(folder):
        # Annotation files whose images are all absent are still annotations.
        present = [candidate for candidate in counterparts if candidate in folders_of_images]
        return present[0] if present else counterparts[0]
    return None


def _is_usual(folder: str) -> bool:
    """Tell whether a folder is called what folders of annotation files usually are."""
    return any(_is_usual_name(part.lower()) for part in folder.split("/"))


def _is_usual_name(name: str) -> bool:
    """As ``_is_usual``, for one component in lower case; KITTI numbers its cameras."""
    return name in _ANNOTATION_FOLDERS or name.startswith("label_")


def _counterparts(folder: str) -> Iterator[str]:
    """Yield where the images of a folder of annotation files usually lie, the likeliest first."""
    parts = folder.split("/")
    for place in reversed(range(len(parts))):
        name = parts[place].lower()
        if not _is_usual_name(name):
            continue
        first = []
        if name.startswith("label"):
            first = ["image_" + name[6:]] if name.startswith("label_") else ["images"]
        for image_name in dict.fromkeys([*first, *IMAGE_FOLDERS]):
            yield "/".join([*parts[:place], image_name, *parts[place + 1 :]])


def _usual_suffixes(images: Sequence[str]) -> dict[str, str]:
    """Return each folder's most frequent extension (for images that are absent)."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for image in images:
        counts[folder_of(image)][suffix_of(image)] += 1
    return {
        folder: min(counter, key=lambda suffix: (-counter[suffix], suffix))
        for folder, counter in counts.items()
    }


def _rule(chosen: Sequence[tuple[str, str]], own: Mapping[str, str], suffix: str) -> Pairing:
    """Express a pairing by as few folders as it takes, and exceptions."""
    exact: dict[str, str] = {}
    for folder, target in chosen:
        exact.setdefault(target, folder)
    short: dict[str, str] = {}
    for target, folder in exact.items():
        while target and folder and base_of(target) == base_of(folder) and target != folder:
            target, folder = folder_of(target), folder_of(folder)
        short.setdefault(target, folder)
    # A shortened pair may speak for a folder that follows another rule: that one is named in full.
    rule = Pairing(short, suffix)
    probe, expected = "x.png", "x" + suffix
    short |= {
        target: folder
        for target, folder in exact.items()
        if rule.source_of(join(target, probe)) != join(folder, expected)
    }
    rule = Pairing(dict(sorted(short.items())), suffix)
    exceptions = {
        sample: source for sample, source in sorted(own.items()) if rule.source_of(sample) != source
    }
    return Pairing(rule.folders, suffix, exceptions)
