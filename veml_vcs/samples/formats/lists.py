"""Lists of images, one a line, that make up splits: VOC's ImageSets, YOLO's ``train.txt``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats.base import ReadFile
from veml_vcs.samples.formats.keys import is_image, without_suffix
from veml_vcs.samples.formats.names import Naming, fit
from veml_vcs.samples.formats.text import Tally, decode, malformed, one_line


@dataclass(frozen=True)
class SplitLists:
    """What lists of images say.

    Attributes:
        splits: Sample key -> sorted names of its splits; also samples that are absent.
        extra: Key of the list -> how it names images and what it says besides.
        warnings: Sentences for the user.
    """

    splits: dict[str, list[str]]
    extra: dict[str, Any]
    warnings: tuple[str, ...]

    @staticmethod
    def read(
        lists: Mapping[str, str], samples: Collection[str], read: ReadFile, *, bare: bool
    ) -> SplitLists:
        """Read lists.

        Args:
            lists: Key of the list -> name of its split.
            samples: Keys a line may mean.
            read: Returns a file's bytes.
            bare: Lines usually leave the extension out.

        Raises:
            FormatError: Not UTF-8, or a line that cannot name a file.
        """
        known = _known(samples, bare) if lists else {}
        splits: dict[str, set[str]] = {}
        extra: dict[str, Any] = {}
        warnings: list[str] = []
        for key, split in lists.items():
            members, facts, absent = _read_list(key, read(key), known, bare)
            for member in members:
                splits.setdefault(member, set()).add(split)
            if facts:
                extra[key] = facts
            warnings += absent
        return SplitLists(
            {key: sorted(names) for key, names in splits.items()}, extra, tuple(warnings)
        )

    @staticmethod
    def write(
        key: str,
        split: str,
        annotations: Mapping[str, Annotation],
        extra: Mapping[str, Any],
        *,
        bare: bool,
    ) -> bytes:
        """Write one list, sorted by sample key.

        Args:
            key: Of the list.
            split: Its name.
            annotations: Sample key -> annotation, of all samples.
            extra: ``Facts.extra``.
            bare: As for ``read``.

        Raises:
            InvalidInputError: The name of a sample cannot stand on a line.
        """
        facts: Mapping[str, Any] = extra.get(key, {})
        naming = Naming.from_json(facts)
        names: Mapping[str, str] = facts.get("names", {})
        repeated: Mapping[str, int] = facts.get("repeated", {})
        leave_out = bare and not facts.get("with_suffix", False)
        known = _known(sorted(annotations), bare) if leave_out else {}
        lines = []
        for sample in sorted(annotations):
            if split not in annotations[sample].get("splits", ()):
                continue
            name = names.get(sample)
            if name is None:
                short = without_suffix(sample)
                called = short if leave_out and known.get(short) == sample else sample
                name = naming.to_name(called) or called
            line = one_line(name, f"{key}: name of {sample}")
            lines += [line] * repeated.get(sample, 1)
        return "".join(line + "\n" for line in lines).encode()


def check_splits(annotations: Mapping[str, Annotation], possible: Iterable[str]) -> None:
    """Check that every split can be written somewhere.

    Raises:
        InvalidInputError: A sample is in a split that no list, and no folder, stands for.
    """
    allowed = frozenset(possible)
    for key, annotation in annotations.items():
        lost = [name for name in annotation.get("splits", ()) if name not in allowed]
        if lost:
            raise InvalidInputError(
                f"{key}: is in the split {lost[0]!r}, for which the data set has no list; "
                f"expected one of {', '.join(sorted(allowed)) or 'none'}"
            )


def _known(samples: Iterable[str], bare: bool) -> dict[str, str]:
    """Return what samples are known by -> key."""
    known: dict[str, str] = {}
    for key in samples:
        known[key] = key
        if bare:
            known.setdefault(without_suffix(key), key)
    return known


def _read_list(
    key: str, data: bytes, known: Mapping[str, str], bare: bool
) -> tuple[list[str], dict[str, Any], list[str]]:
    """Return the members of a list, its facts and warnings."""
    lines = [line.strip() for line in decode(data, key).split("\n")]
    names = [line for line in lines if line]
    with_suffix = not bare or any(is_image(name) for name in names)
    naming = fit(names, known, key)
    absent = Tally("{count} images listed are not in the folder: {few}", where=key)
    called: dict[str, str] = {}
    counts: Counter[str] = Counter()
    odd: dict[str, str] = {}
    for number, name in enumerate(lines, 1):
        if not name:
            continue
        member = naming.to_key(name, known)
        if member is None:
            member = naming.absent_key(name)
            if member is None or "\0" in name:
                raise malformed(key, f"line {number}", "the name of an image", repr(name))
            if not is_image(member):
                member += ".jpg"
            absent.add(name)
        counts[member] += 1
        if member not in called:
            called[member] = name
            short = without_suffix(member)
            usual = member if with_suffix or known.get(short, member) != member else short
            if naming.to_name(usual) != name:
                odd[member] = name
    facts = naming.to_json()
    facts.pop("others", None)
    if odd:
        facts["names"] = odd
    if bare and with_suffix:
        facts["with_suffix"] = True
    if repeated := {member: count for member, count in counts.items() if count > 1}:
        facts["repeated"] = repeated
    return list(called), facts, absent.warnings()
