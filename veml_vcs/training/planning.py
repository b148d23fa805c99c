"""Make the plan of a training, or refuse it: the first thing that ``veml train`` does.

Nothing here imports the engine: whatever is wrong with the data, the model's config or the options
is said within a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.repository.repository import Repository
from veml_vcs.training.classification.adapt import is_classifier
from veml_vcs.training.classification.plan import plan_classification
from veml_vcs.training.detection_plan import plan_detection
from veml_vcs.training.forecasting.adapt import is_forecaster
from veml_vcs.training.inputs import (
    config_of_training,
    model_config,
    refuse_untrusted,
    start_of,
    without_pretrained,
)
from veml_vcs.training.parts import READ
from veml_vcs.training.plan import Plan, Request
from veml_vcs.training.settings import apply_settings, variables_alone
from veml_vcs.versions.models import flatten


def make_plan(repo: Repository, request: Request) -> Plan:
    """Settle a training, or refuse it.

    What is learnt follows from the model (or from that of ``Request.like``): a ``Forecaster``
    forecasts, a ``Classifier`` classifies, all others detect.

    Raises:
        NotFoundError: There is no such data set, model or training, or its data is not here.
        ConflictError: A folder or a config differs from the version that would be trained.
        InvalidInputError: The data has nothing to learn from, classes do not match, options
            contradict.
        FormatError: The config is for another task, or lacks something.
    """
    notes: list[str] = []
    if request.like is None:
        config, model, version = model_config(repo, request.model, notes)
    else:
        config, model, version = config_of_training(repo, request.like)
    changed = apply_settings(config, request.settings)
    if request.start is not None:
        without_pretrained(changed)
    notes += [
        f"--set {key}: a key that the config did not have"
        for key in flatten(changed).keys() - flatten(config).keys()
    ]
    notes += variables_alone(flatten(config), request.settings, READ)
    refuse_untrusted(changed, request)
    if is_forecaster(changed):
        # numpy, and the numbers of a series, are not for those who detect.
        from veml_vcs.training.forecasting.plan import plan_forecast

        settled = plan_forecast(repo, request, changed, notes)
    elif is_classifier(changed):
        settled = plan_classification(repo, request, changed, notes)
    else:
        settled = plan_detection(repo, request, changed, notes)
    return Plan(
        task=settled.task,
        name=request.name or model,
        train=settled.train,
        val=settled.val,
        classes=settled.classes,
        model=model,
        model_version=version,
        config=_recorded(settled.config),
        seed=request.seed,
        iterations=settled.iterations,
        epochs=settled.epochs,
        deterministic=request.deterministic,
        trust=request.trust,
        start=start_of(repo, request, settled.classes),
        notes=tuple(notes),
        transferred_from=request.transferred_from,
        rebuilt_from=request.rebuilt_from,
        also=request.also,
    )


def _recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat config, without what is the machine's."""
    for loader in (config["train_dataloader"], config["val_dataloader"]):
        for name in ("num_workers", "persistent_workers", "pin_memory", "prefetch_factor"):
            loader.pop(name, None)
    return flatten(config)
