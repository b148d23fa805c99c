"""What the file system can and cannot do, tried out in a scratch folder inside ``.git/veml``.

veml needs rename over a file and locks between processes; without fsync a power cut may take what
was said to be safe; where names are not told apart by case, keys that differ in it alone cannot be
checked out.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator

from veml_vcs.errors import StorageError
from veml_vcs.objects.files import Files
from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.repository import Repository

_FORGETS = {"tmpfs": "in memory", "ramfs": "in memory", "overlay": "the layer of a container"}
_ABANDONED_SECONDS = 3600.0
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "lustre", "ceph"}


def _run(patient: Patient) -> Said:
    repo = patient.repo
    kind = _kind_of(repo.git.common_folder)
    if kind in _FORGETS:
        yield (
            "note",
            f"{repo.git.common_folder} lies on {kind} ({_FORGETS[kind]}): it may be gone after a "
            "restart",
            "git push and keep a copy of .git/veml elsewhere",
        )
    if kind in _NETWORK:
        yield (
            "warning",
            f"{repo.git.common_folder} lies on a network file system ({kind}): locks may not "
            "reach other machines",
            "work on a repository from one machine at a time, or move it to a local disk",
        )
    if not repo.has_data or not os.access(repo.folder, os.W_OK):
        yield "note", "not tried: the store is not there, or cannot be written to", None
        return
    with _scratch(repo) as folder:
        said = list(_tried(repo, folder))
    yield from said
    if not said:
        does = "fsync, rename, locks, links, execute bits and case of names"
        yield "ok", f"{kind or 'the file system'}: {does} work", None


@contextlib.contextmanager
def _scratch(repo: Repository) -> Iterator[str]:
    above = os.path.join(repo.folder, "doctor")
    for name in repo.files.listdir(above):  # of a doctor that was killed
        old = os.path.join(above, name)
        modified_ns = repo.files.modified_ns(old)
        if modified_ns is not None and time.time() - modified_ns / 1e9 > _ABANDONED_SECONDS:
            repo.files.remove_tree(old)
    folder = repo.files.temporary_path(above)
    repo.files.make_folder(folder, durable=False)
    try:
        yield folder
    finally:
        repo.files.remove_tree(folder)
        repo.files.remove_folder(above)


def _tried(repo: Repository, folder: str) -> Said:
    files, one, two = repo.files, os.path.join(folder, "one"), os.path.join(folder, "two")
    files.write_atomic(two, b"old", durable=False)
    try:
        files.write_atomic(one, b"new")
    except StorageError as error:
        yield "broken", f"fsync fails: {error.message}", "move the repository to another disk"
        files.write_atomic(one, b"new", durable=False)
    if not _syncs_folders(folder):
        yield "note", "folders cannot be synced: after a power cut a new name may be gone", None
    files.rename(one, two)
    if bytes(files.read(two)) != b"new" or os.path.exists(one):
        yield "broken", "rename does not replace a file", "move the repository to another disk"
    if not _locks(two):
        yield (
            "broken",
            "two processes can lock one file: they could write at the same time",
            "move the repository to a disk with flock, or run one command at a time",
        )
    try:
        files.link(two, one)
    except StorageError:
        yield "note", "no hard links: a lock that a killed veml leaves stays, as Git's does", None
    yield from _names(repo, folder)
    yield from _modes(repo, folder)


def _syncs_folders(folder: str) -> bool:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)  # as Files.fsync_folder does, which goes on where this cannot be done
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTSUP):
            return False
        raise
    finally:
        os.close(descriptor)
    return True


def _locks(path: str) -> bool:
    with open(path, "rb") as first, open(path, "rb") as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _names(repo: Repository, folder: str) -> Said:
    _put(repo.files, folder, "case")
    folds = os.path.exists(os.path.join(folder, "CASE"))
    setting = (repo.git.setting(("core",), "ignorecase") or "false").lower() in ("true", "1", "yes")
    if folds:
        yield (
            "warning",
            "names are not told apart by case: keys that differ in case alone cannot lie side by "
            "side",
            None if setting else "git config core.ignorecase true",
        )
    elif setting:
        yield (
            "warning",
            "core.ignorecase is set, but the file system tells names apart by case",
            "git config core.ignorecase false",
        )
    composed, decomposed = "\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}"
    _put(repo.files, folder, composed)
    if os.path.exists(os.path.join(folder, decomposed)):
        yield "note", "names are not told apart by Unicode form: é may come back as e + ´", None


def _modes(repo: Repository, folder: str) -> Said:
    path = os.path.join(folder, "mode")
    repo.files.write_atomic(path, b"", durable=False, mode=0o666)
    plain = os.stat(path).st_mode & 0o100
    repo.files.set_mode(path, 0o755)
    keeps = not plain and bool(os.stat(path).st_mode & 0o100)
    setting = (repo.git.setting(("core",), "filemode") or "true").lower() not in (
        "false",
        "0",
        "no",
    )
    if not keeps and setting:
        yield (
            "warning",
            "execute bits are not kept, but core.fileMode says so: files would look changed",
            "git config core.fileMode false",
        )


def _put(files: Files, folder: str, name: str) -> None:
    with contextlib.suppress(StorageError):  # a name that cannot be is not told apart either
        files.write_atomic(os.path.join(folder, name), b"", durable=False)


def _kind_of(folder: str) -> str | None:
    """Return the type of the file system a folder lies on, where the system tells (Linux)."""
    best, kind = "", None
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
            for entry in file:
                fields = entry.split(" ")
                place = fields[1].encode("latin-1", "replace").decode("unicode_escape")
                inside = folder == place or folder.startswith(place.rstrip("/") + "/")
                if inside and len(place) >= len(best):
                    best, kind = place, fields[2]
    except OSError:
        return None
    return kind


CHECK = Check("filesystem", "what the file system can do", _run, in_repository=True)
