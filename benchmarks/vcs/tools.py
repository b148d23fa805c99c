"""The programs compared: one class each, which knows the commands of every step.

A step that a tool does not have returns None and stays empty in the table. Nothing is run here.
"""

from __future__ import annotations

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from benchmarks.vcs.measure import Argv
from benchmarks.vcs.workloads import Edit, folder_bytes

Commands = Sequence[Argv]


class Tool(ABC):
    """A way to keep versions of the data in one repository folder.

    Args:
        repository: The folder; it exists and is empty.
    """

    name: str

    def __init__(self, repository: Path) -> None:
        self.repository = repository

    @classmethod
    @abstractmethod
    def available(cls) -> bool:
        """Tell whether the program is installed."""

    @abstractmethod
    def init(self) -> Commands:
        """Make the repository."""

    @abstractmethod
    def save(self, dataset: str, edit: Edit | None = None) -> Commands:
        """Add and commit a data set; ``edit`` says what changed since the last commit, if any."""

    def branch(self, name: str) -> Commands:
        """Make a branch at the present commit and go there."""
        return [["git", "checkout", "-q", "-b", name]]

    @abstractmethod
    def checkout(self, branch: str, edits: Sequence[Edit]) -> Commands:
        """Go to another branch; ``edits`` are all that lies between."""

    def status(self) -> Commands | None:
        """Say what changed."""
        return None

    def diff(self, old: str, new: str) -> Commands | None:
        """Compare two branches."""
        return None

    def merge(self, branch: str) -> Commands | None:
        """Merge a branch into the present one."""
        return None

    def fsck(self) -> Commands | None:
        """Check every byte of the store."""
        return None

    def log(self) -> Commands | None:
        """Show the history."""
        return None

    def help(self) -> Commands | None:
        """Show the help, which is what starting up costs."""
        return None

    def store_bytes(self) -> int | None:
        """Return the size of the store beside the work tree."""
        return None

    def reader(self, dataset: str) -> Argv | None:
        """Return the arguments of ``benchmarks.vcs.readers`` that read a data set.

        None for a tool whose samples are read as plain files, which the limit stands for.
        """
        return None


class Limit(Tool):
    """What the machine needs for the bare minimum: copy the files, stat them, hash them."""

    name = "cp"

    def __init__(self, repository: Path) -> None:
        super().__init__(repository)
        self._copy = repository.with_name(repository.name + "-copy")

    @classmethod
    def available(cls) -> bool:
        """Tell whether ``cp`` is there."""
        return shutil.which("cp") is not None

    def init(self) -> Commands:
        """Make the folder of copies."""
        return [["mkdir", str(self._copy)]]

    def save(self, dataset: str, edit: Edit | None = None) -> Commands:
        """Copy everything, or the files written; unlink copies of the files removed."""
        if edit is None:
            return [["cp", "-r", dataset, str(self._copy)]]
        commands: list[Argv] = []
        if edit.written:
            commands.append(["cp", "--parents", *edit.written, str(self._copy)])
        if edit.removed:
            commands.append(["rm", *(str(self._copy / path) for path in edit.removed)])
        return commands

    def branch(self, name: str) -> Commands:
        """Do nothing: there are no branches."""
        return []

    def checkout(self, branch: str, edits: Sequence[Edit]) -> Commands:
        """Copy every file that differs."""
        files = sorted({path for edit in edits for path in edit.written})
        existing = [path for path in files if (self.repository / path).exists()]
        return [["cp", "--parents", *existing, str(self._copy)]]

    def status(self) -> Commands:
        """Stat every file."""
        return [["find", ".", "-type", "f", "-size", "+1000G"]]

    def fsck(self) -> Commands:
        """Hash every file."""
        return [["sh", "-c", "find . -type f -print0 | xargs -0 sha256sum"]]

    def log(self) -> Commands:
        """Start Python and stop."""
        return [[sys.executable, "-c", "pass"]]

    def help(self) -> Commands:
        """Start Python and stop."""
        return [[sys.executable, "-c", "pass"]]

    def store_bytes(self) -> int:
        """Return the size of the data itself."""
        return folder_bytes(self.repository)

    def reader(self, dataset: str) -> Argv:
        """Read plain files."""
        return ["files", str(self.repository / dataset)]


