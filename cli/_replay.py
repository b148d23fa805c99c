"""What ``cherry-pick`` and ``revert`` have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import typer

from veml_cli._errors import DIFFERS
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.merging.replay import Options


@dataclass(frozen=True)
class Asked:
    """What the command line asks for.

    Attributes:
        revisions: Commits and ranges.
        go_on: ``--continue``.
        skip: ``--skip``.
        abort: ``--abort``.
        leave: ``--quit``.
        quiet: Say nothing but errors.
        as_json: Write one JSON document.
    """

    revisions: Sequence[str]
    go_on: bool
    skip: bool
    abort: bool
    leave: bool
    quiet: bool
    as_json: bool


def run(kind: Literal["cherry-pick", "revert"], asked: Asked, options: Options) -> None:
    """Replay commits, go on, or give up; end with 1 if conflicts are left."""
    from veml_cli._identity import from_environment
    from veml_cli.render.replay import replay_lines
    from veml_vcs.ids import short
    from veml_vcs.repository.commit import picked_author
    from veml_vcs.repository.merging.replay import give_up, go_on, leave_off, replay

    verbs = (asked.go_on, asked.skip, asked.abort, asked.leave)
    if sum((*verbs, bool(asked.revisions))) != 1:
        raise InvalidInputError(
            "expected one of REV, --continue, --skip, --abort and --quit", hint=f"veml {kind} REV"
        )
    with working() as (repo, progress):
        if asked.abort:
            head = give_up(repo, kind, progress=progress)
            if asked.as_json:
                out.write_json({"aborted": True, "commit": head})
            elif not asked.quiet:
                out.write(f"{kind} aborted; HEAD is at {short(head, 7)}")
            return
        if asked.leave:
            head = leave_off(repo, kind)
            if asked.as_json:
                out.write_json({"aborted": False, "commit": head})
            elif not asked.quiet:
                out.write(f"{kind} forgotten; HEAD stays at {short(head, 7)}")
            return
        committer = from_environment(repo, "COMMITTER")
        if asked.revisions:
            done = replay(
                repo, kind, asked.revisions, options=options, committer=committer,
                progress=progress,
            )  # fmt: skip
        else:
            author = picked_author(repo) or from_environment(repo, "AUTHOR")
            done = go_on(
                repo, kind, skip=asked.skip, author=author, committer=committer, progress=progress
            )
    if asked.as_json or not asked.quiet:
        show(done, replay_lines(done, kind), as_json=asked.as_json)
    if done.kind == "conflicts":
        raise typer.Exit(DIFFERS)
