"""What veml's git hooks cost on a large data set: each git command with them, and without.

    python -m benchmarks.hooks --files 100000

Both columns come from the same run, repository and commands; ``VEML_HOOKS=0`` turns veml's part
off, so the difference is what the hooks do. For commands that move data it is mostly the writing
of the files that differ.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.vcs.measure import Cost, Runner

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_EDITED_SHARE = 0.01
_VEML = [str(Path(sys.executable).with_name("veml"))]


def make_files(folder: Path, count: int) -> None:
    """Write small files that look like images, in folders of a thousand."""
    for i in range(count):
        below = folder / f"{i // 1000:04d}"
        if i % 1000 == 0:
            below.mkdir(parents=True)
        (below / f"{i:06d}.png").write_bytes(_PNG_HEAD + i.to_bytes(8, "little") * 8)


def edit_files(folder: Path, count: int) -> None:
    """Change one file in a hundred."""
    for i in range(0, count, round(1 / _EDITED_SHARE)):
        path = folder / f"{i // 1000:04d}" / f"{i:06d}.png"
        path.write_bytes(_PNG_HEAD + b"edited" + i.to_bytes(8, "little") * 8)


def prepare(root: Path, count: int, runner: Runner) -> None:
    """Make a repository with two branches whose data differs in one file of a hundred."""
    root.mkdir()
    runner.run([[*_VEML, "init", "-q"], ["git", "config", "user.name", "Ann"],
                ["git", "config", "user.email", "ann@example.com"]], root)  # fmt: skip
    make_files(root / "data", count)
    (root / "notes.txt").write_text("one\n")
    runner.run([[*_VEML, "add", "-q", "data", "notes.txt"], ["git", "commit", "-qm", "one"],
                ["git", "branch", "code"], ["git", "checkout", "-qb", "edited"]], root)  # fmt: skip
    edit_files(root / "data", count)
    runner.run([[*_VEML, "add", "-q", "data"], ["git", "commit", "-qm", "edited"],
                ["git", "checkout", "-q", "main"]], root)  # fmt: skip


def steps(root: Path) -> list[tuple[str, list[list[str]], list[list[str]]]]:
    """Return name, commands and what brings the repository back."""
    note = ["sh", "-c", "date +%N >> notes.txt"]
    return [
        ("git commit of a note", [note, ["git", "commit", "-qam", "note"]], []),
        ("git checkout, same data", [["git", "checkout", "-q", "code"]],
         [["git", "checkout", "-q", "main"]]),
        ("git checkout, 1 % of the data", [["git", "checkout", "-q", "edited"]],
         [["git", "checkout", "-q", "main"], [*_VEML, "checkout", "-q"]]),
        ("git reset --hard, same data", [["git", "reset", "-q", "--hard", "HEAD"]], []),
        ("git status", [["git", "status", "--porcelain"]], []),
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description="What veml's git hooks cost.")
    parser.add_argument("--files", type=int, default=100_000, help="files in the data set")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="veml-hooks-"))
    home = folder / "home"
    home.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    environment.pop("VEML_HOOKS", None)
    try:
        root = folder / "repository"
        with_hooks = Runner(environment)
        without = Runner({**environment, "VEML_HOOKS": "0"})
        prepare(root, options.files, with_hooks)
        print(f"{options.files:,} files; CPU seconds of the process tree (wall)")
        print(f"{'':32}{'without hooks':>18}{'with hooks':>18}")
        for name, commands, back in steps(root):
            costs: list[Cost] = []
            for runner in (without, with_hooks):
                costs.append(runner.measure(commands, root))
                with_hooks.run(back, root)
            shown = "".join(f"{c.cpu_seconds:10.2f} ({c.wall_seconds:5.2f})" for c in costs)
            print(f"{name:32}{shown}")
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
