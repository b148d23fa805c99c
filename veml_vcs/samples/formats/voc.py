"""Pascal VOC: one XML file an image, boxes as corners in pixels; splits in ``ImageSets``.

Elements become fields under their own names. ``width``, ``height``, ``bndbox``, ``difficult`` and
``truncated`` are numbers, everything else is text. ``<filename>`` is kept only where it is not the
name of the image (and null where it is missing); see ``xml_text`` for the form of elements nobody
foresaw.

Lists of one column in ``ImageSets/Main`` are splits (those of other tasks are called
``Segmentation/train``). VOC's lists of two columns (image, presence of one class) repeat what the
boxes say; they are no annotation and stay the files they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.keys import ending, folder_of, images_in, without_suffix
from veml_vcs.samples.formats.lists import SplitLists, check_splits
from veml_vcs.samples.formats.pairing import Pairing, pair
from veml_vcs.samples.formats.text import Tally, decode
from veml_vcs.samples.formats.voc_file import DocumentReader
from veml_vcs.samples.formats.voc_write import write_document

_PROBES = 8


class Voc(Format):
    """Pascal VOC."""

    name = "voc"
    needs = "XML files with the root <annotation>, named like the images they speak of"
    pairs = True

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        documents = ending(keys, ".xml")
        if not documents:
            return Refusal("no .xml file")
        images = images_in(keys)
        paired = pair(images, documents, ".xml", lambda key: _is_annotation(read(key)))
        if not paired.own_source:
            return Refusal("no .xml file is named like an image")
        probes = list(paired.own_source.values())[:: max(1, len(paired.own_source) // _PROBES)]
        if not forced and not any(_is_annotation(read(key)) for key in probes):
            return Refusal(f"{probes[0]} and others have no <annotation> at the root")
        folders = paired.image_folders
        samples = tuple(key for key in images if _lies_in(key, folders))
        lists = {
            key: name
            for key in ending(keys, ".txt")
            if (name := _split_of(key)) is not None and _is_split(read(key), key)
        }
        options = paired.pairing.to_json()
        if lists:
            options["lists"] = lists
        return Layout(self.name, samples, paired.own_source, tuple(lists), options)

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        known = {**dict.fromkeys(layout.samples, ""), **layout.own_source}
        lists = SplitLists.read(layout.options.get("lists", {}), known, read, bare=True)
        annotations: dict[str, Annotation] = {}
        reader = DocumentReader()
        wanted = None if only is None else frozenset(only)
        for key, source in sorted(layout.own_source.items()):
            if wanted is None or key in wanted:
                annotations[key] = reader.annotation(read(source), source, key)
        for key, splits in lists.splits.items():
            if wanted is None or key in wanted:
                annotations.setdefault(key, {})["splits"] = splits
        classes = tuple(ClassInfo(name) for name in sorted(reader.classes))
        facts = Facts(self.name, "detection", classes, dict(layout.options), lists.extra)
        absent = Tally("{count} images with annotations are not in the folder: {few}")
        samples = frozenset(layout.samples)
        for key in annotations:
            if key not in samples:
                absent.add(key)
        warnings = (*reader.warnings(), *lists.warnings, *absent.warnings())
        return Parsed(dict(sorted(annotations.items())), facts, warnings)

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``."""
        lists: Mapping[str, str] = facts.layout.get("lists", {})
        check_splits(annotations, lists.values())
        pairing = Pairing.from_json(facts.layout, ".xml")
        described = sorted(key for key, value in annotations.items() if "objects" in value)
        result = {
            source: write_document(annotations[key], key)
            for key, source in pairing.sources_of(described).items()
            if only is None or source in only
        }
        for key, name in lists.items():
            if only is None or key in only:
                result[key] = SplitLists.write(key, name, annotations, facts.extra, bare=True)
        return result


def _lies_in(key: str, folders: frozenset[str]) -> bool:
    """Tell whether a key lies in one of the folders, at any depth."""
    folder = folder_of(key)
    while folder not in folders:
        if not folder:
            return False
        folder = folder_of(folder)
    return True


def _is_annotation(data: bytes) -> bool:
    """Tell whether the root of a document is ``<annotation>``, without parsing it."""
    return b"<annotation" in data[:4096]


def _split_of(key: str) -> str | None:
    """Return the name of the split a file may list, by its place."""
    folder, _, base = key.rpartition("/")
    if "ImageSets" not in folder.split("/"):
        return None
    task = folder.rpartition("ImageSets")[2].strip("/")
    stem = without_suffix(base)
    return stem if task in ("", "Main") else f"{task}/{stem}"


def _is_split(data: bytes, key: str) -> bool:
    """Tell whether every line holds one name, and not a name and a number."""
    lines = decode(data, key).splitlines()
    return not all(_ends_in_flag(line) for line in lines) if lines else True


def _ends_in_flag(line: str) -> bool:
    parts = line.split()
    return not parts or (len(parts) > 1 and parts[-1] in ("-1", "0", "1"))
