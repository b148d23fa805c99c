"""A TorchScript file: made of a network, run by PyTorch alone.

TorchScript is a program, and some of its operators read and write files. So such a file is only
loaded where it was made in this very process, or where the user says so: never because a cloned
repository has it.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ABOUT = "veml.json"
_DEBUG = ".debug_pkl"


def export_torchscript(network: Any, example: Any, about: Mapping[str, Any]) -> bytes:
    """Trace a network into a TorchScript file.

    The same network gives the same bytes: what PyTorch writes of source files, with the paths of
    this machine, is left out.

    Args:
        network: A ``torch.nn.Module`` in ``eval()``, of PyTorch's own operators alone.
        example: What it is traced with: a tensor, or a tuple of them.
        about: What is written into the file beside it: key -> JSON.

    Raises:
        FormatError: PyTorch cannot trace it.
    """
    import torch

    target = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of TorchScript's age, and of checks left out
            traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
            traced = torch.jit.freeze(traced.eval())
            said = json.dumps(dict(about), sort_keys=True)
            torch.jit.save(traced, target, _extra_files={_ABOUT: said})
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        raise FormatError(
            f"PyTorch cannot export the network: {type(error).__name__}: {error!s:.400}",
            kind="cannot-export",
        ) from error
    return _without_paths(target.getvalue())


def _without_paths(data: bytes) -> bytes:
    """Return the archive without its records of where the source lies."""
    import torch

    reader = torch._C.PyTorchFileReader(io.BytesIO(data))
    target = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(target)
    # Written by the writer itself: the version, and a digest of the rest.
    own = ("version", "byteorder", ".data/serialization_id", ".format_version")
    for name in sorted(reader.get_all_records()):
        if not name.endswith(_DEBUG) and name not in own:
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    return target.getvalue()


class TorchScriptRunner:
    """Runs a TorchScript file on a CPU.

    Args:
        data: The file's bytes, which can do whatever the user can.
        name: For messages.
        threads: How many compute; 0: as PyTorch thinks fit.
        inputs: Names of what it takes, in order.
        outputs: Names of what it gives, in order.

    Attributes:
        about: What the file says of itself.

    Raises:
        FormatError: PyTorch cannot load it.
    """

    def __init__(
        self, data: bytes, name: str, threads: int, inputs: Sequence[str], outputs: Sequence[str]
    ) -> None:
        import torch

        self.name, self.inputs, self.outputs = name, tuple(inputs), tuple(outputs)
        if threads:
            torch.set_num_threads(threads)
        extra = {_ABOUT: ""}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of TorchScript's age
                self._module = torch.jit.load(  # type: ignore[no-untyped-call]
                    io.BytesIO(data), "cpu", _extra_files=extra
                )
            self.about: dict[str, Any] = json.loads(extra[_ABOUT] or "{}")
        except (RuntimeError, ValueError) as error:
            raise FormatError(
                f"{name}: PyTorch cannot load it: {error!s:.300}", kind="cannot-run"
            ) from error

    def run(self, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the file once.

        Args:
            values: Name of an input -> array.

        Returns:
            Name of an output -> array.

        Raises:
            FormatError: It fails on them.
        """
        import torch

        given = [torch.from_numpy(values[name].copy()) for name in self.inputs]
        try:
            with torch.no_grad():
                found = self._module(*given)
        except RuntimeError as error:
            raise FormatError(
                f"{self.name}: PyTorch failed: {str(error).strip()[-300:]}", kind="cannot-run"
            ) from error
        several = found if isinstance(found, tuple) else (found,)
        return {name: one.numpy() for name, one in zip(self.outputs, several, strict=True)}