class Git(Tool):
    """Plain Git, every image a blob."""

    name = "git"

    @classmethod
    def available(cls) -> bool:
        """Tell whether ``git`` is installed."""
        return shutil.which("git") is not None

    def init(self) -> Commands:
        """Make a repository that never packs in the background, where it would not be counted."""
        return [
            ["git", "init", "-q", "-b", "main"],
            ["git", "config", "gc.auto", "0"],
            ["git", "config", "maintenance.auto", "false"],
        ]

    def save(self, dataset: str, edit: Edit | None = None) -> Commands:
        """Add and commit the folder."""
        return [["git", "add", "-A", dataset], ["git", "commit", "-q", "-m", f"save {dataset}"]]

    def checkout(self, branch: str, edits: Sequence[Edit]) -> Commands:
        """Check the branch out."""
        return [["git", "checkout", "-q", branch]]

    def status(self) -> Commands:
        """Show the status."""
        return [["git", "status", "--short"]]

    def diff(self, old: str, new: str) -> Commands:
        """List the files that differ."""
        return [["git", "diff", "--name-status", old, new]]

    def merge(self, branch: str) -> Commands:
        """Merge by lines."""
        return [["git", "merge", "-q", "--no-edit", branch]]

    def fsck(self) -> Commands | None:
        """Check every object."""
        return [["git", "fsck", "--full"]]

    def log(self) -> Commands:
        """Show the history."""
        return [["git", "log"]]

    def help(self) -> Commands:
        """Show the help."""
        return [["git", "--help"]]

    def store_bytes(self) -> int:
        """Return the size of ``.git``."""
        return folder_bytes(self.repository / ".git")


class Dvc(Git):
    """DVC over Git: each folder one tracked output, cached under its MD5."""

    name = "dvc"

    @classmethod
    def available(cls) -> bool:
        """Tell whether ``dvc`` is installed."""
        return shutil.which("dvc") is not None and super().available()

    def init(self) -> Commands:
        """Make a Git repository with DVC in it."""
        return [
            *super().init(),
            ["dvc", "init", "-q"],
            ["dvc", "config", "core.analytics", "false"],
            ["git", "commit", "-q", "-a", "-m", "init"],
        ]

    def save(self, dataset: str, edit: Edit | None = None) -> Commands:
        """Add the folder with DVC and its record with Git."""
        return [
            ["dvc", "add", "-q", dataset],
            ["git", "add", f"{dataset}.dvc", ".gitignore"],
            ["git", "commit", "-q", "-m", f"save {dataset}"],
        ]

    def checkout(self, branch: str, edits: Sequence[Edit]) -> Commands:
        """Check the branch out, then its data."""
        return [["git", "checkout", "-q", branch], ["dvc", "checkout", "-q"]]

    def status(self) -> Commands:
        """Show the status of the data."""
        return [["dvc", "status"]]

    def diff(self, old: str, new: str) -> Commands:
        """List the files that differ."""
        return [["dvc", "diff", old, new]]

    def fsck(self) -> None:
        """DVC has no command that checks its cache."""

    def help(self) -> Commands:
        """Show the help."""
        return [["dvc", "--help"]]

    def store_bytes(self) -> int:
        """Return the size of ``.git`` and ``.dvc``."""
        return super().store_bytes() + folder_bytes(self.repository / ".dvc")


class Veml(Tool):
    """veml, as installed beside the Python that runs this."""

    name = "veml"
    _program = str(Path(sys.executable).with_name("veml"))

    @classmethod
    def available(cls) -> bool:
        """Tell whether the program is installed in this environment."""
        return Path(cls._program).exists()

    def init(self) -> Commands:
        """Make the repository."""
        return [[self._program, "init"]]

    def save(self, dataset: str, edit: Edit | None = None) -> Commands:
        """Add and commit the data set."""
        return [
            [self._program, "add", dataset],
            [self._program, "commit", "-m", f"save {dataset}"],
        ]

    def branch(self, name: str) -> Commands:
        """Make a branch and go there."""
        return [[self._program, "checkout", "-b", name]]

    def checkout(self, branch: str, edits: Sequence[Edit]) -> Commands:
        """Check the branch out."""
        return [[self._program, "checkout", branch]]

    def status(self) -> Commands:
        """Show the status."""
        return [[self._program, "status"]]

    def diff(self, old: str, new: str) -> Commands:
        """Show what differs, down to boxes."""
        return [[self._program, "diff", old, new]]

    def merge(self, branch: str) -> Commands:
        """Merge by sample and by box."""
        return [[self._program, "merge", branch]]

    def fsck(self) -> Commands:
        """Check every byte."""
        return [[self._program, "fsck"]]

    def log(self) -> Commands:
        """Show the history."""
        return [[self._program, "log"]]

    def help(self) -> Commands:
        """Show the help."""
        return [[self._program, "--help"]]

    def store_bytes(self) -> int:
        """Return the size of ``.git``, which holds veml's store."""
        return folder_bytes(self.repository / ".git")

    def reader(self, dataset: str) -> Argv:
        """Read from the store, not from the work tree."""
        return ["veml", str(self.repository), dataset]


TOOLS: tuple[type[Tool], ...] = (Limit, Veml, Git, Dvc)
