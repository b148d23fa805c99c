"""Views of commands that have a few lines to say: rm, restore, checkout, commit, export, fsck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.records import named, record_header
from veml_cli.render.words import data_change, plural, size
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.checkout import CheckoutResult
    from veml_vcs.repository.commit import CommitResult
    from veml_vcs.repository.export import ExportResult
    from veml_vcs.repository.restore import RestoreResult
    from veml_vcs.repository.rm import RmResult
    from veml_vcs.repository.upkeep.fsck import FsckResult
    from veml_vcs.repository.worktree.follow import FollowResult

SHORT_ID = 7
_VERSIONS_LISTED = 5


def removed_lines(result: RmResult) -> Iterator[Line]:
    """Yield what ``rm`` removed."""
    for path in result.datasets:
        yield line("rm data ", (path, "name"))
    for path, count in (result.samples or {}).items():
        yield line("rm ", plural(count, "file"), " of data ", (path, "name"))
    for path in result.files:
        yield line("rm ", path)


def restored_lines(result: RestoreResult) -> Iterator[Line]:
    """Yield what ``restore`` brought back."""
    for path, count in result.datasets.items():
        yield line("restored ", plural(count, "file"), " of data ", (path, "name"))
    if result.files:
        yield line("restored ", plural(len(result.files), "ordinary file"))


def checkout_lines(result: CheckoutResult, subject: str, came_from: str | None) -> Iterator[Line]:
    """Yield where HEAD is now, and which data sets were written."""
    if result.branch is None:
        yield line("HEAD is now at ", (short(result.commit or "", SHORT_ID), "id"), " ", subject)
    elif result.created:
        yield line("Switched to a new branch '", (result.branch, "ref"), "'")
    elif result.branch == came_from:
        yield line("Already on '", (result.branch, "ref"), "'")
    else:
        yield line("Switched to branch '", (result.branch, "ref"), "'")
    for path, count in result.written.items():
        yield line("  data ", (path, "name"), "  ", plural(count, "file"), " written or removed")
    for path in result.carried:
        yield line("  data ", (path, "name"), "  uncommitted changes carried over")
    for one in result.absent:
        yield line("  data ", (one.path, "name"), "  not in this clone")
    hints = dict.fromkeys(one.hint for one in result.absent if one.hint)
    for hint in hints:
        yield line((f"  (use: {hint})", "hint"))


def followed_lines(result: FollowResult) -> Iterator[Line]:
    """Yield which data folders were brought along, and why others were not."""
    for path, count in result.written.items():
        yield line("  data ", (path, "name"), "  ", plural(count, "file"), " written or removed")
    for one in result.left:
        yield line("  data ", (one.path, "name"), "  ", one.reason or "not brought along")
        if one.hint:
            yield line((f"    (use: {one.hint})", "hint"))
    if not (result.written or result.left):
        yield line("all data folders hold what is checked out")


def commit_lines(result: CommitResult) -> Iterator[Line]:
    """Yield a commit's first line, and what it does to data and files."""
    where = result.branch or "detached HEAD"
    root = " (root-commit)" if result.root else ""
    yield line(
        "[", (where, "ref"), root, " ", (short(result.id, SHORT_ID), "id"), "] ", result.subject
    )
    for change in result.data:
        word = {"new": "new data ", "deleted": "deleted data "}.get(change.kind, "data ")
        yield line("  ", word, (change.path, "name"), "  ") + data_change(change)
    for one in named(result):
        yield line("  ") + record_header(one)
    if result.files:
        yield line(f"  {plural(result.files, 'ordinary file')} changed")


def export_lines(result: ExportResult) -> Iterator[Line]:
    """Yield what was exported."""
    counts = [
        plural(result.samples, "sample"),
        plural(result.files, "other file"),
        size(result.content_bytes),
    ]
    yield line("exported to ", (result.path, "name"), f" as {result.format}: {', '.join(counts)}")


def fsck_lines(result: FsckResult) -> Iterator[Line]:
    """Yield each problem with the versions it hits, and the verdict."""
    for problem in result.problems:
        yield line((problem.kind, "removed"), " ", problem.what, (f"  in {problem.where}", "dim"))
        for version in problem.versions[:_VERSIONS_LISTED]:
            yield line(f"    hits {version}")
        left = len(problem.versions) - _VERSIONS_LISTED
        if left > 0:
            yield line((f"    … and {left:,} more (--json lists all)", "dim"))
    checked = (
        f"{plural(result.objects, 'object')}, {plural(result.versions, 'version')}, "
        f"{plural(result.samples, 'entry', 'entries')} checked"
    )
    if result.problems:
        found = plural(len(result.problems), "problem")
        yield line((found, "removed"), f"; {checked}")
    else:
        yield line(("all good", "added"), f"; {checked}")
    if result.absent:
        verb = "is" if len(result.absent) == 1 else "are"
        count = plural(len(result.absent), "version")
        yield line(f"{count} {verb} not in this clone", ("  veml data fetch --all", "hint"))
