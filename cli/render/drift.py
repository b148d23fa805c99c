"""The answer of ``veml drift``: verdict, how sure, how large, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.bars import bar
from veml_cli.render.line import Line, Piece, Style, line
from veml_cli.render.tables import Column, table
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.analysis import DriftReport
    from veml_vcs.analysis.data_versions import DriftAnswer

_BAR_WIDTH = 16
_FARTHEST_LISTED = 10
_CENTRES_LISTED = 5
_WORDS: dict[str, tuple[str, Style]] = {
    "drift": ("DRIFT", "removed"),
    "no drift": ("no drift", "added"),
    "no verdict": ("no verdict", "warning"),
}


def drift_lines(answer: DriftAnswer, width: int | None) -> Iterator[Line]:
    """Yield the answer, the verdict first."""
    report = answer.report
    yield line(_WORDS[report.verdict], ": ", _sentence(report))
    yield line()
    yield from table(
        (Column(), Column(shrinks=True), Column(right=True)),
        [
            ["train", (answer.train, "name"), plural(answer.train_samples, "sample")],
            ["test", (answer.test, "name"), plural(answer.test_samples, "sample")],
        ],
        width=width,
    )
    yield line()
    yield from _measures(report, width)
    yield from _centres(report, width)
    yield from _farthest(answer, width)
    notes = (*report.notes, *answer.notes)
    if notes:
        yield line()
    for note in notes:
        yield line(("note: ", "warning"), note)
    if answer.next_steps:
        yield line()
        yield line("What to do:")
        for step in answer.next_steps:
            yield line("  - ", step)


def _sentence(report: DriftReport) -> str:
    test = report.test
    if test is None:
        return "too few samples to tell"
    sure = f"p = {test.p_value:.3g} at level {report.alpha:g}"
    if report.verdict == "drift":
        return f"the new data differ from the old; the difference is {report.effect_word} ({sure})"
    return f"no difference from the old data was found ({sure})"


def _measures(report: DriftReport, width: int | None) -> Iterator[Line]:
    rows: list[list[Piece]] = []
    test = report.test
    if test is not None:
        effect = max(test.effect, 0.0)
        rows += [
            ["p-value", f"{test.p_value:.3g}", "", f"{test.permutations:,} random splits"],
            [
                "effect", f"{test.effect:.2f}", (bar(effect, 1.0, _BAR_WIDTH), "bar"),
                f"0 to 1; {report.effect_word}",
            ],
            ["smallest effect it shows", f"{test.minimum_detectable_effect:.2f}",
             (bar(test.minimum_detectable_effect, 1.0, _BAR_WIDTH), "dim"),
             "with this many samples"],
        ]  # fmt: skip
    where, paper = report.where, report.paper
    rows.append(
        ["outside", f"{where.outside_share:.0%}",
         (bar(where.outside_share, 1.0, _BAR_WIDTH), "bar"),
         f"{plural(where.outside, 'sample')} beyond the core set's radius; "
         f"of the old data {where.reference_outside_share:.0%}"]
    )  # fmt: skip
    verdict = "drift" if paper.drifted else "no drift"
    rows.append(
        ["paper's rule", "-" if paper.ratio is None else f"{paper.ratio:.2f}",
         (bar(paper.ratio or 0.0, 1.0, _BAR_WIDTH), "dim"),
         f"distance {paper.distance:.2f} / radius {paper.radius:.2f}: {verdict}"]
    )  # fmt: skip
    columns = (Column(), Column(right=True), Column(), Column(shrinks=True))
    yield from table(columns, rows, width=width)


def _centres(report: DriftReport, width: int | None) -> Iterator[Line]:
    """Yield the centres that the data moved most relative to, and the shares nearest to them."""
    changed = report.where.centres[:_CENTRES_LISTED]
    if report.verdict != "drift" or not changed:
        return
    rows: list[list[Piece]] = [
        [
            str(one.centre),
            f"{one.reference_share:.1%}",
            (bar(one.reference_share, 1.0, _BAR_WIDTH), "dim"),
            f"{one.test_share:.1%}",
            (bar(one.test_share, 1.0, _BAR_WIDTH), "bar"),
            f"{one.z:+.1f}",
        ]
        for one in changed
    ]
    columns = (
        Column("centre", right=True), Column("of old", right=True), Column(),
        Column("of new", right=True), Column(), Column("z", right=True),
    )  # fmt: skip
    yield line()
    yield line("Where: old centres whose distance to the data changed most, in standard errors (z)")
    yield from table(columns, rows, width=width)


def _farthest(answer: DriftAnswer, width: int | None) -> Iterator[Line]:
    shown = answer.farthest[:_FARTHEST_LISTED]
    if not shown or answer.report.verdict == "no drift":
        return
    largest = max(distance for _, distance in shown)
    rows: list[list[Piece]] = [
        [
            key,
            f"{distance:.2f}",
            (bar(distance, largest, _BAR_WIDTH), "bar"),
            ("outside", "removed") if far.outside else "",
        ]
        for (key, distance), far in zip(shown, answer.report.where.farthest, strict=False)
    ]
    columns = (Column("sample", shrinks=True), Column("distance", right=True), Column(), Column())
    yield line()
    yield line("Farthest from all old data:")
    yield from table(columns, rows, width=width)
