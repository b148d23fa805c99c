"""What ``checkout`` and ``switch`` have in common: names as users give them, and what to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veml_cli.render.simple import checkout_lines

if TYPE_CHECKING:
    from veml_cli.render.line import Line
    from veml_vcs.repository.checkout import CheckoutResult
    from veml_vcs.repository.progress import Progress
    from veml_vcs.repository.repository import Repository


@dataclass(frozen=True)
class Target:
    """Where to go.

    Attributes:
        name: A branch or revision, ``-`` for the previous one; None is HEAD.
        create: Name of a branch to create there.
        reset: Move that branch if it exists.
        detach: Detach HEAD even if ``name`` is a branch.
    """

    name: str | None
    create: str | None = None
    reset: bool = False
    detach: bool = False


def switch_to(
    repo: Repository,
    target: Target,
    *,
    force: bool,
    progress: Progress,
    while_waiting: bool = True,
) -> tuple[CheckoutResult, list[Line]]:
    """Go there; return the result and the lines that tell it."""
    from veml_vcs.repository.checkout import checkout
    from veml_vcs.repository.log import log
    from veml_vcs.repository.refs import create_branch
    from veml_vcs.repository.revisions import previous_branch

    came_from = repo.git.head().branch
    name = previous_branch(repo.git) if target.name == "-" else target.name
    new = target.create
    if target.create is not None and target.reset and target.create in repo.git.branches():
        start = name or "HEAD"
        if target.create == came_from:
            # The current branch cannot be moved under the work tree: go there first.
            start_at = repo.resolve(start)
            checkout(
                repo, start_at, force=force, while_waiting=while_waiting, progress=progress
            )  # fmt: skip
        create_branch(repo, target.create, start, force=True)
        name, new = target.create, None
    done = checkout(
        repo,
        new or name or "HEAD",
        create=new is not None,
        start=name if new is not None else None,
        detach=target.detach,
        force=force,
        while_waiting=while_waiting,
        progress=progress,
    )
    subject = ""
    if done.branch is None and done.commit is not None:
        subject = next(log(repo, [done.commit], limit=1, data=False)).subject
    return done, list(checkout_lines(done, subject, came_from))
