"""The files in which Git and veml keep what they are at: where they lie, and how they are read.

Nothing here knows what they say; that is ``roots``.
"""

from __future__ import annotations

import os

from veml_vcs.repository.git.work_trees import control_folders
from veml_vcs.repository.repository import Repository

_MAX_STATE_BYTES = 64 << 20


def work_trees(repo: Repository) -> list[tuple[str, str | None]]:
    """Return each work tree's control folder, and its root (None if that is gone)."""
    common = repo.git.common_folder
    found: list[tuple[str, str | None]] = [(common, _main_root(repo))]
    for folder in control_folders(common)[1:]:
        place = os.fsdecode(read_file(folder, "gitdir").strip())
        root = os.path.dirname(os.path.join(folder, place)) if place else None
        found.append((folder, root if root and os.path.isdir(root) else None))
    if repo.git.control_folder not in dict(found):
        found.append((repo.git.control_folder, repo.root))
    return found


def _main_root(repo: Repository) -> str | None:
    if repo.git.control_folder == repo.git.common_folder:
        return repo.root
    common = repo.git.common_folder
    return os.path.dirname(common) if os.path.basename(common) == ".git" else None


def unfinished_files(folder: str) -> list[str]:
    """Return the files in which trainings and rebuilds that are not done keep what they are of."""
    found = []
    for below, name in (("runs", "plan.json"), ("rebuilds", "state.json")):
        place = os.path.join("veml", below)
        found += [
            os.path.join(place, one, name)
            for one in names_in(os.path.join(folder, place))
            if os.path.isfile(os.path.join(folder, place, one, name))
        ]
    return found


def names_in(folder: str) -> list[str]:
    """Return the names in a folder, sorted; none if it is gone."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_below(folder: str, below: str) -> list[str]:
    """Return the files below ``folder/below``, as paths from ``folder``, without temporary ones."""
    found = []
    for above, _, names in os.walk(os.path.join(folder, below)):
        place = os.path.relpath(above, folder)
        found += [os.path.join(place, name) for name in names if not name.endswith(".lock")]
    return sorted(found)


def read_file(folder: str, path: str) -> bytes:
    """Return what a file of Git holds; nothing if it is gone."""
    try:
        with open(os.path.join(folder, path), "rb") as file:
            return file.read(_MAX_STATE_BYTES)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""
