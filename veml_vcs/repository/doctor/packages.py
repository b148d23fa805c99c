"""Whether the packages that veml always needs are there, in versions that fit, and work."""

from __future__ import annotations

from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.doctor.probe import failure_of
from veml_vcs.repository.doctor.requirements import CORE, installed

AGAIN = "veml doctor packages extras, when the machine has less to do"

_TRY = """
import io, zarr, numcodecs, numpy, yaml, rich, imagesize, dulwich.repo
codec = numcodecs.Zstd()
assert codec.decode(codec.encode(bytes(1000))) == bytes(1000)
array = zarr.create_array(store=zarr.storage.MemoryStore(), shape=(8,), dtype="u1")
array[:] = numpy.arange(8)
assert array[5] == 5
"""


def _run(_patient: Patient) -> Said:
    packages = installed().get(CORE)
    if packages is None:
        return
    for one in packages.unfit:
        yield "broken", one, "pip install --upgrade veml"
    if packages.absent:
        yield "broken", f"not installed: {', '.join(packages.absent)}", "pip install --upgrade veml"
        return
    failure = failure_of(_TRY)
    if failure is not None and not failure.answered:
        yield "warning", f"the packages are installed; not tried: {failure.said}", AGAIN
    elif failure is not None:
        names = " ".join(packages.found)
        yield (
            "broken",
            f"a package does not work: {failure.said}",
            f"pip install --force-reinstall {names}",
        )
    elif not packages.unfit:
        yield "ok", ", ".join(f"{name} {one}" for name, one in packages.found.items()), None


CHECK = Check("packages", "the packages that are always needed", _run)
