"""Merge an annotation file that both sides changed by putting a few samples' words into ours.

The usual merge: both sides moved boxes in one COCO file. Writing that file anew and reading it back
costs all of its boxes. Here what the merge decided of the samples that differ from ours goes into
our file's bytes, everything else of which stays as it is. Then it is read back: the format tells
which samples' words differ between our file and the merged one, and what its reader finds there is
compared, by annotation id, with what was decided. All others are said in the same bytes as on our
side, where they were read before. What is not plainly so is left to ``sources`` and ``read_back``.
"""

from __future__ import annotations

from collections.abc import Sequence

from veml_vcs.errors import FormatError
from veml_vcs.repository.merging.draft import Draft
from veml_vcs.repository.merging.entries import MergedEntries, merge_execute_bit
from veml_vcs.samples.annotations import annotation_id
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import Layout, Parsed, get_format
from veml_vcs.samples.tree import EntryKind
from veml_vcs.versions.data import DataRecord


def splice_source(
    draft: Draft,
    records: Sequence[DataRecord | None],
    merged: MergedEntries,
    facts: Facts,
) -> tuple[Layout, Parsed] | None:
    """Make the merged annotation file out of ours, if nothing but words about samples differs.

    Args:
        draft: The merge; the file is put into it.
        records: Base, ours and theirs.
        merged: What became of the entries.
        facts: What became of the facts.

    Returns:
        The layout, and what was read back; None, and nothing is done, if the file has to be written
        anew as a whole.
    """
    ours = records[1]
    if ours is None or facts != ours.facts or len(ours.sources) != 1:
        return None
    source = ours.sources[0]
    if merged.both_files.keys() != {source} or source in draft.made:
        return None
    said = _differing(draft, merged)
    if not said:
        return None
    base, mine, other = merged.both_files[source]
    if mine is None or mine.content is None or other is None or other.content is None:
        return None
    old = draft.repo.contents.read(mine.content)
    form = get_format(facts.format)
    data = form.splice(facts, source, old, [draft.repo.contents.read(other.content)], said)
    if data is None:
        return None
    samples = tuple(key for key, one in draft.entries.items() if one.kind is EntryKind.SAMPLE)
    layout = Layout(facts.format, samples, {}, ours.sources, facts.layout)
    try:
        if not form.narrow(layout, source, old, data):
            return None
        parsed = form.read(layout, lambda _key: data)
    except FormatError:
        return None
    found = {key: annotation_id(one) for key, one in parsed.annotations.items()}
    if found != {key: draft.entries[key].annotation for key in said} or parsed.facts != facts:
        return None
    draft.put(source, data)
    executable = merge_execute_bit(base, mine, other)
    draft.entries[source] = draft.entries[source]._replace(executable=executable)
    return layout, parsed


def _differing(draft: Draft, merged: MergedEntries) -> dict[str, Annotation] | None:
    """Return what is said of the samples of which something else is said than on our side.

    None if more than words differ: samples or files that came or went, or what is said of an image
    itself.
    """
    changed = []
    for key, new in merged.changes.items():
        old = draft.ours.get(key)
        if old is None or new is None or old.kind is not new.kind:
            return None
        if old.annotation != new.annotation:
            if old.annotation is None or new.annotation is None:
                return None
            changed.append(key)
    before = draft.said({key: draft.ours[key] for key in changed})
    after = draft.said({key: draft.entries[key] for key in changed})
    for key in changed:
        if _without_objects(before[key]) != _without_objects(after[key]):
            return None
    return after


def _without_objects(annotation: Annotation) -> Annotation:
    return {name: value for name, value in annotation.items() if name != "objects"}
