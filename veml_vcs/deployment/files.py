"""The kinds of files that a network is exported to, and what runs each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from veml_vcs.deployment.onnx_file import OnnxRunner, export_onnx
from veml_vcs.versions.inferences.outcome import ExportFormat

if TYPE_CHECKING:
    from veml_vcs.deployment.exporter import Exporter, FileRunner


def export_file(exporter: Exporter, kind: ExportFormat, about: Mapping[str, Any]) -> bytes:
    """Export a network.

    Args:
        exporter: Has the network.
        kind: What kind of file.
        about: What is written into it: key -> text, or JSON.

    Raises:
        FormatError: It cannot be exported.
    """
    if kind == "onnx":
        return export_onnx(
            exporter.network(portable=False), exporter.example(), exporter.inputs,
            exporter.outputs, about,
        )  # fmt: skip
    from veml_vcs.deployment.torchscript_file import export_torchscript

    return export_torchscript(exporter.network(portable=True), exporter.example(), about)


def open_made(exporter: Exporter, kind: ExportFormat, data: bytes, threads: int) -> FileRunner:
    """Return what runs a file that was made a moment ago, and so needs no trust.

    Args:
        exporter: Has made it.
        kind: What kind of file.
        data: Its bytes.
        threads: How many compute.
    """
    if kind == "onnx":
        return OnnxRunner(data, "the exported file", threads)
    from veml_vcs.deployment.torchscript_file import TorchScriptRunner

    return TorchScriptRunner(
        data, "the exported file", threads, list(exporter.inputs), list(exporter.outputs)
    )
