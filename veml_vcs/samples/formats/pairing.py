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
    IMAGE_SUFFIXES,
    base_of,
    folder_of,
    join,
    suffix_of,
    without_suffix,
)

_ANNOTATION_FOLDERS = frozenset(
    ("annotations", "annotation", "labels", "label", "xml", "xmls", "anns", "ann")
)

_PROBES = 16


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
    looks_right: Callable[[str], bool],
) -> Paired:
    """Find out which annotation file speaks of which image.

    Args:
        images: Sorted keys.
        sources: Sorted keys of all files with the format's extension.
        suffix: The format's usual extension.
        looks_right: Tells whether a file is an annotation file, by its content. Asked of a few
            files of folders that are not called like folders of annotations (KITTI's calibration
            files are named like the images, too), and of files among images whose own image is
            absent (they may be a README).
    """
    known = _Images(images)
    by_folder: defaultdict[str, list[str]] = defaultdict(list)
    for source in sources:
        by_folder[folder_of(source)].append(source)
    chosen: dict[str, list[str]] = {}
    # The usual names first: they win where two folders speak of the same images.
    for folder in sorted(by_folder, key=lambda folder: (not _is_usual(folder), folder)):
        files = by_folder[folder]
        targets = _image_folders(folder, files, known)
        if targets and (
            _is_usual(folder) or any(map(looks_right, files[:: 1 + len(files) // _PROBES]))
        ):
            chosen[folder] = targets

    own: dict[str, str] = {}
    for folder, targets in chosen.items():
        orphans = []
        for source in by_folder[folder]:
            found = known.image_of(source, targets)
            if found is None:
                orphans.append(source)
            elif found not in own:
                own[found] = source
        for source in orphans:
            if folder != targets[0] or looks_right(source):
                own.setdefault(known.absent_image(source, targets[0]), source)
    pairs = [(folder, target) for folder, targets in chosen.items() for target in targets]
    return Paired(_rule(pairs, own, suffix), own, frozenset(target for _, target in pairs))


class _Images:
    """The images, by what pairing asks for."""

    def __init__(self, images: Sequence[str]) -> None:
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        self.stems_in: defaultdict[str, set[str]] = defaultdict(set)
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for image in images:
            folder, _, base = image.rpartition("/")
            stem = without_suffix(base)
            self._by_stem[stem].append(image)
            self.stems_in[folder].add(stem)
            counts[folder][base[len(stem) :].lower()] += 1
        self._usual_suffix = {
            folder: min(counter, key=lambda suffix: (-counter[suffix], suffix))
            for folder, counter in counts.items()
        }

    def namesakes(self, source: str) -> Iterator[str]:
        """Yield images a source may speak of: ``a.jpg.txt`` of ``a.jpg`` before ``a.txt`` of it."""
        stem = without_suffix(base_of(source))
        for image in self._by_stem.get(without_suffix(stem), ()):
            if base_of(image) == stem:
                yield image
        yield from self._by_stem.get(stem, ())

    def image_of(self, source: str, folders: Sequence[str]) -> str | None:
        """Return the image in one of the folders that a source speaks of."""
        for image in self.namesakes(source):
            if folder_of(image) in folders:
                return image
        return None

    def absent_image(self, source: str, folder: str) -> str:
        """Return the key the image of a source would have, if there were one."""
        stem = without_suffix(base_of(source))
        if suffix_of(stem) in IMAGE_SUFFIXES:
            return join(folder, stem)
        return join(folder, stem + self._usual_suffix.get(folder, ".jpg"))


def _image_folders(folder: str, files: Sequence[str], known: _Images) -> list[str]:
    """Return the folders of the images that the files of one folder speak of, the main one first.

    A further folder belongs to it if its names are all others than those of the folders before:
    images in parts do that, masks and depth maps do not.
    """
    votes = Counter(folder_of(image) for file in files for image in known.namesakes(file))
    counterparts = list(_counterparts(folder))
    usual = next((name for name in [*counterparts, folder] if name in votes), None)
    if usual is None and not votes:
        if not _is_usual(folder):
            return []
        # Annotation files whose images are all absent are still annotations.
        present = [candidate for candidate in counterparts if candidate in known.stems_in]
        return (present or counterparts)[:1]
    ranked = sorted(votes, key=lambda name: (name != usual, -votes[name], name))
    targets = ranked[:1]
    stems = set(known.stems_in[ranked[0]])
    for candidate in ranked[1:]:
        if stems.isdisjoint(known.stems_in[candidate]):
            targets.append(candidate)
            stems |= known.stems_in[candidate]
    return targets


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
