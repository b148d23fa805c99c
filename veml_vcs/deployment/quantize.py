"""A smaller ONNX file: weights in halves of 16 bits, or matrix products in whole numbers of 8."""

from __future__ import annotations

import logging
import os
import tempfile
from typing import Any

import numpy as np

from veml_vcs.deployment.onnx_file import onnx_bytes
from veml_vcs.errors import FormatError

_LEAST_WEIGHTS = 256
"""A tensor with fewer numbers is left as it is: it would save nothing."""


def to_fp16(data: bytes) -> bytes:
    """Keep weights as float16, and compute with float32.

    Processors without arithmetic of 16 bits run such a file everywhere, as fast as the original
    (onnxruntime turns the weights back once, when it loads it); it takes half the space.

    Args:
        data: An ONNX file.

    Raises:
        FormatError: A weight is too large for float16.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_model_from_string(data)
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _LEAST_WEIGHTS:
            continue
        name = tensor.name
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if not np.isfinite(halves).all():
            raise FormatError(
                f"the weights {name} hold numbers that are too large for float16",
                hint="veml deploy without --quantize fp16",
                kind="cannot-quantise",
            )
        tensor.CopyFrom(numpy_helper.from_array(halves, name + "_half"))
        casts.append(
            helper.make_node("Cast", [name + "_half"], [name], name + "_cast", to=TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return onnx_bytes(model)


def to_int8(data: bytes) -> bytes:
    """Compute the products of matrices in whole numbers of 8 bits, and leave convolutions alone.

    Weights are quantised once, what goes in as it comes (dynamically), so no samples are needed.
    Quantised convolutions move boxes by tens of pixels; their share of the weights is why a file
    may shrink by less than four.

    Args:
        data: An ONNX file.

    Raises:
        FormatError: The network multiplies no matrices.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load_model_from_string(data)
    if not any(node.op_type in ("Gemm", "MatMul") for node in model.graph.node):
        raise FormatError(
            "the network multiplies no matrices with weights, so int8 would change nothing: "
            "quantised convolutions move boxes by tens of pixels and are not offered",
            hint="--quantize fp16 halves the file",
            kind="cannot-quantise",
        )
    with tempfile.TemporaryDirectory(prefix="veml-int8-") as folder:
        target = os.path.join(folder, "int8.onnx")  # the quantiser knows files alone
        logging.getLogger().addFilter(_without_advice)
        try:
            quantize_dynamic(
                model, target, op_types_to_quantize=["Gemm", "MatMul"], weight_type=QuantType.QInt8
            )
        finally:
            logging.getLogger().removeFilter(_without_advice)
        made: Any = onnx.load(target)
    return onnx_bytes(made)


def _without_advice(record: logging.LogRecord) -> bool:
    """Leave out the quantiser's advice to optimise first, which changes nothing it quantises."""
    return "pre-processing before quantization" not in record.getMessage()
