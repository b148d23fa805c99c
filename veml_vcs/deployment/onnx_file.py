"""An ONNX file: made of a network, checked, run by onnxruntime.

A file out of a repository is a stranger's. ONNX is a list of operations and no program; what could
reach beyond it is refused before the runtime sees it: tensors that lie in other files (the runtime
would open any path), and operators of other domains than ONNX's own and the runtime's.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPSET = 17
_DOMAINS = frozenset(("", "ai.onnx", "ai.onnx.ml", "com.microsoft"))
_MAX_BYTES = (1 << 31) - 1
"""A message of protobuf cannot be larger; tensors of a larger network would lie beside it."""


def export_onnx(
    network: Any,
    example: Any,
    inputs: Mapping[str, Sequence[str | int]],
    outputs: Mapping[str, Sequence[str | int]],
    about: Mapping[str, Any],
) -> bytes:
    """Trace a network into an ONNX file.

    The same network gives the same bytes: no path, no time, no name of a machine is in it.

    Args:
        network: A ``torch.nn.Module`` in ``eval()``.
        example: What it is traced with: a tensor, or a tuple of them.
        inputs: Name -> the shape; a word stands for a length that may be any.
        outputs: As ``inputs``.
        about: What is written into the file's metadata: key -> text, or JSON.

    Raises:
        FormatError: PyTorch cannot export it, or it is too large for one file.
    """
    import onnx
    import torch

    target = io.BytesIO()
    shapes = {**inputs, **outputs}
    free = {
        name: {at: word for at, word in enumerate(shape) if isinstance(word, str)}
        for name, shape in shapes.items()
    }
    given = example if isinstance(example, tuple) else (example,)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter's age, and of checks it leaves out
            torch.onnx.export(
                network, given, target,  # type: ignore[arg-type]  # a stream does
                dynamo=False, opset_version=OPSET,
                input_names=list(inputs), output_names=list(outputs), dynamic_axes=free,
            )  # fmt: skip
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        raise FormatError(
            f"PyTorch cannot export the network: {type(error).__name__}: {error!s:.400}",
            kind="cannot-export",
        ) from error
    model = onnx.load_model_from_string(target.getvalue())
    for node in model.graph.node:
        node.ClearField("doc_string")  # stack traces, with the paths of this machine
    for key in sorted(about):
        text = about[key] if isinstance(about[key], str) else json.dumps(about[key])
        model.metadata_props.add(key=f"veml.{key}", value=text)
    return onnx_bytes(model)


def onnx_bytes(model: Any) -> bytes:
    """Return a model as the bytes of one file, checked.

    Raises:
        FormatError: It is larger than one file can be.
    """
    import onnx

    if model.ByteSize() > _MAX_BYTES:
        raise FormatError(
            f"the network takes {model.ByteSize():,} bytes; an ONNX file of one piece holds at "
            f"most {_MAX_BYTES:,}",
            kind="cannot-export",
        )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def refuse_unsafe(data: bytes, name: str) -> Any:
    """Refuse a file that reaches beyond itself; return it parsed.

    Args:
        data: Its bytes.
        name: For messages.

    Raises:
        FormatError: It is no ONNX file, its tensors lie in other files, or it needs operators of
            somebody's own.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"{name}: no ONNX file: {error!s:.200}") from error
    foreign = sorted({one.domain for one in model.opset_import} - _DOMAINS)
    graphs = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        tensors = list(getattr(graph, "initializer", ()))
        tensors += [one.values for one in getattr(graph, "sparse_initializer", ())]
        tensors += [one.indices for one in getattr(graph, "sparse_initializer", ())]
        for node in graph.node:
            if node.domain not in _DOMAINS:
                foreign.append(node.domain)
            for said in node.attribute:
                graphs += [*([said.g] if said.HasField("g") else []), *said.graphs]
                tensors += [*([said.t] if said.HasField("t") else []), *said.tensors]
        outside = next((one for one in tensors if _lies_outside(one)), None)
        if outside is not None:
            raise FormatError(
                f"{name}: the tensor {outside.name!r:.80} lies in another file, which could be any "
                "on this machine; a file that veml made is in one piece",
                kind="not-trusted",
            )
    if foreign:
        raise FormatError(
            f"{name}: needs operators of {foreign[0]!r:.80}, which are neither ONNX's nor "
            "onnxruntime's",
            kind="not-trusted",
        )
    return model


def _lies_outside(tensor: Any) -> bool:
    return bool(tensor.external_data) or tensor.data_location == 1


class OnnxRunner:
    """Runs an ONNX file on a CPU.

    Args:
        data: The file's bytes.
        name: For messages.
        threads: How many compute; 0: as onnxruntime thinks fit.

    Attributes:
        about: What the file says of itself, as ``export_onnx`` wrote it.

    Raises:
        FormatError: The file is refused (see ``refuse_unsafe``), or onnxruntime cannot load it.
    """

    def __init__(self, data: bytes, name: str, threads: int = 0) -> None:
        refuse_unsafe(data, name)
        import onnxruntime

        self.name = name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # The runtime's errors have no class in common but this one.
            raise FormatError(
                f"{name}: onnxruntime cannot load it: {error!s:.300}", kind="cannot-run"
            ) from error
        found = self._session.get_modelmeta().custom_metadata_map
        self.about = {key.removeprefix("veml."): text for key, text in found.items()}
        self.inputs = tuple(one.name for one in self._session.get_inputs())
        self.outputs = tuple(one.name for one in self._session.get_outputs())

    def run(self, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.generic]]:
        """Run the file once.

        Args:
            values: Name of an input -> array.

        Returns:
            Name of an output -> array.

        Raises:
            FormatError: It fails on them.
        """
        try:
            found = self._session.run(None, dict(values))
        except Exception as error:
            raise FormatError(
                f"{self.name}: onnxruntime failed: {error!s:.300}", kind="cannot-run"
            ) from error
        return dict(zip(self.outputs, found, strict=True))
