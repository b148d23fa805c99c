"""Views of ``veml transfer``: what would be taken over, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.deploy import deployed_lines
from veml_cli.render.line import Line, Piece, line
from veml_cli.render.tables import Column, table
from veml_cli.render.train import trained_lines
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_cli.render.line import Style
    from veml_vcs.lifecycle.offer import Offer, OfferChosen, OfferRow
    from veml_vcs.lifecycle.transfer import Transfer
    from veml_vcs.lifecycle.verdict import Verdict

_ROWS = 12
_STYLES: dict[str, Style] = {"chosen": "added", "beyond the threshold": "warning"}


def offer_lines(offer: Offer, width: int | None, *, changes: bool = True) -> Iterator[Line]:
    """Yield the ranking, the lifecycles that would be taken over, and what would be changed.

    Args:
        offer: The facts.
        width: Of the terminal.
        changes: Tell changes of the config too, which a training tells when it begins.
    """
    yield line("data ", (offer.data, "name"), f"  for {offer.task}")
    if offer.ranking:
        yield line()
        columns = (
            Column("#", right=True), Column("data set", shrinks=True), Column("at", shrinks=True),
            Column("energy", right=True), Column("core sets", right=True),
            Column("best training", shrinks=True), Column(),  Column(),
        )  # fmt: skip
        shown = [one for one in offer.ranking if one.rank <= _ROWS or one.answer == "chosen"]
        yield from table(columns, [_row(one) for one in shown], width=width)
        if len(shown) < len(offer.ranking):
            yield line((f"  and {len(offer.ranking) - len(shown)} that are farther", "dim"))
        yield line((f"energy: up to {offer.threshold:g} is similar (--threshold)", "hint"))
    for note in offer.notes:
        yield line(("note: ", "warning"), note)
    for one in offer.chosen:
        yield line()
        yield from _chosen(one, offer)
        for change in one.changes if changes else ():
            yield line(("config: ", "dim"), change)


def _row(one: OfferRow) -> list[Piece]:
    measured = "" if one.value is None else f"{one.metric} {one.value:.3f}"
    return [
        str(one.rank),
        (one.data, "name"),
        (one.revision, "ref"),
        _number(one.distance, 2),
        _number(one.core_set_distance, 2),
        one.training or "-",
        measured,
        (one.answer, _STYLES.get(one.answer, "dim")),
    ]


def _number(value: float | None, digits: int = 3) -> str:
    # An unbiased distance may fall below 0; more digits than these are noise.
    return "-" if value is None else f"{value + 0.0:.{digits}f}".replace("-0.00", "0.00")


def _chosen(one: OfferChosen, offer: Offer) -> Iterator[Line]:
    far = "" if one.distance is None else f", distance {_number(one.distance, 2)}"
    yield line("lifecycle ", (one.training, "name"), f"  of {one.data}{far}; model {one.model}")
    if one.mapped or one.new or one.gone:
        columns = (Column("class there"), Column("class here"), Column())
        rows: list[list[Piece]] = [
            [old, new, ("its rows are kept", "added")] for old, new in one.mapped
        ]
        rows += [["-", (name, "added"), "new: begins at random"] for name in one.new]
        rows += [[(name, "removed"), "-", "gone"] for name in one.gone]
        yield from table(columns, rows, width=None)
    shown = "window" if offer.task == "forecasting" else "sample"
    yield line(
        f"{plural(one.iterations, 'iteration')} on {plural(one.samples[0], shown)}, measured on "
        f"{plural(one.samples[1], shown)}"
    )
    for way in one.deployed:
        yield line(
            "deployed as ", (way.words, "name"), f" ({way.inference}): done alike at the end "
            "(--no-deploy leaves it)",
        )  # fmt: skip
    for note in one.notes:
        yield line(("note: ", "warning"), note)


def transfer_lines(done: Transfer, width: int | None) -> Iterator[Line]:
    """Yield the training, and where there are several, a table of them and the verdict."""
    yield line()
    if done.trained is not None:
        yield from trained_lines(done.trained, width)
    else:
        yield line("training ", (done.name, "name"), "  (done before)")
    if len(done.runs) > 1:
        yield line()
        yield from _runs(done, width)
    if len(done.ways) > 1 or any(one.spread is not None for one in done.ways):
        yield line()
        yield from _ways(done, width)
    if len(done.ways) > 1:
        yield line("best of what was taken over: ", (done.best, "name"), f", kept as {done.name}")
    if done.verdict is not None:
        yield line(_words(done.verdict, done.metric))
    for one in done.deployed:
        if one.deployed is not None:
            yield line()
            yield from deployed_lines(one.deployed, width)
        elif one.again:
            yield line("inference ", (one.name, "name"), f"  {one.like.words}  (done before)")
    if done.left:
        yield line((f"{plural(done.left, 'training')} left: type the same with --resume", "hint"))


def _runs(done: Transfer, width: int | None) -> Iterator[Line]:
    columns = (
        Column("training", shrinks=True), Column("from", shrinks=True), Column("seed", right=True),
        Column(done.metric or "metric", right=True), Column(),
    )  # fmt: skip
    rows: list[list[Piece]] = [
        [
            (one.name, "name"), one.way, str(one.seed), _number(one.metrics.get(done.metric)),
            "done before" if one.again else "" if one.status == "complete" else "interrupted",
        ]
        for one in done.runs
    ]  # fmt: skip
    yield from table(columns, rows, width=width)


def _ways(done: Transfer, width: int | None) -> Iterator[Line]:
    columns = (
        Column("from", shrinks=True), Column("data set", shrinks=True),
        Column("energy", right=True), Column(f"mean {done.metric}", right=True),
        Column("spread", right=True),
    )  # fmt: skip
    rows: list[list[Piece]] = [
        [
            (one.way, "name"), one.data or "-", _number(one.distance, 2), _number(one.mean),
            _number(one.spread),
        ]
        for one in done.ways
    ]  # fmt: skip
    yield from table(columns, rows, width=width)


def _words(verdict: Verdict, metric: str) -> str:
    gain = f"{verdict.difference:+.3f} {metric}"
    if verdict.low is None or verdict.high is None:
        return f"against scratch {gain}, with one seed: no verdict (--seeds 3 tells the spread)"
    interval = f"95 % interval {verdict.low:+.3f} to {verdict.high:+.3f}, {verdict.seeds} seeds"
    told = {
        "better": "transfer is better than from scratch",
        "worse": "transfer is WORSE than from scratch: do not take this lifecycle over",
        "no difference": "no difference from scratch can be told",
    }
    return f"{told[verdict.answer]}: {gain} ({interval})"
