"""Which extras (``pip install 'veml[ml]'``) are installed, and whether they work: each is tried.

The extras are those of the package's own metadata, so a new one shows up here by itself; ``_TRIES``
says how to try one for good, and one without an entry is tried by importing its packages.
"""

from __future__ import annotations

from importlib import metadata

from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.doctor.packages import AGAIN
from veml_vcs.repository.doctor.probe import failure_of
from veml_vcs.repository.doctor.requirements import CORE, Installed, installed

_PNG = """
import io
from PIL import Image, ImageDraw
image = Image.new("RGB", (32, 32))
ImageDraw.Draw(image).rectangle((4, 4, 20, 20), outline="red")
file = io.BytesIO()
image.save(file, "PNG")
"""

_TRIES = {
    "plot": _PNG,
    "ml": _PNG
    + """
import scipy.stats
from veml_vcs.analysis.embedders import get_embedder
vectors = get_embedder().embed([file.getvalue()])
assert vectors.shape[0] == 1 and (vectors == vectors).all()
""",
    "mmdet": """
import pycocotools.mask, torch
from veml_vcs.training.engine import prepare_engine
prepare_engine("detection")
from mmcv.ops import nms, roi_align
boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 4.0]])
assert len(nms(boxes, torch.tensor([0.5, 0.9]), 0.5)[1]) == 1
regions = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]])
assert roi_align(torch.ones(1, 1, 8, 8), regions, (2, 2)).sum() == 4
""",
    "export": """
import numpy, onnx, onnxruntime, onnxscript
from onnx import TensorProto, helper
value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
twice = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g", [value], [twice])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"]
)
assert session.run(None, {"x": numpy.ones(1, numpy.float32)})[0][0] == 2
""",
    "parquet": """
import pyarrow
import pyarrow.parquet
from veml_vcs.samples.tables.parquet import read_parquet
stream = pyarrow.BufferOutputStream()
pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2, 3]}), stream)
assert len(read_parquet(stream.getvalue().to_pybytes(), "probe").table.rows) == 3
""",
}
_DESKTOP = ("libGL", "libgthread", "libglib", "libxcb")
"""Libraries of a desktop, which one build of OpenCV asks for and the headless one does not."""

_USES = {
    "plot": "veml data stats --plot, veml diff --plot",
    "ml": "veml similar, veml drift, PyTorch data sets",
    "parquet": "Parquet files by rows",
    "export": "veml deploy, veml predict",
    "mmdet": "veml train; veml model add --trust counts parameters",
}


def _run(_patient: Patient) -> Said:
    for extra, packages in installed().items():
        if extra != CORE:
            yield from _one(extra, packages)


def _one(extra: str, packages: Installed) -> Said:
    install = f"pip install 'veml[{extra}]'"
    uses = f" (for {_USES[extra]})" if extra in _USES else ""
    if packages.absent:
        missing = ", ".join(packages.absent)
        yield "note", f"[{extra}] is not installed{uses}; missing: {missing}", install
        return
    for one in packages.unfit:
        yield "broken", f"[{extra}] {one}", f"pip install --upgrade 'veml[{extra}]'"
    if packages.unfit:
        return
    failure = failure_of(_TRIES.get(extra) or _imports(packages))
    if failure is not None and not failure.answered:
        yield "warning", f"[{extra}] is installed{uses}; not tried: {failure.said}", AGAIN
        return
    if failure is not None:
        wanted = " ".join(f"'{one}'" for one in packages.wanted)
        mend = f"pip install --force-reinstall {wanted}"
        if any(one in failure.said for one in _DESKTOP):
            mend = "pip install --force-reinstall --no-deps opencv-python-headless"
        yield (
            "broken",
            f"[{extra}] is installed and does not work{uses}: {failure.said}",
            mend,
        )
        return
    versions = ", ".join(f"{name} {one}" for name, one in packages.found.items())
    yield "ok", f"[{extra}] works: {versions}", None


def _imports(packages: Installed) -> str:
    """Return a script that imports every module which the packages are there for."""
    by_module = metadata.packages_distributions()
    names = {name.lower() for name in packages.found}
    modules = sorted(
        module
        for module, owners in by_module.items()
        if module.isidentifier() and names & {one.lower() for one in owners}
    )
    return "".join(f"import {module}\n" for module in modules)


CHECK = Check("extras", "optional packages, really tried", _run)
