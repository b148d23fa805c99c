"""``veml hook install``, ``uninstall`` and ``status``: the files in git's folder of hooks.

A file of ours is known by its ID line. Another's is moved aside and still runs; it comes back on
uninstall. Where ``core.hooksPath`` sends git elsewhere, nothing is written unless asked for: that
folder may be tracked, or be shared by all repositories of a user.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Literal

from veml_hooks.drivers import drivers_state, install_drivers, uninstall_drivers
from veml_hooks.shim import AFTER_COMMIT, HOOK_ID, HOOKS, USER_SUFFIX, hook_text
from veml_vcs.errors import ConflictError
from veml_vcs.lineage.neo4j.place import is_connected
from veml_vcs.repository.repository import Repository

HookState = Literal["installed", "outdated", "missing", "foreign"]


@dataclass(frozen=True)
class HooksStatus:
    """Which hooks and drivers git would run.

    Attributes:
        folder: Where git looks for hooks.
        hooks_path: The setting ``core.hooksPath``, if it sends git elsewhere.
        hooks: Hook -> ``installed``, ``outdated`` (an older veml or another interpreter wrote it),
            ``missing`` or ``foreign`` (somebody else's).
        kept: Hooks of the user's own that run before ours.
        drivers: Driver -> whether it is set up.
    """

    folder: str
    hooks_path: str | None
    hooks: dict[str, HookState]
    kept: tuple[str, ...]
    drivers: dict[str, bool]

    @property
    def complete(self) -> bool:
        """Whether everything is in place."""
        return all(one == "installed" for one in self.hooks.values()) and all(self.drivers.values())


@dataclass(frozen=True)
class InstallResult:
    """What an installation did.

    Attributes:
        folder: Where the hooks are.
        written: Hooks that were written.
        moved: Hooks of the user's own that were moved aside, and still run.
        blocked: Hooks that could not be installed: why.
        hooks_path: ``core.hooksPath``, if it kept us from installing hooks.
    """

    folder: str
    written: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    blocked: dict[str, str] = field(default_factory=dict)
    hooks_path: str | None = None


@dataclass(frozen=True)
class UninstallResult:
    """What was removed.

    Attributes:
        removed: Hooks that were removed.
        restored: Hooks of the user's own that are back in their place.
    """

    removed: tuple[str, ...]
    restored: tuple[str, ...]


def install(repo: Repository, *, force: bool = False, python: str | None = None) -> InstallResult:
    """Install hooks and drivers; doing it again changes nothing.

    Args:
        repo: The repository.
        force: Install into the folder that ``core.hooksPath`` names.
        python: The interpreter to run; None is this one.
    """
    interpreter = python or sys.executable
    install_drivers(repo, interpreter)
    folder, setting = hooks_folder(repo)
    if setting is not None and not force:
        return InstallResult(folder, hooks_path=setting)
    repo.files.make_folder(folder)
    written: list[str] = []
    moved: list[str] = []
    blocked: dict[str, str] = {}
    for name in _wanted(repo):
        path = os.path.join(folder, name)
        done = _install_one(repo, path, hook_text(name, interpreter))
        if "blocked" in done:
            blocked[name] = (
                f"neither {name} nor {name}{USER_SUFFIX} in {folder} is veml's; make one of "
                "the two, then veml hook install"
            )
        if "moved" in done:
            moved.append(name)
        if "written" in done:
            written.append(name)
    return InstallResult(folder, tuple(written), tuple(moved), blocked)


def install_after_commit(repo: Repository) -> str | None:
    """Install the hook that sends what is new to a mirror; return what keeps it from that."""
    folder, setting = hooks_folder(repo)
    if setting is not None:
        return f"core.hooksPath is set to {setting}"
    repo.files.make_folder(folder)
    path = os.path.join(folder, AFTER_COMMIT)
    if "blocked" in _install_one(repo, path, hook_text(AFTER_COMMIT, sys.executable)):
        return f"{path} and {path}{USER_SUFFIX} are both not veml's"
    return None


def _wanted(repo: Repository) -> tuple[str, ...]:
    return (*HOOKS, AFTER_COMMIT) if is_connected(repo) else HOOKS


def _install_one(repo: Repository, path: str, text: bytes) -> set[str]:
    """Write a hook, and move the user's own aside; return what was done: words of these."""
    done = set()
    if os.path.lexists(path) and not _is_ours(path):
        if os.path.lexists(path + USER_SUFFIX):
            return {"blocked"}
        repo.files.rename(path, path + USER_SUFFIX)
        done.add("moved")
    if _read(path) != text or not os.access(path, os.X_OK):
        repo.files.write_atomic(path, text, mode=0o777)
        done.add("written")
    return done


def uninstall(repo: Repository) -> UninstallResult:
    """Remove our hooks and drivers, and put the user's own hooks back; safe to do twice."""
    folder, _ = hooks_folder(repo)
    removed, restored = [], []
    for name in (*HOOKS, AFTER_COMMIT):
        path = os.path.join(folder, name)
        if not _is_ours(path):
            continue
        remove_hook(repo, name)
        removed.append(name)
        if os.path.lexists(path):
            restored.append(name)
    uninstall_drivers(repo)
    return UninstallResult(tuple(removed), tuple(restored))


def remove_hook(repo: Repository, name: str) -> None:
    """Remove a hook of ours, and put the user's own back; any other is left alone."""
    path = os.path.join(hooks_folder(repo)[0], name)
    if _is_ours(path):
        repo.files.remove(path)
        if os.path.lexists(path + USER_SUFFIX):
            repo.files.rename(path + USER_SUFFIX, path)


def hooks_status(repo: Repository) -> HooksStatus:
    """Tell which hooks and drivers git would run."""
    folder, setting = hooks_folder(repo)
    states: dict[str, HookState] = {}
    for name in _wanted(repo):
        path = os.path.join(folder, name)
        found = _read(path)
        if not os.path.lexists(path):
            states[name] = "missing"
        elif not _is_ours(path):
            states[name] = "foreign"
        elif found == hook_text(name, sys.executable):
            states[name] = "installed"
        else:
            states[name] = "outdated"
    kept = tuple(
        name for name in states if os.path.lexists(os.path.join(folder, name + USER_SUFFIX))
    )
    return HooksStatus(folder, setting, states, kept, drivers_state(repo))


def require_installed(result: InstallResult) -> None:
    """Raise for what kept hooks from being installed.

    Raises:
        ConflictError: A hook could not be installed, or ``core.hooksPath`` is set.
    """
    if result.hooks_path is not None:
        raise ConflictError(
            f"core.hooksPath is set to {result.hooks_path}: git runs hooks from {result.folder} "
            "alone, and veml does not write there unasked; its drivers are installed",
            hint='add this line to the hooks there: veml hook run NAME "$@" (NAME is one of '
            f"{', '.join(HOOKS)}), or: veml hook install --force",
            kind="hooks-path",
        )
    if result.blocked:
        raise ConflictError(
            "; ".join(result.blocked.values()), hint="veml hook status", kind="foreign-hook"
        )


def hooks_folder(repo: Repository) -> tuple[str, str | None]:
    """Return git's folder of hooks, and ``core.hooksPath`` if that is what makes it another one."""
    usual = os.path.join(repo.git.common_folder, "hooks")
    setting = repo.git.setting(("core",), "hooksPath")
    if not setting:
        return usual, None
    folder = os.path.normpath(os.path.join(repo.root, os.path.expanduser(setting)))
    if os.path.realpath(folder) == os.path.realpath(usual):
        return usual, None
    return folder, setting


def _is_ours(path: str) -> bool:
    return any(line.startswith(HOOK_ID) for line in (_read(path) or b"").splitlines()[:3])


def _read(path: str) -> bytes | None:
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read(1 << 16)
