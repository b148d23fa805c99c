"""Which samples of a data version are trained on, and which are held back to measure.

Drawn by a hash of the seed and the sample's id: the same samples on every machine, whatever their
order and names; two files of the same bytes are never on both sides; and a sample hardly ever
changes sides when the data set grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import SampleId
from veml_vcs.samples.facts import Annotation

DEFAULT_FRACTION = 0.2
_TRAINING = ("train", "training")


@dataclass(frozen=True)
class Split:
    """The two parts of one data version.

    Attributes:
        train: Keys of the samples that are trained on.
        val: Keys of those that are held back.
        train_part: How the first were chosen, as a training record says it.
        val_part: How the second were.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    train_part: Mapping[str, Any] = field(default_factory=dict)
    val_part: Mapping[str, Any] = field(default_factory=dict)


def split_by_seed(samples: Mapping[str, SampleId], fraction: float, seed: int) -> Split:
    """Hold back a fraction of the samples.

    Args:
        samples: Key -> sample id.
        fraction: Part that is held back, between 0 and 1.
        seed: Draws it.

    Raises:
        InvalidInputError: The fraction leaves no sample on one side.
    """
    if not 0 < fraction < 1:
        raise InvalidInputError(f"--val-split {fraction:g}: expected a fraction between 0 and 1")

    def drawn(sample: SampleId) -> bytes:
        return hashlib.sha256(b"%d:" % seed + bytes(sample)).digest()

    by_content: dict[SampleId, list[str]] = {}
    for key, sample in samples.items():
        by_content.setdefault(sample, []).append(key)
    wanted = max(1, round(fraction * len(samples)))
    held: set[str] = set()
    for sample in sorted(by_content, key=drawn):
        if len(held) >= wanted:
            break
        held.update(by_content[sample])
    train = tuple(key for key in samples if key not in held)
    if not train or not held:
        raise InvalidInputError(
            f"{len(samples)} samples cannot be split: nothing is left to "
            + ("train on" if held else "measure on"),
            hint="--val DATA names another data version to measure on",
            kind="too-few-samples",
        )
    rest = round(1 - fraction, 12)
    val = tuple(key for key in samples if key in held)
    return Split(train, val, {"seed": seed, "fraction": rest}, {"seed": seed, "fraction": fraction})


def split_by_name(keys: Iterable[str], annotations: Mapping[str, Annotation], name: str) -> Split:
    """Hold back the samples that the data set itself says are in a split.

    Trained on are those of its split ``train``, if it has one, else all others. A sample in both is
    not trained on.

    Args:
        keys: All samples.
        annotations: What is said of them.
        name: The split to measure on.

    Raises:
        InvalidInputError: The data set has no such split, or nothing else to train on.
    """
    splits = {key: tuple(annotations.get(key, {}).get("splits", ())) for key in keys}
    known = sorted({one for each in splits.values() for one in each})
    if name not in known:
        raise InvalidInputError(
            f"--val-split {name}: the data set has {_told(known)}",
            hint="a fraction such as 0.2 draws a split by --seed",
            kind="unknown-split",
        )
    train_name = next((one for one in _TRAINING if one in known and one != name), None)
    val = tuple(key for key, one in splits.items() if name in one)
    train = tuple(
        key
        for key, one in splits.items()
        if name not in one and (train_name is None or train_name in one)
    )
    if not train:
        raise InvalidInputError(
            f"--val-split {name}: no sample is left to train on", kind="too-few-samples"
        )
    part = {"split": train_name} if train_name else {"without": name}
    return Split(train, val, part, {"split": name})


def _told(known: Sequence[str]) -> str:
    return f"the splits {', '.join(known)}" if known else "no splits of its own"
