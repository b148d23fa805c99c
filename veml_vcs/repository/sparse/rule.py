"""Ask a sparse rule which samples are wanted in the work tree."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from veml_vcs.errors import FormatError
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import Rule, left_out, rule_of, save_left_out
from veml_vcs.samples.formats.keys import base_of, without_suffix
from veml_vcs.samples.images import image_shape
from veml_vcs.samples.tree import Change, Entry, EntryKind


def unwanted(repo: Repository, rule: Rule, entries: Mapping[str, Entry]) -> set[str]:
    """Return the keys that a rule leaves out.

    Args:
        repo: The repository.
        rule: The rule.
        entries: Key -> entry, of a version or of what is about to be written.
    """
    if rule.mode == "all":
        return set()
    if rule.mode == "none":
        return {key for key, entry in entries.items() if entry.content is not None}
    from veml_vcs.samples.query import SampleScope, Selector  # few work trees need the language

    samples = {key: one for key, one in entries.items() if one.kind is EntryKind.SAMPLE}
    wanted = {one.annotation for one in samples.values() if one.annotation}
    said = repo.annotations.read_many(wanted)
    selectors = [Selector(one) for one in rule.conditions]

    def size_of(key: str) -> tuple[int, int] | None:
        content = samples[key].content
        if content is None:
            return None
        try:
            return image_shape(repo.contents.read(content))
        except FormatError:
            return None

    found = set()
    for key, entry in samples.items():
        annotation = said[entry.annotation] if entry.annotation else None
        scope = SampleScope(key, entry.size, annotation, size_of)
        if not any(one.chooses(scope) for one in selectors):
            found.add(key)
    return found


def followers(entries: Mapping[str, Entry], out: Collection[str]) -> set[str]:
    """Return the files that belong to left-out samples and to no other: they are left out, too.

    That is, files named like such a sample: its own annotation file, masks, depth maps. What speaks
    of many samples (a COCO file, lists, classes) is named like none, and stays.

    Args:
        entries: Key -> entry, of a version or of what is about to be written.
        out: The samples that are left out.
    """
    if not out:
        return set()
    stems = {_stem(key) for key in out}
    files = []
    for key, entry in entries.items():
        if entry.kind is EntryKind.SAMPLE:
            if key not in out:
                stems.discard(_stem(key))
        elif entry.content is not None and not key.startswith("/"):
            files.append(key)
    return {key for key in files if _stem(key) in stems}


def _stem(key: str) -> str:
    return without_suffix(base_of(key))


def keep_out(
    repo: Repository, dataset: str, changes: Sequence[Change]
) -> tuple[list[Change], set[str]]:
    """Drop from what is about to be written what the rule leaves out, and note it on the list.

    A file that is on disk is brought to the new version all the same: what is there is right.

    Returns:
        What is to be written or removed, and the keys that are left out.
    """
    rule = rule_of(repo, dataset)
    if rule.mode == "all":
        return list(changes), set()
    absent = {
        change.key: change.new
        for change in changes
        if change.new is not None
        and change.new.content is not None
        and not os.path.lexists(repo.key_path(dataset, change.key))
    }
    out = unwanted(repo, rule, absent)
    if absent and rule.mode == "some":
        old = left_out(repo, dataset).keys
        entries = {change.key: change.new for change in changes if change.new is not None}
        follow = followers(entries, out)
        # A file of a sample that is out already, and whose bytes are what they were, stays out.
        coming = {_stem(k) for k, one in absent.items() if one.kind is EntryKind.SAMPLE} - {
            _stem(k) for k in out
        }
        follow |= {
            k
            for k, one in absent.items()
            if one.kind is EntryKind.FILE and k in old and _stem(k) not in coming
        }
        out |= follow & absent.keys()
        if not out <= old:
            save_left_out(repo, dataset, old | out)
    return [change for change in changes if change.key not in out], out


def present(repo: Repository, dataset: str, keys: Iterable[str]) -> set[str]:
    """Return the keys whose file is on disk."""
    return {key for key in keys if os.path.lexists(repo.key_path(dataset, key))}
