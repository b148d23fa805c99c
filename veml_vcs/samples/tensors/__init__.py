"""Named tensors: read from and written to safetensors files, kept one by one in the store."""

from veml_vcs.samples.tensors.checkpoint import (
    Stored,
    TensorChange,
    compare_checkpoints,
    read_checkpoint,
    write_checkpoint,
)
from veml_vcs.samples.tensors.safetensors import (
    Checkpoint,
    Tensor,
    read_safetensors,
    write_safetensors,
)

__all__ = [
    "Checkpoint",
    "Stored",
    "Tensor",
    "TensorChange",
    "compare_checkpoints",
    "read_checkpoint",
    "read_safetensors",
    "write_checkpoint",
    "write_safetensors",
]
