"""What of a config makes a training, whatever the task. The rest says where to write and look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import FormatError

_KEPT = (
    "model", "data_preprocessor", "train_dataloader", "val_dataloader", "optim_wrapper",
    "param_scheduler", "train_cfg", "auto_scale_lr", "custom_hooks", "custom_imports",
    "default_scope", "load_from", "find_unused_parameters",
)  # fmt: skip
_NEEDED = ("train_dataloader", "optim_wrapper", "train_cfg")


READ = frozenset((*_KEPT, "train_pipeline", "val_pipeline", "test_pipeline"))
"""What a training looks at, of the names at the top of a config."""


def training_parts(config: Mapping[str, Any], example: str) -> dict[str, Any]:
    """Return the parts of a config that make a training.

    Args:
        config: Nested and plain.
        example: A config that ships and has all, for the hint.

    Raises:
        FormatError: One that every training needs is not there.
    """
    made = {key: config[key] for key in _KEPT if config.get(key) is not None}
    for key in _NEEDED:
        if not isinstance(made.get(key), dict) or not made[key]:
            raise FormatError(
                f"the config says nothing of {key}, which a training needs",
                hint=f"veml model template {example} shows one that has all",
                kind="config-incomplete",
            )
    return made
