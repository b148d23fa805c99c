"""A data version with some of its keys renamed: what is said of a sample goes with it.

Three things follow a sample: the annotation file that speaks of it alone, files named like it and
like no other sample (masks), and its name in the files that list many. What the reader says of a
key because of where it lies (the label of a class folder, the split of a folder) follows the place,
as it does in a merge (design note 011).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.data.operate import companions, renamed
from veml_vcs.repository.data.rewrite import Draft, store_draft
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.merging.entries import PLACE_FIELDS
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import detect, get_format
from veml_vcs.samples.formats.keys import base_of, folder_of, join, without_suffix
from veml_vcs.samples.formats.pairing import Pairing
from veml_vcs.samples.tree import EntryKind
from veml_vcs.versions.data import DataRecord


def all_names(source: DataVersion, names: Mapping[str, str]) -> dict[str, str]:
    """Return the renamed keys, with those of the files that follow a sample.

    Raises:
        ConflictError: A file that follows has the name of another.
    """
    found = dict(names)
    layout = source.layout
    paired = (
        Pairing.from_json({**layout.options, "exceptions": {}}, "") if layout.own_source else None
    )
    for old, new in names.items():
        own = layout.own_source.get(old)
        if own is not None and own not in found and paired is not None and old in source.samples:
            found[own] = paired.source_of(new)
        if old in source.samples:
            for key in companions(source, {old}):
                if key not in found and key not in layout.own_source.values():
                    found[key] = beside(key, old, new)
    found = {old: new for old, new in found.items() if old != new}
    replaced = {layout.own_source.get(new) for new in names.values()}
    for old, new in found.items():
        if old in names or new in found or new in replaced:
            continue
        if new in source.entries:
            raise ConflictError(
                f"{old} would go along, but {new} is there already",
                hint="move that away first",
                kind="would-lose-changes",
            )
    return found


def beside(key: str, old: str, new: str) -> str:
    """Return where a file named like a sample goes when the sample is moved."""
    base = base_of(key)
    stem = without_suffix(base)
    base = without_suffix(base_of(new)) + base[len(stem) :]
    folder, was, now = folder_of(key), folder_of(old).split("/"), folder_of(new).split("/")
    while was and now and was[0] == now[0]:
        was, now = was[1:], now[1:]
    tail = "/".join(was)
    if tail and (folder == tail or folder.endswith("/" + tail)):
        folder = join(folder[: -len(tail)].rstrip("/"), "/".join(now))
    return join(folder, base)


def renamed_version(
    repo: Repository, source: DataVersion, names: Mapping[str, str], writer: ObjectWriter
) -> DataRecord:
    """Store a version with other keys; annotation files are written anew where they must be.

    Args:
        repo: The repository.
        source: The version.
        names: From ``all_names``; keys that begin with ``/`` are outside annotation files.
        writer: Takes what is made.

    Raises:
        ConflictError: The annotation files would not say the same of a moved sample.
    """
    draft = _draft(repo, source, names)
    try:
        return store_draft(repo, source.path, draft, source.record, writer, {})[0]
    except InvalidInputError:
        pass  # a class folder says something else of the new place
    except ConflictError as error:
        if error.kind != "not-faithful":
            raise
    draft = _draft(repo, source, names)
    keys = sorted(key for key, one in draft.entries.items() if one.content is not None)
    back = {new: old for old, new in names.items()}
    layout = detect(keys, lambda key: source.read(back.get(key, key)), wanted=draft.facts.format)
    form = get_format(draft.facts.format)
    parsed = form.read(layout, lambda key: source.read(back.get(key, key)))
    for new in names.values():
        take_place(draft.said, new, parsed.annotations.get(new))
    return store_draft(repo, source.path, draft, source.record, writer, {})[0]


def take_place(said: dict[str, Annotation], key: str, found: Annotation | None) -> None:
    """Let the place decide what it decides: labels and splits."""
    old = said.get(key)
    if old is None and found is None:
        return
    one = {name: value for name, value in (old or {}).items() if name not in PLACE_FIELDS}
    one.update((name, found[name]) for name in PLACE_FIELDS if found and name in found)
    if one:
        said[key] = one
    else:
        said.pop(key, None)


def _draft(repo: Repository, source: DataVersion, names: Mapping[str, str]) -> Draft:
    facts = source.facts
    options: dict[str, Any] = renamed(facts.layout, names)
    exceptions = {
        key: value for key, value in options.get("exceptions", {}).items() if key not in names
    }
    if "exceptions" in options:
        options = {**options, "exceptions": exceptions}
    entries = {
        names.get(key, key): entry._replace(annotation=None)
        for key, entry in source.entries.items()
        if entry.kind is not EntryKind.ANNOTATION_ONLY and key not in _replaced(names)
    }
    said: dict[str, Annotation] = {}
    for key, one in source.said.items():
        if key in _replaced(names):
            continue
        moved = key in names
        said[names.get(key, key)] = _without_name(one, names) if moved else renamed(one, names)
    new = Facts(facts.format, facts.task, facts.classes, options, renamed(facts.extra, names))
    return Draft(new, entries, said)


def _replaced(names: Mapping[str, str]) -> set[str]:
    """Return the keys that something else takes the place of."""
    return set(names.values()) - names.keys()


def _without_name(one: Annotation, names: Mapping[str, str]) -> Annotation:
    """Return an annotation without the odd name that a COCO file had for its sample."""
    said: Annotation = {key: value for key, value in one.items() if key != "file_name"}
    if "entries" in said:
        said["entries"] = {
            source: {key: value for key, value in entry.items() if key != "file_name"}
            for source, entry in said["entries"].items()
        }
    found: Annotation = renamed(said, names)
    return found
