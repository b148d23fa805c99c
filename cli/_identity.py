"""Who and when, from options and Git's environment variables.

The library never reads the environment; what ``GIT_AUTHOR_NAME``, ``GIT_AUTHOR_DATE`` and their
like say is passed to it as a ``Signature``.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.commit import Signature
    from veml_vcs.repository.repository import Repository

_IDENTITY = re.compile(r"([^<>\n\0]+) <([^<>\n\0]*)>")
_UNIX = re.compile(r"@?(\d{1,12})(?: ([+-])(\d\d)(\d\d))?")
_SPACED_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?: ?([+-]\d\d):?(\d\d)|Z)?")


def author_from(
    repo: Repository, identity: str | None, date: str | None, *, amend: bool
) -> Signature | None:
    """Return who wrote a commit; None leaves it to Git's configuration, or the amended commit.

    Args:
        repo: The repository.
        identity: ``Name <email>`` from the command line.
        date: A date from the command line.
        amend: Keep what neither option names from the last commit, as Git does.

    Raises:
        InvalidInputError: The identity or the date is malformed.
    """
    from veml_vcs.repository.commit import Signature, picked_author
    from veml_vcs.repository.git.identity import clean_identity

    if identity is not None and (named := _IDENTITY.fullmatch(identity)):
        identity = clean_identity(named[1], named[2])
    elif identity is not None:
        identity = _existing_author(repo, identity)
    if amend and identity is None and date is None:
        return None
    found = (None if amend else picked_author(repo)) or from_environment(
        repo, "AUTHOR", strict=identity is None
    )
    if amend:
        from veml_vcs.repository.log import log  # a plain commit does without

        last = next(log(repo, limit=1, data=False))
        found = Signature(last.author, last.time_seconds, last.offset_seconds)
    seconds, offset = (found.seconds, found.offset_seconds) if date is None else parse_date(date)
    return Signature(identity or found.identity, seconds, offset)


def _existing_author(repo: Repository, text: str) -> str:
    """Return the author of the newest commit whose author a text matches, as Git does."""
    from veml_vcs.repository.git.mailmap import read_mailmap
    from veml_vcs.repository.log import Filter, log

    mailmap = read_mailmap(repo.git)
    wanted = Filter(author=(text,), ignore_case=True)
    has_commits = repo.git.all_commits()
    found = log(repo, all_refs=True, limit=1, data=False, wanted=wanted, mailmap=mailmap)
    for one in found if has_commits else ():
        return mailmap.person(one.author)
    raise InvalidInputError(
        f"--author {text!r} is not 'Name <email>' and matches no existing author"
    )


def from_environment(
    repo: Repository, role: Literal["AUTHOR", "COMMITTER"], *, strict: bool = True
) -> Signature:
    """Return who and when Git's environment variables and configuration name.

    Args:
        repo: The repository.
        role: Author or committer.
        strict: Refuse where nobody is named; else nobody is, and whoever needs a name refuses.

    Raises:
        InvalidInputError: The date is malformed, or nobody is named.
    """
    from veml_vcs.repository.commit import Signature, local_time
    from veml_vcs.repository.git.identity import identity_of

    now = local_time()
    date = os.environ.get(f"GIT_{role}_DATE")
    seconds, offset = parse_date(date) if date else (now.seconds, now.offset_seconds)
    try:
        identity = identity_of(repo.git.config, role)
    except InvalidInputError:
        if strict:
            raise
        identity = ""
    return Signature(identity, seconds, offset)


def warn_if_guessed(repo: Repository) -> None:
    """Say, as Git does, that a commit names the login and this machine, and how to change that."""
    from veml_cli._output import out
    from veml_vcs.repository.git.identity import identity_of, was_guessed

    if was_guessed(repo.git.config, "COMMITTER"):
        who = identity_of(repo.git.config, "COMMITTER", strict=False)
        out.warn(
            f"Committer: {who}: your name and email address were configured automatically based "
            "on your username and hostname"
        )
        out.note(
            "hint: git config --global user.name 'NAME' and git config --global user.email MAIL, "
            "then veml commit --amend --reset-author --no-edit"
        )


def parse_date(text: str) -> tuple[int, int]:
    """Return Unix time and seconds east of UTC.

    Understands what Git writes itself: ``1700000000 +0100`` (also with ``@``), RFC 2822, and ISO
    8601 with a blank or a ``T``. A date without a zone is local.

    Raises:
        InvalidInputError: It is none of these.
    """
    stripped = text.strip()
    if found := _UNIX.fullmatch(stripped):
        offset = (int(found[3]) * 60 + int(found[4])) * 60 if found[2] else 0
        return int(found[1]), -offset if found[2] == "-" else offset
    try:
        if found := _SPACED_ISO.fullmatch(stripped):
            zone = "+00:00" if stripped.endswith("Z") else ""
            zone = f"{found[3]}:{found[4]}" if found[3] else zone
            when = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
        else:
            from email.utils import parsedate_to_datetime  # sockets and more come with it

            when = parsedate_to_datetime(stripped)
        if when.tzinfo is None:
            when = when.astimezone()
        moment = int((when - datetime.fromtimestamp(0, UTC)).total_seconds())
        if moment < 0:
            raise ValueError("before 1970")
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise InvalidInputError(
            f"not a date: {text!r}",
            hint=f"for example {time.strftime('%Y-%m-%d %H:%M:%S +0000', time.gmtime(0))!r}",
        ) from error
    offset_found = when.utcoffset()
    return moment, int(offset_found.total_seconds()) if offset_found else 0
