"""Which Python runs veml, and whether it is one that veml works with."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata

from packaging.specifiers import SpecifierSet

from veml_vcs.repository.doctor.check import Check, Patient, Said

DISTRIBUTION = "veml"


def _run(_patient: Patient) -> Said:
    version = platform.python_version()
    try:
        wanted = metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
        own = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        yield "warning", "veml runs from its sources, not installed", "pip install -e ."
        return
    if version in SpecifierSet(wanted, prereleases=True):
        where = f"{platform.system()} {platform.machine()}, {sys.executable}"
        yield "ok", f"veml {own} on Python {version}, {where}", None
    else:
        mend = f"make an environment with Python {wanted} and install veml in it"
        yield "broken", f"Python {version}, but veml {own} needs {wanted}", mend
    found = shutil.which("veml")
    beside = os.path.join(os.path.dirname(sys.executable), "veml")
    if found is None:
        yield (
            "warning",
            "no program veml on PATH; a hook whose own Python is gone could not find it",
            f'export PATH="{os.path.dirname(sys.executable)}:$PATH"',
        )
    elif os.path.exists(beside) and not os.path.samefile(found, beside):
        yield (
            "warning",
            f"veml on PATH is {found}, another installation than this one",
            f'export PATH="{os.path.dirname(sys.executable)}:$PATH"',
        )


CHECK = Check("python", "Python, and the veml that runs", _run)
