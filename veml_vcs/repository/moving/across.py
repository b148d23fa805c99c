"""Samples that go from one data set to another, with all that is said of them (design note 011).

What follows a sample within its data set follows it here: the annotation file that speaks of it
alone (byte for byte where the other data set reads the same in it), files named like it, and its
entry in the files that list many. Classes go by name, ids that are taken are given anew. What the
other data set cannot say as it was said is refused before anything is touched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.data.combine import Incoming, Joiner, incoming_from, same_word
from veml_vcs.repository.data.operate import companions, draft_of
from veml_vcs.repository.data.rewrite import Draft, store_draft
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.moving.keys import beside, take_place
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats import detect, get_format
from veml_vcs.samples.formats.pairing import Pairing
from veml_vcs.samples.tree import Entry, EntryKind
from veml_vcs.versions.data import DataRecord

Leaving = tuple[DataVersion, Mapping[str, str]]
"""A data set, and what leaves it: key -> key in the other one."""

_BY_FOLDER = "folders"
_NOT_SAMPLES = ("zarr",)


def places_in(
    entries: Mapping[str, Entry], names: Iterable[str], form: str, source: Mapping[str, Entry]
) -> dict[str, str]:
    """Return where samples go that were moved to a data set, not to a place in it.

    They keep their key where the data set has samples in that folder (or has class folders);
    otherwise they lie where most of its samples do. A file that is no sample keeps its key.

    Args:
        entries: Of the data set that they go to.
        names: Their keys.
        form: Its format.
        source: Entries of the data set that they leave.
    """
    folders: dict[str, int] = {}
    for key, entry in entries.items():
        if entry.kind is EntryKind.SAMPLE:
            folder = os.path.dirname(key)
            folders[folder] = folders.get(folder, 0) + 1
    usual = max(sorted(folders), key=folders.__getitem__) if folders else ""
    found = {}
    for key in names:
        is_file = source[key].kind is EntryKind.FILE
        keeps = is_file or form == _BY_FOLDER or os.path.dirname(key) in folders
        found[key] = key if keeps else os.path.join(usual, os.path.basename(key))
    return found


def names_across(
    source: DataVersion, target: DataVersion, names: Mapping[str, str]
) -> dict[str, str]:
    """Return the keys that move, with those of the files that follow a sample.

    Args:
        source: The data set they leave.
        target: The data set they go to.
        names: Key -> key of what was asked for.

    Raises:
        InvalidInputError: Something of it is not to be moved by itself.
        ConflictError: A file that follows has the name of another, or the format is another.
    """
    _refuse_formats(source, target, names)
    _refuse_shared(source, target)
    layout = source.layout
    samples = {key for key in names if source.entries[key].kind is EntryKind.SAMPLE}
    labels = {key: sample for sample, key in layout.own_source.items()}
    found: dict[str, str] = {}
    for old, new in names.items():
        if old in layout.shared_sources or source.entries[old].content is None:
            raise of_many(source.path, old, target.path)
        if old in labels and labels[old] not in samples:
            raise InvalidInputError(
                f"{source.path}/{old} is what is said of {labels[old]}",
                hint=f"veml mv {source.path}/{labels[old]}; it goes along",
            )
        if old not in labels:
            found[old] = new
    paired = None
    if target.layout.own_source and layout.own_source:
        paired = Pairing.from_json({**target.layout.options, "exceptions": {}}, "")
    for old in sorted(samples):
        own = layout.own_source.get(old)
        if own is not None and paired is not None:
            found[own] = paired.source_of(names[old])
    stems: dict[str, str] = {}
    for key in companions(source, samples):
        if key in found or key in labels:
            continue
        if not stems:
            stems = {_stem(sample): sample for sample in sorted(samples)}
        sample = stems[_stem(key)]
        found[key] = beside(key, sample, names[sample])
    _refuse_taken(target, found)
    return found


def of_many(source: str, key: str, target: str) -> InvalidInputError:
    """Return the refusal of a file that speaks of many samples, or of one that is not there."""
    return InvalidInputError(
        f"{source}/{key} speaks of many samples of {source}; it is not moved by itself",
        hint=f"veml mv the samples; what is said of them goes along to {target}",
    )


def _stem(key: str) -> str:
    base = os.path.basename(key)
    return base[: base.rindex(".")] if "." in base[1:] else base


def _refuse_formats(source: DataVersion, target: DataVersion, names: Mapping[str, str]) -> None:
    here, there = source.facts.format, target.facts.format
    if here in _NOT_SAMPLES or there in _NOT_SAMPLES:
        raise InvalidInputError(
            f"{source.path} -> {target.path}: the files of a Zarr store are pieces of arrays; they "
            "mean nothing in another data set"
        )
    said = [key for key in names if key in source.said and _says_anything(source.said[key])]
    if here != there and said:
        raise InvalidInputError(
            f"{source.path}/{said[0]}: {source.path} is in the format {here}, {target.path} in "
            f"{there}; what is said of a sample is moved between data sets of one format only",
            hint=f"veml data filter {source.path} --key PATTERN --to NAME, then veml data merge "
            f"{target.path} NAME, converts what {there} can hold, and says what it cannot",
            kind="other-format",
        )


def _says_anything(one: Annotation) -> bool:
    return any(name not in ("splits", "sources", "width", "height", "id") for name in one)


def _refuse_shared(source: DataVersion, target: DataVersion) -> None:
    both = sorted({*source.record.annotations} & {*target.record.annotations})
    if both:
        raise InvalidInputError(
            f"{both[0]} speaks of the samples of {source.path} and of {target.path}; a sample "
            "cannot go from one to the other in it",
            hint="edit it by hand, mv the image, and veml add both data sets",
        )


def _refuse_taken(target: DataVersion, names: Mapping[str, str]) -> None:
    places: dict[str, str] = {}
    for old, new in names.items():
        full = target.repo.absolute(f"{target.path}/{new}")
        if new in target.entries or os.path.lexists(full):
            raise ConflictError(
                f"{old} would go to {target.path}/{new}, which is there already",
                hint="give it another name: veml mv SOURCE DATASET/NAME",
                kind="would-lose-changes",
            )
        if new in places:
            raise ConflictError(
                f"{places[new]} and {old} would both go to {target.path}/{new}",
                hint="give one of them another name first",
            )
        places[new] = old


def store_across(
    repo: Repository,
    sources: Sequence[Leaving],
    target: DataVersion,
    writer: ObjectWriter,
) -> tuple[dict[str, DataRecord], DataRecord]:
    """Store the versions of all data sets that a move between them makes.

    Args:
        repo: The repository.
        sources: What leaves which data set, names from ``names_across``.
        target: The data set they go to.
        writer: Takes what is made.

    Returns:
        The records of the sources, and of the target.

    Raises:
        ConflictError: The other data set's format would not say the same of a sample.
        InvalidInputError: A source would be left without a sample.
    """
    draft = draft_of(target, target.said, set(), moved=False)
    joiner = Joiner(target, draft)
    records: dict[str, DataRecord] = {}
    for source, names in sources:
        samples = {key for key in names if source.entries[key].kind is EntryKind.SAMPLE}
        rest = draft_of(source, source.said, samples, moved=False)
        for key in names.keys() - samples:
            rest.entries.pop(key, None)
        if not any(one.kind is EntryKind.SAMPLE for one in rest.entries.values()):
            raise InvalidInputError(
                f"{source.path}: no sample would be left in it",
                hint=f"veml data merge {target.path} {source.path} and veml rm {source.path}, or "
                f"veml mv {source.path} NAME",
                kind="empty-result",
            )
        records[source.path] = store_draft(repo, source.path, rest, source.record, writer, {})[0]
        joiner.take(_incoming(source, target, samples), {key: names[key] for key in samples})
        for key in sorted(names.keys() - samples):
            draft.entries[names[key]] = source.entries[key]._replace(annotation=None)
    by_place = target.facts.format == _BY_FOLDER
    if by_place:
        _take_places(repo, draft, sources)
    record = store_draft(repo, target.path, draft, target.record, writer, {})[0]
    if not by_place:
        _check_words(sources, target, draft)
    before = sum(one.record.samples for one, _ in sources) + target.record.samples
    after = sum(one.samples for one in records.values()) + record.samples
    if before != after:
        raise AssertionError(f"mv does not conserve samples: {before} before, {after} after")
    return records, record


def _incoming(source: DataVersion, target: DataVersion, samples: set[str]) -> Incoming:
    """Return the samples that move, as the target may take them."""
    found = incoming_from(source)
    said = {key: one for key, one in found.said.items() if key in samples}
    if target.facts.format == "coco":
        said = {key: _coco_word(source, target, key, one) for key, one in said.items()}
        for key in samples - said.keys():
            size = source.size_of(key)
            said[key] = {} if size is None else {"width": size[0], "height": size[1]}
    return replace(found, said=said)


def _coco_word(source: DataVersion, target: DataVersion, key: str, one: Annotation) -> Annotation:
    """Return what is said of a sample as a file of the target may say it.

    Raises:
        ConflictError: It is not told which file, or a number in it means something else there.
    """
    where = f"{source.path}/{key}"
    there = target.facts.layout.get("files", {})
    splits = {*one.get("splits", ())}
    fitting = [name for name, facts in there.items() if facts.get("split") in splits]
    if len(there) > 1 and len(fitting) != 1:
        raise ConflictError(
            f"{where}: which of {', '.join(sorted(there)[:4])} of {target.path} shall speak of it "
            "cannot be told",
            hint="put it into one of them by hand, mv the image, and veml add both data sets",
        )
    if len(one.get("sources", ())) > 1 or any("source" in obj for obj in one.get("objects", ())):
        raise ConflictError(
            f"{where}: {len(one.get('sources', ()))} files of {source.path} speak of it, one of "
            f"{target.path} would",
            hint="veml data filter and veml data merge put what they say into one file",
        )
    if "license" in one:
        lists = [_licences(version) for version in (source, target)]
        number = _licence(lists[0], lists[1], one["license"])
        if number is None:
            raise ConflictError(
                f"{where}: licence {one['license']!r} of {source.path} is not one of {target.path}",
                hint=f"add it to the licenses of {target.path} first",
            )
        return {**one, "license": number}
    return one


def _licences(version: DataVersion) -> list[object]:
    for facts in version.facts.extra.values():
        if isinstance(facts, Mapping) and isinstance(facts.get("licenses"), list):
            return list(facts["licenses"])
    return []


def _licence(here: list[object], there: list[object], number: object) -> object:
    """Return the number that a licence has in another list; None if it is not in it."""
    wanted = [one for one in here if isinstance(one, Mapping) and one.get("id") == number]
    if not wanted:
        return number if not there else None  # a number that means nothing stays what it is
    content = {name: value for name, value in wanted[0].items() if name != "id"}
    for one in there:
        if isinstance(one, Mapping) and content == {k: v for k, v in one.items() if k != "id"}:
            return one.get("id")
    return None


def _take_places(repo: Repository, draft: Draft, sources: Sequence[Leaving]) -> None:
    """Let class folders say what they say of the new places."""
    keys = sorted(key for key, one in draft.entries.items() if one.content is not None)

    def read(key: str) -> bytes:
        content = draft.entries[key].content
        assert content is not None
        return bytes(repo.contents.read(content))

    layout = detect(keys, read, wanted=draft.facts.format)
    parsed = get_format(draft.facts.format).read(layout, read)
    known = {one.name for one in draft.facts.classes}
    for source, names in sources:
        for old, new in names.items():
            found = parsed.annotations.get(new, {})
            labels = set(found.get("labels", ()))
            was = source.said.get(old, {}).get("labels", ())
            if was and not (labels and labels <= {*known, *was}):
                raise ConflictError(
                    f"{source.path}/{old} is {', '.join(was)}; at {new} it would be "
                    f"{', '.join(sorted(labels)) or 'of no class'}",
                    hint="move it into the folder of a class, or to the data set itself",
                )
            take_place(draft.said, new, found)
    draft.facts = replace(draft.facts, classes=parsed.facts.classes)


def _check_words(sources: Sequence[Leaving], target: DataVersion, draft: Draft) -> None:
    """Refuse if anything that was said of a sample is not said of it any more."""
    for source, names in sources:
        for key, one in source.said.items():
            if key not in names or same_word(_named(one), _named(draft.said.get(names[key]))):
                continue
            raise ConflictError(
                f"{source.path}/{key}: {target.path} cannot say of it what {source.path} does",
                hint="veml data filter and veml data merge convert what it can hold",
                kind="not-faithful",
            )


def _named(one: Annotation | None) -> Annotation:
    """Return an annotation without the number of its licence, which was looked up by content."""
    return {name: value for name, value in (one or {}).items() if name != "license"}
