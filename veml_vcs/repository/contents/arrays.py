"""NPY and NPZ files under history: compared and merged by array and by element.

Between ``samples.arrays`` and history.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.contents.known_files import MergedFile, ReadEntry, both_sides
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.samples.annotations import Choice
from veml_vcs.samples.kinds import is_archive, is_array
from veml_vcs.samples.tree import Change

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from veml_vcs.repository.dataset import Dataset
    from veml_vcs.samples.arrays import ArrayDiff, ArrayFacts


def array_diffs(changes: Iterable[Change], read: ReadEntry) -> dict[str, ArrayDiff]:
    """Compare the NPY and NPZ files among changed files by elements.

    Args:
        changes: What differs.
        read: Returns the bytes of an entry, None where they cannot be had.

    Returns:
        Key -> difference, of arrays that differ. An array in an archive is ``KEY[NAME]``; an
        archive whose arrays are the same is ``KEY`` with nothing changed.
    """
    changes = [one for one in changes if is_array(one.key) or is_archive(one.key)]
    if not changes:
        return {}
    from veml_vcs.samples.arrays import ArrayDiff, diff_arrays, diff_npz, read_array, read_npz

    found: dict[str, ArrayDiff] = {}
    for key, before, after in both_sides(changes, read, lambda _: True):
        try:
            if is_array(key):
                found[key] = diff_arrays(read_array(before, key), read_array(after, key))
                continue
            parts = diff_npz(read_npz(before, key), read_npz(after, key))
        except FormatError:
            continue  # no array that can be read: it still is listed as a file that changed
        found.update((f"{key}[{name}]", one) for name, one in parts.items())
        if not parts:
            found[key] = ArrayDiff((), (), "", "")
    return found


def array_facts(data: bytes, key: str) -> tuple[ArrayFacts, ...]:
    """Return what is in an NPY or NPZ file; nothing of other files, and of one that is malformed.

    Args:
        data: The bytes of a file.
        key: Its key.
    """
    if not is_array(key) and not is_archive(key):
        return ()
    from veml_vcs.samples.arrays import read_array, read_npz, summarise_array

    try:
        arrays = {"": read_array(data, key)} if is_array(key) else read_npz(data, key).arrays
    except FormatError:
        return ()
    return tuple(summarise_array(one, name) for name, one in arrays.items())


def dataset_array(dataset: Dataset, name: str) -> NDArray[Any]:
    """Return a whole array of a data set; see ``Dataset.array``."""
    from veml_vcs.repository.contents.zarr_store import FORMAT, record_array
    from veml_vcs.samples.arrays import read_array, read_npz

    if dataset.facts.format == FORMAT:
        return record_array(dataset.repository, dataset.record, name)
    key, bracket, member = name.partition("[")
    if is_array(name):
        return read_array(dataset[name].data, name)
    if not is_archive(key):
        raise NotFoundError(f"{name!r:.100} is neither an NPY file nor KEY.npz[NAME]")
    archive = read_npz(dataset[key].data, key)
    found = archive.arrays.get(member.removesuffix("]")) if bracket else None
    if found is None:
        known = ", ".join(f"{key}[{one}]" for one in list(archive.arrays)[:10])
        raise NotFoundError(f"no array {name!r:.100}; there are: {known or 'none'}")
    return found


def merge_array(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    """Merge an NPY file that both sides changed; None if it cannot be merged by elements."""
    from veml_vcs.samples.arrays import merge_arrays, read_array, write_array

    if base is None:
        return None
    try:
        merged = merge_arrays(
            read_array(base, key), read_array(ours, key), read_array(theirs, key), choice
        )
    except FormatError:
        return None
    conflicts = []
    if merged.rows is not None:
        path = f"rows[{merged.rows[0]}:{merged.rows[1]}]"
        said = f"{merged.clashes} elements"
        conflicts.append(
            DataConflict(dataset, key, "elements-both", path, None, said, said, choice)
        )
    if merged.both_grew:
        conflicts.append(
            DataConflict(dataset, key, "rows-added-both", "end", None, "rows", "rows", choice)
        )
    return MergedFile(write_array(merged.array), tuple(conflicts))


def merge_archive(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    """Merge an NPZ file that both sides changed, by array; None if one cannot be read."""
    from veml_vcs.samples.arrays import diff_npz, merge_npz, read_npz, write_npz

    try:
        before = None if base is None else read_npz(base, key)
        left, right = read_npz(ours, key), read_npz(theirs, key)
    except FormatError:
        return None
    merged = merge_npz(before, left, right, choice)
    conflicts = tuple(
        DataConflict(dataset, key, one.kind, one.path, one.base, one.ours, one.theirs, choice)
        for one in merged.conflicts
    )
    for data, side in ((ours, left), (theirs, right)):
        alike = list(side.arrays) == list(merged.archive.arrays)
        if alike and not diff_npz(side, merged.archive):
            return MergedFile(data, conflicts)  # one side has all of it: its bytes stay
    return MergedFile(write_npz(merged.archive), conflicts)
