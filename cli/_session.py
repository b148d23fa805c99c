"""Open the repository around the current folder, and the progress display, for one command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from veml_cli._mirror import seen
from veml_cli._output import out
from veml_cli._progress import progress
from veml_vcs.errors import VemlError

if TYPE_CHECKING:
    from veml_vcs.repository.damage import Unreadable
    from veml_vcs.repository.progress import Progress
    from veml_vcs.repository.repository import Repository


@contextmanager
def opened() -> Iterator[Repository]:
    """Open the repository that the current folder is in, and close it afterwards."""
    from veml_vcs.repository.repository import Repository

    with Repository(".") as repo:
        try:
            yield repo
            seen(repo)
        except VemlError as error:
            if error.object_id is None:
                raise
            from veml_vcs.repository.damage import explained

            raise explained(repo, error) from error


def end_unread(found: Sequence[Unreadable]) -> None:
    """End with an error if something could not be read, once everything else has been told.

    Raises:
        DamagedError: Something could not.
    """
    if found:
        from veml_vcs.repository.damage import unread_error

        raise unread_error(found)


@contextmanager
def paged(repo: Repository, *, unless: bool = False) -> Iterator[None]:
    """Show long output in the user's pager, as Git does.

    Args:
        repo: Its settings name the pager.
        unless: No pager, for output that is meant for programs.
    """
    from veml_cli._git import pager

    with out.paged(None if unless or not out.pages else pager(repo)):
        yield


@contextmanager
def working() -> Iterator[tuple[Repository, Progress]]:
    """Open the repository, and show how far the command is."""
    with opened() as repo, progress() as report:
        yield repo, report
