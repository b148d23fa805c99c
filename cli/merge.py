"""``veml merge``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, NoEdit, Quiet, Side, choice, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError, NotFoundError

EXAMPLES = examples(
    ("merge a branch: by sample, by box, by file", "veml merge night"),
    ("settle every conflict in data our way", "veml merge -X ours night"),
    ("take all of a branch into one commit", "veml merge --squash night"),
    ("give up a merge with conflicts", "veml merge --abort"),
)


def merge(
    revision: Annotated[
        str | None, typer.Argument(metavar="REV", help="The branch or commit to merge.")
    ] = None,
    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", metavar="MSG", help="The message; more are paragraphs."),
    ] = None,
    no_ff: Annotated[
        bool, typer.Option("--no-ff", help="Make a merge commit in any case.")
    ] = False,
    ff_only: Annotated[
        bool, typer.Option("--ff-only", help="Refuse where HEAD cannot simply move.")
    ] = False,
    no_commit: Annotated[bool, typer.Option("--no-commit", help="Stop before the commit.")] = False,
    squash: Annotated[
        bool,
        typer.Option(
            "--squash", help="Stop before the commit, which then is no merge; HEAD does not move."
        ),
    ] = False,
    favour: Annotated[
        Side | None, typer.Option("-X", help="Side that settles all conflicts in data.")
    ] = None,
    unrelated: Annotated[
        bool,
        typer.Option("--allow-unrelated-histories", help="Merge what has no common ancestor too."),
    ] = False,
    no_edit: NoEdit = False,  # for the habit
    abort: Annotated[bool, typer.Option("--abort", help="Give up the merge under way.")] = False,
    go_on: Annotated[bool, typer.Option("--continue", help="Commit the merge under way.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Merge another line of history.

    Three-way: by sample and by box in data sets, by line in text files. Ends with 1 if conflicts
    are left; veml status lists them, veml resolve settles them.
    """
    from veml_cli._identity import from_environment
    from veml_cli.render.merge import merge_lines
    from veml_hooks.here import run_hooks_here
    from veml_vcs.repository.merging.merge import merge as run

    if sum((abort, go_on, revision is not None)) != 1 or (no_ff and ff_only):
        raise InvalidInputError(
            "expected one of REV, --abort and --continue, and one of --no-ff and --ff-only",
            hint="veml merge BRANCH",
        )
    if squash and no_ff:
        raise InvalidInputError("options '--squash' and '--no-ff' cannot be used together")
    text = "\n\n".join(message) if message else None
    if revision is None:
        _finish(abort, text, quiet, as_json)
        return
    with working() as (repo, progress):
        run_hooks_here(repo)
        done = run(
            repo,
            revision,
            message=text,
            no_ff=no_ff,
            ff_only=ff_only,
            no_commit=no_commit,
            squash=squash,
            favour=choice(favour),
            unrelated=unrelated,
            # Who it is matters only if a commit is made.
            committer=from_environment(repo, "COMMITTER", strict=False),
            progress=progress,
        )
    if as_json or not quiet:
        show(done, merge_lines(done, revision), as_json=as_json)
    if done.kind == "conflicts":
        raise typer.Exit(DIFFERS)


def _finish(abort: bool, message: str | None, quiet: bool, as_json: bool) -> None:
    """Give up, or commit, the merge under way."""
    from veml_cli._identity import author_from, from_environment
    from veml_cli.render.simple import commit_lines
    from veml_hooks.here import run_hooks_here
    from veml_vcs.ids import short
    from veml_vcs.repository.commit import commit
    from veml_vcs.repository.merging.merge import abort as give_up
    from veml_vcs.repository.merging.state import under_way

    with working() as (repo, progress):
        if abort:
            head = give_up(repo, kind="merge", progress=progress)
            if as_json:
                out.write_json({"aborted": True, "commit": head})
            elif not quiet:
                out.write(f"Merge aborted; HEAD is at {short(head, 7)}")
            return
        if under_way(repo) != "merge":
            raise NotFoundError("no merge is under way", kind="not-merging")
        run_hooks_here(repo)
        done = commit(
            repo,
            message,
            author=author_from(repo, None, None, amend=False),
            committer=from_environment(repo, "COMMITTER"),
            progress=progress,
        )
    if as_json or not quiet:
        show(done, commit_lines(done), as_json=as_json)
