"""What an inference version says, as rows of a table, and what it costs beside another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from veml_vcs.ids import short
from veml_vcs.versions.changes import (
    MetricChange,
    compare_metrics,
    in_words,
)
from veml_vcs.versions.inferences.outcome import Latency, Parity
from veml_vcs.versions.inferences.record import InferenceRecord

_UNITS = {"boxes": " pixels"}
_ROLES = {"val": "measured on", "calibration": "calibrated on"}


def fact_rows(record: InferenceRecord) -> dict[str, str]:
    """Return what an inference version is: fact -> as people read it, in the order it is shown.

    Metrics are not among them.
    """
    training = record.training
    rows = {
        "task": record.task,
        "training": f"{training.name} ({short(training.version, 7)})",
        "format": record.format
        if record.opset is None
        else f"{record.format}, opset {record.opset}",
        "quantisation": record.quantisation,
        "device": record.device,
        "file": f"{record.file.size_bytes:,} bytes ({short(record.file.sha256, 7)})",
        "inputs": "; ".join(f"{name} {_shape(one)}" for name, one in record.inputs.items()),
        "classes": ", ".join(record.classes),
    }
    for use in record.data:
        name = _ROLES.get(use.role, use.role)
        rows[name] = f"{rows[name]}; {use}" if name in rows else str(use)
    rows |= {
        "parity": "" if record.parity is None else parity_words(record.parity),
        "latency": "" if record.latency is None else latency_words(record.latency),
        "before it": in_words(record.preprocess),
        "after it": in_words(record.postprocess),
        "options": in_words(record.options),
        "libraries": in_words(record.libraries),
    }
    return {name: text for name, text in rows.items() if text}


@dataclass(frozen=True)
class _Costs:
    """What using a version costs, as metrics: in the words by which ``compare`` shows it."""

    metrics: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float]]


def compare_costs(
    old: InferenceRecord | None, new: InferenceRecord | None
) -> tuple[MetricChange, ...]:
    """Return size and latency of two inference versions; less is better."""
    return compare_metrics(_costs(old), _costs(new))


def _costs(record: InferenceRecord | None) -> _Costs | None:
    if record is None:
        return None
    found: dict[str, float] = {"bytes": record.file.size_bytes}
    if record.latency is not None:
        found |= {"median ms": record.latency.median_ms, "p95 ms": record.latency.p95_ms}
    return _Costs(found, {})


def parity_words(parity: Parity) -> str:
    """Return ``as its checkpoint on 8 samples: boxes differ by 0.1 pixels at most ...``."""
    told = ", ".join(
        f"{name} differ by {one:.3g}{_UNITS.get(name, '')} at most ("
        f"allowed {parity.tolerance.get(name, 0.0):g})"
        for name, one in parity.largest.items()
    )
    verdict = "as its checkpoint" if parity.holds else "not as its checkpoint"
    alone = f"{parity.unmatched:,} detection{'' if parity.unmatched == 1 else 's'} of one alone"
    lost = f", {alone}" if parity.unmatched else ""
    count = f"{parity.samples:,} sample{'' if parity.samples == 1 else 's'}"
    return f"{verdict} on {count}: {told}{lost}" if told or lost else f"{verdict} on {count}"


def latency_words(latency: Latency) -> str:
    """Return ``12.3 ms median, 15.1 ms p95; batch 1, 2 threads of CPU, 50 runs after 5``."""
    return (
        f"{latency.median_ms:.3g} ms median, {latency.p95_ms:.3g} ms p95; batch {latency.batch}, "
        f"{latency.threads} thread{'' if latency.threads == 1 else 's'} of {latency.cpu}, "
        f"{latency.runs:,} runs after {latency.warm_up:,}"
    )


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join("any" if one < 0 else f"{one:,}" for one in shape) or "one number"
