"""Git's merge drivers for records and for ``.gitignore``.

Git gives three temporary files and the path, and expects the result in the second file. It may be
merging, rebasing, cherry-picking, reverting, or only thinking (``git merge-tree``), and may still
give up; so nothing but the store and a note of the conflicts is written.
"""

from __future__ import annotations

from veml_hooks.say import say
from veml_vcs.errors import InvalidInputError, VemlError
from veml_vcs.objects.files import Files
from veml_vcs.repository.damage import explained
from veml_vcs.repository.git.ignore import merge_lines
from veml_vcs.repository.git.program import git
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.pending import Pending, remember_pending
from veml_vcs.repository.merging.record import merge_records
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import Choice
from veml_vcs.versions.data import dataset_path, is_data_record, parse_data_record
from veml_vcs.versions.kinds import MEASURED, MODEL, kind_of

_LISTED = 5


def merge_record(base: str, ours: str, theirs: str, path: str, *, ancestor: bool = False) -> int:
    """Merge two records.

    Args:
        base: File with the common ancestor's record; empty if there is none.
        ours: File with ours; takes the result.
        theirs: File with theirs.
        path: Where the record is in the work tree.
        ancestor: What is merged are common ancestors: ours stands where they contradict.

    Returns:
        0, or 1 if there are conflicts.

    Raises:
        VemlError: They cannot be merged; ``ours`` is untouched.
    """
    texts = [_read(file) for file in (base, ours, theirs)]
    kinds = {kind_of(text) for text in texts[1:]}
    if kinds == {MODEL}:
        return _merge_model(texts, ours, path)
    if len(kinds) == 1 and kinds <= set(MEASURED):
        return 0 if ancestor else _leave_ours(texts, path)
    if any(text and not is_data_record(text) for text in texts):
        return _merge_text(base, ours, theirs)
    name = dataset_path(path)
    records = [parse_data_record(text, path) if text else None for text in texts]
    with Repository(".") as repo:
        default: Choice | None = "ours" if ancestor else None
        try:
            merged = merge_records(repo, name, *records, default=default)
        except VemlError as error:
            raise explained(repo, error) from error
        if merged.record is None:
            raise InvalidInputError(f"{name}: nothing is left of it on either side")
        data = merged.record.to_bytes()
        _write(ours, data)
        left = tuple(one for one in merged.conflicts if one.choice is None)
        if left:
            stages = tuple(blob_id(text) if text else None for text in texts)
            remember_pending(repo, Pending(name, stages, merged.conflicts, blob_id(data)))  # type: ignore[arg-type]
            _tell(name, left)
            return 1
    if not ancestor:
        numbers = merged.samples
        counts = f"+{numbers.get('added', 0):,} -{numbers.get('removed', 0):,} samples"
        say(f"{name}: merged by sample and by box ({counts} since the common ancestor)")
    return 0


def _merge_model(texts: list[bytes], ours: str, path: str) -> int:
    """Merge the records of a model key by key; ``veml status`` compares them with the config."""
    from veml_vcs.versions.models.merge import merge_model_records

    MODEL.name_of(path)
    base, left, right = (MODEL.parse(text, path) if text else None for text in texts)
    assert left is not None
    assert right is not None
    merged = merge_model_records(base, left, right)
    _write(ours, merged.record.to_bytes())
    if not merged.conflicts:
        return 0
    say(f"{path}: both sides changed {len(merged.conflicts)} keys of the config differently")
    for one in merged.conflicts[:_LISTED]:
        say(f"  {one.key}  ours {one.ours!s:.60}, theirs {one.theirs!s:.60}")
    say("hint: settle the config; veml add CONFIG then reads the record from it")
    return 1


def _leave_ours(texts: list[bytes], path: str) -> int:
    """Leave ours of a training or inference version that both changed: nothing of it is merged."""
    from veml_vcs.repository.records.merging import how_to_settle, measured_twice

    if measured_twice(texts[1], texts[2], path):
        return 0
    kind = kind_of(texts[1])
    assert kind is not None
    say(
        f"{path}: both sides changed this {kind.name}; ours stands meanwhile",
        f"hint: {how_to_settle(path)} settles it",
    )
    return 1


def merge_ignore(base: str, ours: str, theirs: str, path: str) -> int:
    """Merge two ``.gitignore`` files: as text, and line by line where that conflicts."""
    texts = [_read(file) for file in (base, ours, theirs)]
    done = git(".", "merge-file", "-p", ours, base, theirs, here=True)
    _write(ours, done.out if done.code == 0 else merge_lines(*texts))
    return 0


def _merge_text(base: str, ours: str, theirs: str) -> int:
    """Merge as Git does where there is no driver; what it cannot merge keeps ours."""
    done = git(".", "merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs",
               ours, base, theirs, here=True)  # fmt: skip
    if done.code < 128:  # the number of conflicts; more is an error, as for binary files
        _write(ours, done.out)
    return 0 if done.code == 0 else 1


def _tell(name: str, left: tuple[DataConflict, ...]) -> None:
    say(f"{name}: {len(left)} conflict{'s' if len(left) != 1 else ''}; ours stands meanwhile")
    for one in left[:_LISTED]:
        say(f"  {name}/{one.key}  {one.kind} {one.path}".rstrip())
    say(f"hint: veml status lists them; veml resolve {name} --ours|--theirs|--base settles them")


def _read(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def _write(file: str, data: bytes) -> None:
    Files().write_atomic(file, data, durable=False)  # Git reads it at once, and keeps it no longer
