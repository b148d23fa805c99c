"""What of a lifecycle has to be fitted to other data than it was made for: its length, and sizes.

Classes are fitted by the training room (``class_names``); the rest of a config is taken as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from veml_vcs.lifecycle.sources import Source
from veml_vcs.repository.repository import Repository
from veml_vcs.training.detection_samples import detection_samples
from veml_vcs.training.plan import Plan, Request
from veml_vcs.training.planning import make_plan

_MOST_TIMES = 4
_LOOKED_AT = 200
_TOO_MANY = 0.2


def fit_length(
    repo: Repository, request: Request, plan: Plan, source: Source
) -> tuple[Request, Plan, list[str]]:
    """Let the new training make as many passes as the source made, if its config counts in steps.

    At least a quarter of the steps and at most four times as many: less teaches nothing new, and
    nobody who types one command expects to wait much longer than for the other.

    Args:
        repo: The repository.
        request: What will be trained; says nothing of its length unless the user did.
        plan: Of that request.
        source: Whose lifecycle it is.

    Returns:
        Request and plan, and what was changed, in sentences.
    """
    steps, every = plan.config.get("train_cfg.max_iters"), _interval(source)
    before = source.record.config.get("train_cfg.max_iters")
    asked = request.iterations is not None or request.epochs is not None
    if type(steps) is not int or type(before) is not int:
        return request, plan, []
    said = []
    if not asked and plan.task != "forecasting" and source.data.samples:
        passes = before * len(plan.train) / source.data.samples
        steps = round(min(max(passes, before / _MOST_TIMES, 1), before * _MOST_TIMES))
        if steps != before:
            why = f"as many passes over {len(plan.train)} samples as over {source.data.samples}"
            if not math.isclose(steps, passes, abs_tol=0.51):
                why = (
                    f"{len(plan.train)} samples are trained on, the source was on "
                    f"{source.data.samples}; a quarter and four times are the bounds"
                )
            said.append(f"{before} steps become {steps}: {why} (--iterations says otherwise)")
    if steps == before:
        return request, plan, said
    kept = () if every is None else (f"train_cfg.val_interval={_stretched(every, before, steps)}",)
    length = {} if asked else {"iterations": steps}
    fitted = replace(request, settings=(*kept, *request.settings), **length)  # type: ignore[arg-type]
    return fitted, make_plan(repo, fitted), said


def _interval(source: Source) -> int | None:
    found = source.record.config.get("train_cfg.val_interval")
    return found if type(found) is int else None


def _stretched(every: int, before: int, steps: int) -> int:
    return max(1, -(-every * steps // before))


def size_notes(repo: Repository, plan: Plan) -> list[str]:
    """Say whether the source's image size makes many boxes smaller than its anchors can find.

    Anchors and image size are not changed: the weights are of that scale, and it costs time.

    Args:
        repo: The repository.
        plan: Of a detector.
    """
    config = plan.nested()
    anchor = _smallest_anchor(config.get("model"))
    places = [*_resizes(config, "train_dataloader"), *_resizes(config, "val_dataloader")]
    if anchor is None or not places:
        return []
    data = plan.train.dataset(repo)
    keys = plan.train.keys[:: max(1, len(plan.train.keys) // _LOOKED_AT)]
    samples = detection_samples(data, keys, data.annotations(), plan.classes)
    scale = places[-1][1]
    small = boxes = 0
    for (width, height), targets in zip(samples.sizes, samples.targets, strict=True):
        ratio = min(max(scale) / max(width, height), min(scale) / min(width, height))
        for one in targets:
            if not one.ignored:
                x1, y1, x2, y2 = one.box
                boxes += 1
                small += math.sqrt((x2 - x1) * (y2 - y1)) * ratio < anchor / 2
    if not boxes or small / boxes <= _TOO_MANY:
        return []
    doubled = json.dumps([2 * one for one in scale])
    settings = " ".join(f"--set '{key}={doubled}'" for key, _ in places)
    return [
        f"{small / boxes:.0%} of the boxes are less than half as large as the smallest anchor "
        f"({anchor:g} pixels) at the source's image size {scale[0]} x {scale[1]}: they will hardly "
        f"be found; {settings} doubles it, and takes four times as long"
    ]


def _smallest_anchor(model: Any) -> float | None:
    """Return the side of the smallest anchor of a detector, in pixels; None if it has none."""
    found = []
    for one in _dicts(model):
        said = one.get("anchor_generator")
        if isinstance(said, Mapping):
            scales = said.get("scales") or [said.get("octave_base_scale")]
            sides = [
                scale * stride
                for scale in scales
                for stride in said.get("strides", ())
                if isinstance(scale, int | float) and isinstance(stride, int | float)
            ]
            found += sides
    return min(found, default=None)


def _resizes(config: Mapping[str, Any], loader: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the key of each image size in a loader's pipeline, and the size."""
    place, key = config.get(loader, {}).get("dataset"), f"{loader}.dataset"
    while isinstance(place, Mapping) and isinstance(place.get("dataset"), Mapping):
        place, key = place["dataset"], f"{key}.dataset"
    pipeline = place.get("pipeline") if isinstance(place, Mapping) else None
    for i, one in enumerate(pipeline if isinstance(pipeline, list) else ()):
        scale = one.get("scale") if isinstance(one, Mapping) else None
        if one.get("type") == "Resize" and isinstance(scale, list) and len(scale) == 2:
            yield f"{key}.pipeline.{i}.scale", (int(scale[0]), int(scale[1]))


def _dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from _dicts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _dicts(one)
