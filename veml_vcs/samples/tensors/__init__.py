"""Named tensors: read from and written to safetensors files, kept one by one in the store."""

from veml_vcs.samples.tensors.checkpoint import (
    Stored,
    TensorChange,
    compare_checkpoints,
    read_checkpoint,
    write_checkpoint,
)
from veml_vcs.samples.tensors.layers import LayerChange, layer_changes
from veml_vcs.samples.tensors.safetensors import (
    Checkpoint,
    Tensor,
    read_safetensors,
    write_safetensors,
)
from veml_vcs.samples.tensors.values import average

__all__ = [
    "Checkpoint",
    "LayerChange",
    "Stored",
    "Tensor",
    "TensorChange",
    "average",
    "compare_checkpoints",
    "layer_changes",
    "read_checkpoint",
    "read_safetensors",
    "write_checkpoint",
    "write_safetensors",
]
