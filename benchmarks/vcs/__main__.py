"""Makes the data, takes each tool through the steps, and prints what it cost as Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.vcs import table
from benchmarks.vcs.measure import Cost, Runner
from benchmarks.vcs.scenario import STEPS, Scenario
from benchmarks.vcs.tools import TOOLS, Limit, Tool
from benchmarks.vcs.workloads import PHOTOS, SMALL, Size, folder_bytes, make_photos, make_small


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    options = _parse(arguments)
    size = Size().scaled(options.scale)
    chosen = [tool for tool in TOOLS if tool is Limit or tool.name in options.tools]
    tools = [tool for tool in chosen if tool.available()]
    for missing in (tool.name for tool in chosen if tool not in tools):
        _tell(f"{missing} is not installed and is left out")

    results: dict[str, dict[str, list[Cost]]] = {step: {} for step in STEPS}
    store_bytes: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="veml-bench-", dir=options.work) as scratch:
        data = Path(scratch) / "data"
        _tell(f"making {size.small_images} small images and {size.photos} photos")
        make_small(data / SMALL, size)
        make_photos(data / PHOTOS, size)
        data_bytes = folder_bytes(data)
        runner = Runner(_environment(Path(scratch)), count_fsyncs=options.fsyncs)
        for round_number in range(options.rounds):
            for kind in tools:
                with tempfile.TemporaryDirectory(dir=scratch) as place:
                    tool = kind(Path(place) / "repository")
                    _measure(tool, runner, data, size, results, store_bytes, round_number)

    text = _report(results, [tool.name for tool in tools], store_bytes, size, data_bytes, options)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vcs", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the full size, 20,000 + 2,000 images"
    )
    parser.add_argument("--rounds", type=int, default=1, help="medians are shown (default 1)")
    parser.add_argument(
        "--tools",
        nargs="+",
        default=[tool.name for tool in TOOLS],
        choices=[tool.name for tool in TOOLS],
        help="which to compare (cp always runs; those not installed are left out)",
    )
    parser.add_argument(
        "--fsyncs", action="store_true", help="count fsync calls with strace; times mean nothing"
    )
    parser.add_argument("--work", type=Path, help="where to make the temporary folder")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    options = parser.parse_args(arguments)
    if options.scale <= 0 or options.rounds < 1:
        parser.error("--scale must be above 0 and --rounds at least 1")
    return options


def _measure(
    tool: Tool,
    runner: Runner,
    data: Path,
    size: Size,
    results: dict[str, dict[str, list[Cost]]],
    store_bytes: dict[str, int],
    round_number: int,
) -> None:
    """Take one tool through the steps once and file what they cost."""

    def progress(step: str) -> None:
        _tell(f"round {round_number + 1}: {tool.name}: {step}")

    for step, cost in Scenario(tool, runner, data, size, progress).run():
        results[step].setdefault(tool.name, []).append(cost)
    stored = tool.store_bytes()
    if stored is not None:
        store_bytes[tool.name] = stored


def _environment(scratch: Path) -> Mapping[str, str]:
    """Return an environment in which no setting of the user's plays a part."""
    home = scratch / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "bench",
        "GIT_AUTHOR_EMAIL": "bench@example.com",
        "GIT_COMMITTER_NAME": "bench",
        "GIT_COMMITTER_EMAIL": "bench@example.com",
    }


def _report(
    results: table.Results,
    tools: Sequence[str],
    store_bytes: Mapping[str, int],
    size: Size,
    data_bytes: int,
    options: argparse.Namespace,
) -> str:
    """Return all tables under a line that says on what they were measured."""
    head = (
        f"{size.small_images:,} images of {size.small_bytes / 1e3:.0f} KB and "
        f"{size.photos:,} of {size.photo_bytes / 1e3:.0f} KB, {data_bytes / 1e6:.0f} MB in all; "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{'median of ' if options.rounds > 1 else ''}{options.rounds} round(s).\n"
    )
    limit = Limit.name
    if options.fsyncs:
        return head + "\n" + table.fsync_table(results, tools, limit)
    parts = (
        table.cpu_table(results, tools, limit),
        table.wall_table(results, tools, limit),
        table.written_table(results, tools, limit),
        table.store_table(store_bytes, limit),
    )
    return head + "\n" + "\n".join(parts)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
