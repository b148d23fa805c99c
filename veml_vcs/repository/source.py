"""Another clone's store, opened to be read from: nothing is ever written there.

What it holds is as trustworthy as whoever made it, so whoever copies from it checks every content
against its id. What is looked for is a store, not a repository: a bare one, or one that a newer Git
made, will do.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit

from dulwich.errors import NotGitRepository
from dulwich.repo import Repo

from veml_vcs.errors import InvalidInputError, NotFoundError, StorageError
from veml_vcs.objects.files import Files
from veml_vcs.objects.local import LocalObjectStore
from veml_vcs.repository.repository import Repository, check_store_format

if TYPE_CHECKING:
    from veml_vcs.samples.fragments.annotations import AnnotationReader
    from veml_vcs.samples.fragments.catalog import Catalog
    from veml_vcs.samples.fragments.content import ContentReader

FETCH_HINT = "veml data fetch --from PATH, where PATH is another clone that has the data"


class Source:
    """The store of another clone.

    Args:
        path: Its work tree, a folder below, its ``.git``, or a bare repository.

    Raises:
        NotFoundError: There is no Git repository, or it has no store.
        FormatError: A newer veml wrote the store.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.folder = os.path.join(common_folder(path), "veml")
        files = Files(_refuse_to_write)
        if not check_store_format(self.folder, files):
            raise NotFoundError(
                f"{path}: a Git repository without a veml store", hint=FETCH_HINT, kind="no-store"
            )
        self.store = LocalObjectStore(self.folder, files)
        self._files = files

    @cached_property
    def catalog(self) -> Catalog:
        """Where every row of every fragment lies."""
        from veml_vcs.samples.fragments.catalog import Catalog  # numpy comes with it

        return Catalog(self.store, None, self._files)

    @cached_property
    def contents(self) -> ContentReader:
        """Reads samples and other files by id, each checked."""
        from veml_vcs.samples.fragments.content import ContentReader  # numpy comes with it

        return ContentReader(self.catalog)

    @cached_property
    def annotations(self) -> AnnotationReader:
        """Reads annotations by id, each checked."""
        from veml_vcs.samples.fragments.annotations import AnnotationReader  # numpy comes with it

        return AnnotationReader(self.catalog)

    def close(self) -> None:
        """Release mapped files."""
        self.store.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(repo: Repository, path: str | None) -> Source:
    """Open the clone to fetch from.

    Args:
        repo: The repository that fetches.
        path: A path or ``file://`` URL; None is the remote that the current branch, or the clone,
            came from.

    Raises:
        NotFoundError: Nothing is there, or the remote is not on this machine.
        InvalidInputError: It is this very repository.
    """
    where = path if path is not None else local_remote(repo)
    if where is None:
        raise NotFoundError(
            "there is no remote on this machine to fetch from", hint=FETCH_HINT, kind="no-remote"
        )
    local = local_path(where)
    if local is None:
        raise NotFoundError(
            f"{where}: data is fetched from clones on this machine only", hint=FETCH_HINT
        )
    source = Source(local)
    if os.path.realpath(source.folder) == os.path.realpath(repo.folder):
        source.close()
        raise InvalidInputError(f"{where}: that is this repository", hint=FETCH_HINT)
    return source


def local_remote(repo: Repository) -> str | None:
    """Return the remote of the current branch, else ``origin``, if it is a folder on this machine.

    A relative URL is taken from the work tree's root, as Git does.
    """
    names = []
    branch = repo.git.head().branch
    if branch is not None:
        names.append(repo.git.setting(("branch", branch), "remote"))
    names.append("origin")
    for name in names:
        url = repo.git.setting(("remote", name), "url") if name else None
        path = local_path(url) if url else None
        if path is not None:
            return os.path.normpath(os.path.join(repo.root, path))
    return None


def local_path(url: str) -> str | None:
    """Return the path that a remote's URL names on this machine, or None."""
    if url.startswith("file://"):
        parts = urlsplit(url)
        return unquote(parts.path) if parts.netloc in ("", "localhost") else None
    head, colon, _ = url.partition(":")
    # As Git: "host:path" is SSH unless a slash comes first; "scheme://" is a URL.
    if colon and "/" not in head:
        return None
    return url


def common_folder(path: str) -> str:
    """Return the control folder that all work trees of a repository share.

    Raises:
        NotFoundError: ``path`` is in no Git repository.
        StorageError: The system does not let us look.
    """
    try:
        with Repo.discover(path) as git:
            return os.path.realpath(os.fsdecode(git.commondir()))
    except NotGitRepository as error:
        raise NotFoundError(f"{path}: not a Git repository", hint=FETCH_HINT) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from error


def _refuse_to_write(operation: str, path: str) -> NoReturn:
    raise StorageError(f"{path}: {operation} refused: another clone's store is only read")
