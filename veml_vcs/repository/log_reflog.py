"""``veml log -g``: the commits that a ref stood at, newest move first, as its reflog tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.reflog import ReflogEntry, read_reflog
from veml_vcs.repository.ranges import parse_range
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import full_ref, parse_date, previous_branch

_SELECTED = re.compile(r"(.*)@\{([^}]*)\}")


@dataclass(frozen=True)
class Moved:
    """One move of a ref, as a log shows it.

    Attributes:
        ref: The ref, as it was called.
        index: Which move, 0 is the newest.
        by_date: It was asked for by date: show that, not the number.
        who: ``Name <email>`` of whoever moved it.
        time_seconds: When, Unix time.
        offset_seconds: The time zone, east of UTC.
        message: Why.
    """

    ref: str
    index: int
    by_date: bool
    who: str
    time_seconds: int
    offset_seconds: int
    message: str


def walk_reflogs(
    repo: Repository, names: Sequence[str], *, all_refs: bool = False, by_date: bool = False
) -> Iterator[tuple[CommitId, Moved]]:
    """Yield the commits that refs stood at, newest move first.

    Args:
        repo: The repository.
        names: Refs; ``main@{3}`` and ``main@{yesterday}`` begin there. None is HEAD.
        all_refs: Every ref's.
        by_date: Moves are shown by date where no number was given.

    Raises:
        NotFoundError: There is no such ref, or no commit yet.
        InvalidInputError: It is a commit or a range, not a ref.
    """
    asked = [*names]
    if all_refs:
        asked += ["HEAD", *(name.decode("utf-8", "surrogateescape") for name in _all(repo))]
    logs = [_moves(repo, one, by_date) for one in asked or ["HEAD"]]
    places = [0] * len(logs)
    while True:
        ahead = [(log[at], -i) for i, (log, at) in enumerate(zip(logs, places, strict=True))
                 if at < len(log)]  # fmt: skip
        if not ahead:
            return
        (commit, moved), number = max(ahead, key=lambda one: (one[0][1].time_seconds, one[1]))
        places[-number] += 1
        yield commit, moved


def _all(repo: Repository) -> list[bytes]:
    return sorted(name for name in repo.git.dulwich.refs.allkeys() if name != b"HEAD")


def _moves(repo: Repository, name: str, by_date: bool) -> list[tuple[CommitId, Moved]]:
    """Return the moves of one ref, newest first."""
    selected = _SELECTED.fullmatch(name)
    ref, spec = (selected[1], selected[2]) if selected else (name, "")
    if re.fullmatch("-[0-9]{1,9}", spec) and not ref:
        ref, spec = previous_branch(repo.git, -int(spec)), ""
    if ref in ("", "@"):
        branch = repo.git.head().branch
        ref = f"refs/heads/{branch}" if selected and branch is not None and not ref else "HEAD"
    full = full_ref(repo.git, ref)
    if full is None:
        parse_range(repo.git, name)  # says so, if it names nothing
        raise InvalidInputError(
            f"cannot walk reflogs for {name}: it is not a branch or another ref",
            hint="veml log -g BRANCH",
        )
    entries = read_reflog(repo.git, full)[::-1]
    first = 0
    if re.fullmatch("[0-9]{1,9}", spec):
        first = int(spec)
        by_date = False
    elif spec:
        moment = parse_date(spec)
        first = next((i for i, one in enumerate(entries) if one.time_seconds <= moment), 0)
        by_date = True
    if first and first >= len(entries):
        raise NotFoundError(
            f"the reflog of {ref} has only {len(entries)} entries", kind="unknown-revision"
        )
    return [(one.new, _moved(ref, i, one, by_date)) for i, one in enumerate(entries) if i >= first]


def _moved(ref: str, index: int, entry: ReflogEntry, by_date: bool) -> Moved:
    return Moved(
        ref, index, by_date, entry.who, entry.time_seconds, entry.offset_seconds, entry.message
    )
