"""``veml data merge`` and ``veml data add``: put the samples of several data sets together.

Not the merge of branches: there is no common ancestor, so nothing is ever removed, and every sample
of every source is in the result. Everything is converted to the first source's format and placed
among its samples; classes are one list, by name. A sample that two sources have (the same bytes)
is taken once: if they say different things of it, the first one's word stands, and a warning names
it. Two different samples of one name are both kept, the second under another name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.errors import (
    ConflictError,
    FormatError,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from veml_vcs.ids import SampleId, digest
from veml_vcs.repository.data.operate import Operated, draft_of, finish
from veml_vcs.repository.data.place import target_path
from veml_vcs.repository.data.rewrite import Draft
from veml_vcs.repository.data.version import DataVersion, derivation, open_version
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.scan import scan_folder
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats import convert, detect, get_format
from veml_vcs.samples.formats.keys import base_of, folder_of, join, suffix_of, without_suffix
from veml_vcs.samples.images import image_shape
from veml_vcs.samples.tree import Entry, EntryKind

_FOUND_BY_FOLDER = "folders"


@dataclass(frozen=True)
class Incoming:
    """Samples to be put into a data set, from wherever.

    Attributes:
        name: How messages call the source.
        facts: Its format and classes.
        contents: Sample key -> content id.
        sizes: Sample key -> length of its bytes.
        said: Sample key -> annotation.
        read: Returns a sample's bytes.
        executable: Samples whose file may be executed.
    """

    name: str
    facts: Facts
    contents: Mapping[str, SampleId]
    sizes: Mapping[str, int]
    said: Mapping[str, Annotation]
    read: Callable[[str], bytes]
    executable: frozenset[str] = frozenset()


def merge_data_sets(
    repo: Repository,
    specs: Sequence[str],
    *,
    to: str | None = None,
    force: bool = False,
    checkout: bool = True,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Operated:
    """Make a version with the samples of several data versions.

    Args:
        repo: The repository.
        specs: Two or more of ``PATH``, ``REV:PATH``, ``PATH@REV``; the first gives the format.
        to: Stage the result as this data set; None puts it in the first one's place.
        force: Replace a data set ``to`` that is there already.
        checkout: Bring the folder on disk to the result.
        dry_run: Tell what would be made, and store nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such data version.
        InvalidInputError: Fewer than two, nothing new, or the format has no place for something.
        ConflictError: Something of the user's would be lost.
    """
    if len(specs) < 2:
        raise InvalidInputError(
            "merge what with what? expected two data sets or more",
            hint="veml data merge images/day images/night --to images/all",
        )
    with repo.lock("veml data merge"):
        sources = [open_version(repo, one) for one in specs]
        first, *others = sources
        target = target_path(repo, first.path, first.revision, to, force=force)
        incoming = [incoming_from(one) for one in others]
        derived = derivation("merge", sources, {})
        return _combine(repo, first, incoming, target, derived, checkout, dry_run, progress)


def add_samples(
    repo: Repository,
    spec: str,
    folder: str,
    *,
    format: str | None = None,  # noqa: A002 - the word of the command line
    to: str | None = None,
    force: bool = False,
    checkout: bool = True,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Operated:
    """Make a version with the samples of a folder on disk added to those of a data version.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        folder: A folder on disk in any format, inside the repository or not; it stays as it is.
        format: The folder's format, instead of recognising it.
        to: Stage the result as this data set; None replaces the source.
        force: Replace a data set ``to`` that is there already.
        checkout: Bring the data set's folder on disk to the result.
        dry_run: Tell what would be made, and store nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such data version, or no such folder.
        InvalidInputError: There is no sample in the folder, or none that is new.
        FormatError: The folder's annotation files cannot be understood.
        ConflictError: Something of the user's would be lost.
    """
    with repo.lock("veml data add"):
        source = open_version(repo, spec)
        target = target_path(repo, source.path, source.revision, to, force=force)
        incoming, layout_digest = _from_folder(folder, format)
        derived = derivation("add", [source], {"content": layout_digest})
        if not dry_run:
            _store_contents(repo, incoming, progress)
        return _combine(repo, source, [incoming], target, derived, checkout, dry_run, progress)


def _store_contents(repo: Repository, incoming: Incoming, progress: Progress) -> None:
    """Put the samples of a folder into the store, one after the other.

    Before anything is decided: what is stored and not used is removed by ``veml gc``, and a folder
    may be larger than memory.
    """
    from veml_vcs.samples.fragments.content import ContentWriter

    with repo.store.write() as writer:
        contents = ContentWriter(repo.catalog, writer)
        for done, (key, content) in enumerate(incoming.contents.items()):
            if done % 256 == 0:
                progress("reading files", done, len(incoming.contents))
            data = incoming.read(key)
            if digest(data) != content:
                raise ConflictError(
                    f"{incoming.name}/{key}: changes while it is read",
                    hint="add it when its writer is done",
                )
            contents.add(content, data, key)
        contents.finish()
    repo.catalog.refresh()


def _combine(
    repo: Repository,
    first: DataVersion,
    incoming: Sequence[Incoming],
    target: str,
    derived: Mapping[str, Any],
    checkout: bool,
    dry_run: bool,
    progress: Progress,
) -> Operated:
    draft = draft_of(first, first.said, set(), moved=target != first.path)
    joiner = Joiner(first, draft)
    for one in incoming:
        joiner.join(one)
    if not joiner.added:
        raise InvalidInputError(
            f"{first.name} has all these samples already; nothing was made", kind="empty-result"
        )
    return finish(
        repo,
        first,
        target,
        draft,
        derived,
        checkout=checkout,
        dry_run=dry_run,
        warnings=tuple(joiner.warnings),
        progress=progress,
    )


def incoming_from(source: DataVersion) -> Incoming:
    """Return all samples of a data version."""
    return Incoming(
        source.name,
        source.facts,
        {key: one.content for key, one in source.samples.items() if one.content is not None},
        {key: one.size for key, one in source.samples.items()},
        {key: one for key, one in source.said.items() if key in source.samples},
        source.read,
        frozenset(key for key, one in source.samples.items() if one.executable),
    )


def _from_folder(folder: str, wanted: str | None) -> tuple[Incoming, str]:
    """Read a folder on disk; returns its samples, and a digest of all its files."""
    if not os.path.isdir(folder):
        raise NotFoundError(f"{folder}: no such folder", kind="no-such-path")
    files = scan_folder(folder)

    def read(key: str) -> bytes:
        path = os.path.join(folder, key)
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            raise StorageError(f"{path}: cannot be read: {error.strerror}") from error

    layout = detect(list(files), read, wanted=wanted)
    parsed = get_format(layout.format).read(layout, read)
    if not layout.samples:
        raise InvalidInputError(f"{folder}: there is no sample in this folder")
    contents = {key: SampleId(digest(read(key))) for key in layout.samples}
    spoken = {*layout.own_source.values(), *layout.shared_sources}
    whole = sorted([*contents.items(), *((key, digest(read(key))) for key in spoken)])
    mark = digest(b"".join(key.encode("utf-8", "surrogateescape") + b"\0" + one
                           for key, one in whole)).hex()  # fmt: skip
    runs = frozenset(key for key in layout.samples if files[key].executable)
    said = {key: one for key, one in parsed.annotations.items() if key in contents}
    sizes = {key: files[key].size for key in contents}
    return Incoming(folder, parsed.facts, contents, sizes, said, read, runs), mark


class Joiner:
    """Puts samples into a draft."""

    def __init__(self, first: DataVersion, draft: Draft) -> None:
        self._first = first
        self._draft = draft
        self._by_content = {
            one.content: key for key, one in first.samples.items() if one.content is not None
        }
        folders = Counter(folder_of(key) for key in first.samples)
        self._folder = max(sorted(folders), key=folders.__getitem__) if folders else ""
        self._folders = set(folders)
        self._stems = {without_suffix(key).lower() for key in draft.entries}
        self._image_ids = {one["id"] for one in draft.said.values() if "id" in one}
        self._object_ids = {
            obj["id"]
            for one in draft.said.values()
            for obj in one.get("objects", ())
            if "id" in obj
        }  # fmt: skip
        self.added = 0
        self.warnings: list[str] = []

    def join(self, source: Incoming) -> None:
        """Take all samples of a source in.

        Raises:
            InvalidInputError: The format has no place for something.
        """
        said, facts, names = self._converted(source)
        self._add_classes(facts)
        differ = twice = renamed = 0
        examples: list[str] = []
        for key, content in source.contents.items():
            here = self._by_content.get(content)
            one = said.get(names[key])
            if here is not None:
                twice += 1
                if one is not None and not same_word(one, self._draft.said.get(here)):
                    differ += 1
                    examples.append(here)
                continue
            place = self._place(names[key], one)
            renamed += base_of(place) != base_of(key)
            self._put(place, source, key, content, one)
        if twice:
            self.warnings.append(f"{source.name}: {twice} samples are there already, taken once")
        if differ:
            self.warnings.append(
                f"{source.name} says something else of {differ} samples that are there already, "
                f"and is not heard: {', '.join(examples[:3])}"
            )
        if renamed:
            self.warnings.append(f"{source.name}: {renamed} samples got another name")

    def take(self, source: Incoming, places: Mapping[str, str]) -> None:
        """Take samples in at given places, whether or not the same bytes are there already.

        Args:
            source: Samples of the first source's format, or of which nothing is said.
            places: The new key of each.
        """
        said = {key: one for key, one in source.said.items() if key in places}
        used = {name for one in said.values() for name in _class_names(one)}
        classes = tuple(one for one in source.facts.classes if one.name in used)
        self._add_classes(replace(source.facts, classes=classes))
        for key, place in places.items():
            self._put(place, source, key, source.contents[key], said.get(key))

    def _converted(
        self, source: Incoming
    ) -> tuple[Mapping[str, Annotation], Facts, Mapping[str, str]]:
        wanted = self._first.facts.format
        if source.facts.format == wanted:
            return source.said, source.facts, {key: key for key in source.contents}
        sizes = {}
        for key in source.contents:
            one = source.said.get(key, {})
            width, height = one.get("width"), one.get("height")
            if isinstance(width, int) and isinstance(height, int):
                sizes[key] = (width, height)
            else:
                try:
                    sizes[key] = image_shape(source.read(key))
                except FormatError as error:
                    raise FormatError(f"{source.name}: {key}: {error}") from error
        done = convert(source.said, source.facts, wanted, sizes)
        self.warnings += [f"{source.name}: {one}" for one in done.warnings]
        return done.annotations, done.facts, done.renamed

    def _add_classes(self, facts: Facts) -> None:
        """Put classes that are new behind the others, under numbers of their own."""
        draft = self._draft
        known = {one.name for one in draft.facts.classes}
        numbers = [one.id for one in draft.facts.classes if one.id is not None]
        last = max(numbers, default=0 if draft.facts.format == "coco" else -1)
        new = []
        for one in facts.classes:
            if one.name in known:
                continue
            known.add(one.name)
            last += 1
            numbered = numbers or not draft.facts.classes
            extra = {} if draft.facts.format != facts.format else one.extra
            new.append(ClassInfo(one.name, last if numbered else None, extra))
        if new:
            draft.facts = replace(draft.facts, classes=(*draft.facts.classes, *new))
            listed = draft.facts.layout.get("classes")
            if listed is not None:
                draft.rewrite.add(listed)

    def _place(self, name: str, said: Annotation | None) -> str:
        """Return the key for a new sample, among the first source's samples."""
        if self._first.facts.format == _FOUND_BY_FOLDER:
            key = join(self._first.facts.layout.get("root", ""), _below_root(name, said))
        elif folder_of(name) in self._folders:
            key = name
        else:
            splits = set((said or {}).get("splits", ()))
            fitting = [one for one in sorted(self._folders) if splits & set(one.split("/"))]
            key = join(fitting[0] if fitting else self._folder, base_of(name))
        stem, suffix = without_suffix(key), suffix_of(key)
        suffix = key[len(stem) :] if suffix else ""
        number = 1
        while without_suffix(key).lower() in self._stems:
            number += 1
            key = f"{stem}_{number}{suffix}"
        self._stems.add(without_suffix(key).lower())
        return key

    def _put(
        self, place: str, source: Incoming, key: str, content: SampleId, said: Annotation | None
    ) -> None:
        draft = self._draft
        runs = key in source.executable
        draft.entries[place] = Entry(EntryKind.SAMPLE, content, None, source.sizes[key], runs)
        self._by_content[content] = place
        self.added += 1
        one = self._fitted(place, said)
        if one is not None:
            draft.said[place] = one

    def _fitted(self, place: str, said: Annotation | None) -> Annotation | None:
        """Return an annotation as the first source's files would have it."""
        form = self._first.facts.format
        if form == "coco":
            return self._fitted_coco(said or {})
        if said is None:
            return None
        one = dict(said)
        if form == "yolo":
            from veml_vcs.samples.formats.yolo_splits import split_of

            layout = self._first.facts.layout
            possible = {*layout.get("lists", {}).values(), *split_of(place, layout)}
            splits = sorted({*split_of(place, layout), *(possible & set(one.get("splits", ())))})
            one = {name: value for name, value in one.items() if name != "splits"}
            if splits:
                one["splits"] = splits
        elif form == "voc":
            possible = set(self._first.facts.layout.get("lists", {}).values())
            splits = sorted(possible & set(one.pop("splits", ())))
            if splits:
                one["splits"] = splits
            one.pop("filename", None)
            if "objects" in one and "filename" in self._usual_fields:
                one["filename"] = base_of(place)
        elif form == "kitti":
            one.pop("splits", None)
        return one or None

    @property
    def _usual_fields(self) -> frozenset[str]:
        first = next((one for one in self._first.said.values() if "objects" in one), {})
        return frozenset(first)

    def _fitted_coco(self, said: Annotation) -> Annotation:
        files: Mapping[str, Any] = self._draft.facts.layout.get("files", {})
        dropped = ("sources", "entries", "splits", "file_name", "labels")
        one = {name: value for name, value in said.items() if name not in dropped}
        if one.get("id") in self._image_ids:
            del one["id"]
        elif "id" in one:
            self._image_ids.add(one["id"])
        objects = []
        for obj in said.get("objects", ()):
            new = {name: value for name, value in obj.items() if name != "source"}
            if new.get("id") in self._object_ids:
                del new["id"]
            elif "id" in new:
                self._object_ids.add(new["id"])
            objects.append(new)
        one["objects"] = objects
        splits = said.get("splits", ())
        fitting = [file for file, facts in files.items() if facts.get("split") in splits]
        chosen = (fitting or list(files))[0]
        if len(files) > 1:
            one["sources"] = [chosen]
        if (split := files[chosen].get("split")) is not None:
            one["splits"] = [split]
        return one


def _below_root(name: str, said: Annotation | None) -> str:
    labels, splits = (said or {}).get("labels", []), (said or {}).get("splits", [])
    if len(labels) != 1:
        raise InvalidInputError(f"{name}: with class folders every sample has one class")
    return "/".join([*splits[:1], labels[0], base_of(name)])


def _class_names(one: Annotation) -> set[str]:
    named = {obj.get("class") for obj in one.get("objects", ())} | {*one.get("labels", ())}
    return {name for name in named if isinstance(name, str)}


def same_word(one: Annotation, other: Annotation | None) -> bool:
    """Tell whether two annotations say the same of an image, whatever files they stand in."""
    return bool(_content(one) == _content(other or {}))


def _content(said: Annotation) -> Any:
    aside = ("id", "sources", "entries", "source", "file_name", "filename", "splits")
    return {
        name: [{key: field for key, field in obj.items() if key not in aside} for obj in value]
        if name == "objects"
        else value
        for name, value in said.items()
        if name not in aside
    }
