r"""Git's settings for a veml repository: merge and diff drivers, and which notes are fetched.

All of it is local (``.git/config``, ``.git/info/attributes``): a clone without veml has none of it
and works as Git does, and nothing that a stranger's clone brings can change it, because
``info/attributes`` goes before ``.gitattributes``.
"""

from __future__ import annotations

import os

from veml_hooks.shim import launcher_text
from veml_vcs.repository.git.notes import NOTES_PREFIX, TRACKING_PREFIX
from veml_vcs.repository.git.program import git, has_git
from veml_vcs.repository.repository import Repository

_BEGIN, _END = b"# veml begin (veml hook install)", b"# veml end"
_ATTRIBUTES = b"*.veml -text merge=veml diff=veml\n.gitignore merge=veml-ignore\n"
# Found anew each time, so that a repository can be moved; %P is quoted by Git.
_LAUNCH = '"$(git rev-parse --git-common-dir)/veml/launch"'
_SETTINGS = {
    "merge.veml.name": "veml: data versions by sample and by box",
    "merge.veml.driver": f"{_LAUNCH} merge %O %A %B %P",
    "merge.veml.recursive": "veml-ancestor",
    "merge.veml-ancestor.name": "veml: common ancestors, ours where they contradict",
    "merge.veml-ancestor.driver": f"{_LAUNCH} merge-ancestor %O %A %B %P",
    "merge.veml-ignore.name": "veml: lines that both sides added",
    "merge.veml-ignore.driver": f"{_LAUNCH} merge-ignore %O %A %B %P",
    "diff.veml.textconv": f"{_LAUNCH} textconv",
}
_SECTIONS = ("merge.veml", "merge.veml-ancestor", "merge.veml-ignore", "diff.veml")


def install_drivers(repo: Repository, python: str) -> None:
    """Set up the drivers, and the fetching of notes from every remote there is.

    Without C git there is nobody to run them, and nothing is done.

    Args:
        repo: The repository.
        python: The interpreter that veml is installed for.
    """
    if not has_git():
        return
    repo.create_store()
    launcher, text = _launcher(repo), launcher_text(python)
    if not os.path.exists(launcher) or bytes(repo.files.read(launcher)) != text:
        repo.files.write_atomic(launcher, text, mode=0o777)
    known = _local_settings(repo)
    for name, value in _SETTINGS.items():
        if known.get(name) != [value]:
            _config(repo, "--replace-all", name, value)
    for remote in git(repo.root, "remote").text.splitlines():
        fetch_notes_from(repo, remote, known)
    old = _attributes(repo)
    new = _with_block(old)
    if new != old:
        folder = os.path.join(repo.git.common_folder, "info")
        repo.files.make_folder(folder)
        repo.files.write_atomic(os.path.join(folder, "attributes"), new)


def uninstall_drivers(repo: Repository) -> None:
    """Take the drivers and settings out again."""
    if has_git():
        known = _local_settings(repo)
        for section in _SECTIONS:
            if any(name.startswith(section + ".") for name in known):
                _config(repo, "--remove-section", section)
        for remote in git(repo.root, "remote").text.splitlines():
            name = f"remote.{remote}.fetch"
            if notes_refspec(remote) in known.get(name, ()):
                _config(repo, "--fixed-value", "--unset-all", name, notes_refspec(remote))
    old = _attributes(repo)
    new = _without_block(old)
    if new != old:
        repo.files.write_atomic(os.path.join(repo.git.common_folder, "info", "attributes"), new)
    repo.files.remove(_launcher(repo))


def drivers_state(repo: Repository) -> dict[str, bool]:
    """Tell which drivers are set up."""
    known = _local_settings(repo) if has_git() else {}
    there = os.path.exists(_launcher(repo)) and _with_block(_attributes(repo)) == _attributes(repo)
    return {
        section: there
        and all(
            known.get(name) == [value]
            for name, value in _SETTINGS.items()
            if name.startswith(section + ".")
        )
        for section in _SECTIONS
    }


def fetch_notes_from(
    repo: Repository, remote: str, known: dict[str, list[str]] | None = None
) -> None:
    """Make ``git fetch`` bring the notes of a remote."""
    settings = _local_settings(repo) if known is None else known
    name = f"remote.{remote}.fetch"
    # A remote without any such line is a URL by a name; to add one would stop it from fetching.
    if settings.get(name) and notes_refspec(remote) not in settings[name]:
        _config(repo, "--add", name, notes_refspec(remote))


def notes_refspec(remote: str) -> str:
    """Return the refspec that fetches a remote's notes beside the local ones."""
    return f"+{NOTES_PREFIX}*:{TRACKING_PREFIX}{remote}/*"


def _launcher(repo: Repository) -> str:
    return os.path.join(repo.folder, "launch")


def _config(repo: Repository, *arguments: str) -> None:
    git(repo.root, "config", "--local", *arguments)


def _local_settings(repo: Repository) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in os.fsdecode(git(repo.root, "config", "--local", "-z", "--list").out).split("\0"):
        name, newline, value = line.partition("\n")
        if newline:
            found.setdefault(name, []).append(value)
    return found


def _attributes(repo: Repository) -> bytes:
    path = os.path.join(repo.git.common_folder, "info", "attributes")
    return bytes(repo.files.read(path)) if os.path.exists(path) else b""


def _without_block(text: bytes) -> bytes:
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if line.rstrip() == _BEGIN:
            inside = True
        if not inside:
            kept.append(line)
        if line.rstrip() == _END:
            inside = False
    return b"".join(kept)


def _with_block(text: bytes) -> bytes:
    block = _BEGIN + b"\n" + _ATTRIBUTES + _END + b"\n"
    if block in text:
        return text
    rest = _without_block(text)
    return rest + (b"\n" if rest and not rest.endswith(b"\n") else b"") + block
