"""Make ``format-N.tar.xz``: a small repository as the veml that is installed writes it.

Run once for each released format, with that release, and keep the result for ever::

    python tests/data/make_old_repository.py tests/data/format-1.tar.xz

The archive holds ``repository/.git`` (no files of the work tree, no hooks) and ``expected.json``:
for each revision and data set the SHA-256 of every file. Branches: ``main`` (COCO and VOC, two
commits, tag ``v1``), ``side`` (edits other boxes: merges without a conflict).
``tests/repository/test_repo_old_formats.py`` opens it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.repository.kit import Box, Project, coco, small_model, voc
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.notes import write_note

_CLOCK = "2026-01-02T03:04:05+0000"


def main(target: str) -> None:
    """Make the archive."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            del os.environ[name]
    for who in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{who}_NAME"] = "Ada"
        os.environ[f"GIT_{who}_EMAIL"] = "ada@example.org"
        os.environ[f"GIT_{who}_DATE"] = _CLOCK
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "repository")
        project = Project(root)
        expected = fill(project)
        project.close()
        shutil.rmtree(root / ".git" / "veml" / "cache")
        shutil.rmtree(root / ".git" / "hooks", ignore_errors=True)
        Path(folder, "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True))
        with tarfile.open(target, "w:xz") as archive:
            for name in ("expected.json", "repository/.git"):
                archive.add(Path(folder, name), name, filter=_plain)


def fill(project: Project) -> dict[str, dict[str, dict[str, str]]]:
    """Make the history; return what each revision contains: data set -> key -> SHA-256."""
    model = small_model(8)
    project.write(coco(model), "coco")
    project.write(voc(small_model(3)), "voc")
    project.write({"README.md": b"old, but good\n"})
    project.add("coco", "voc", "README.md")
    project.commit("one")
    project.git("tag", "v1")
    project.git("branch", "side")
    project.replace(coco({**model, "0001.png": (Box(10, "dog", 1, 1, 9, 9),)}), "coco")
    project.remove("voc/JPEGImages/0002.png")
    project.save("coco", "voc", message="two")
    head = project.git("rev-parse", "HEAD:coco.veml").strip()
    write_note(project.repo, "drift", VersionId(head), b'{"train": "none"}\n')
    found = {"v1": {}, "main": {}, "side": {}}
    found["main"] = digests(project)
    project.checkout("side")
    project.replace(coco({**model, "0008.png": (Box(80, "tree", 2, 2, 7, 7),)}), "coco")
    project.save("coco", message="side")
    found["side"] = digests(project)
    project.checkout("v1")
    found["v1"] = digests(project)
    project.checkout("main")
    return found


def digests(project: Project) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of every file of the work tree's data sets."""
    return {
        path: {key: hashlib.sha256(data).hexdigest() for key, data in project.files(path).items()}
        for path in ("coco", "voc")
    }


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 1767323045
    # The lock names the machine and the stat cache its files.
    leftovers = ("/veml/lock", "/veml/gate", "/veml/status")
    return None if any(part in member.name for part in leftovers) else member


if __name__ == "__main__":
    subprocess.run(["git", "--version"], check=True)
    main(sys.argv[1])
