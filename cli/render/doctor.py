"""The view of ``veml doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, Style, line
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.repository.doctor import Report

_STYLES: dict[str, Style] = {
    "ok": "added", "note": "dim", "warning": "warning", "broken": "removed",
}  # fmt: skip


def doctor_lines(report: Report) -> Iterator[Line]:
    """Yield each finding with the line that mends it, and the verdict."""
    width = max((len(one.check) for one in report.findings), default=0)
    for one in report.findings:
        yield line((f"{one.state:<8}", _STYLES[one.state]), (f"{one.check:<{width}}  ", "name"),
                   one.what)  # fmt: skip
        if one.mend:
            yield line(" " * (width + 10), (f"mend: {one.mend}", "hint"))
    verdict = [
        plural(count, word) if word == "warning" else f"{count} broken"
        for count, word in ((report.broken, "broken"), (report.warnings, "warning"))
        if count
    ]
    if verdict:
        yield line(", ".join(verdict))
    else:
        yield line(("all is well", "added"))
