"""A repository that a script opens and never closes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.repository.kit import Project, images

SCRIPT = """\
import veml_vcs as veml
repo = veml.open(".")
data = repo.dataset("data", "HEAD")
print(len(data), len(data[0].data) > 0)
"""


@pytest.mark.parametrize("flags", [(), ("-X", "dev", "-W", "error")])
def test_a_script_that_closes_nothing_ends_in_silence(
    project: Project, flags: tuple[str, ...]
) -> None:
    """Seen to fail without the finalizer: dulwich's packs complained at the end."""
    project.write(images(2), "data")
    project.save("data")
    project.git("gc", "-q")
    run = [sys.executable, *flags, "-c", SCRIPT]
    done = subprocess.run(run, cwd=project.path("."), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 True\n", "")
