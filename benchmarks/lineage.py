"""CPU seconds that the lineage of a large history takes: ``python -m benchmarks.lineage``.

Makes a Git history of 100,000 versions (data, models, trainings that start from each other) with
``git fast-import``, reads all of it, then one new commit, then asks each question. The limit beside
the whole is ``git log --raw`` over the same history.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from tests.lineage.kit import data_record, model_record, training_record
from veml_vcs.lineage.ask import RepositoryLineage
from veml_vcs.lineage.find import find
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.init import init

T = TypeVar("T")

_DATA_SETS = 50
_NAMES = 40


def history(versions: int) -> Iterator[bytes]:
    """Yield a stream for ``git fast-import``: a version a commit, of 100 names."""
    model = model_record(50)
    data = [data_record(number + 1) for number in range(_DATA_SETS)]
    start: str | None = None
    for number in range(versions):
        kind = number % 4
        if number < _DATA_SETS:
            path, content = f"data/d{number}.veml", data[number]
        elif kind == 0:
            name = number // 4 % _DATA_SETS
            content = data[name] = data_record(number + 1)
            path = f"data/d{name}.veml"
        elif kind == 1:
            path, content = f"models/m{number // 4 % _NAMES}.veml", model_record(50, number / 1e6)
            model = content
        else:
            used = data[number % _DATA_SETS]
            content = training_record(blob_id(used), blob_id(model), start, number)
            start = blob_id(content) if number % 40 else None
            path = f"trainings/t{number % _NAMES}.veml"
        yield b"commit refs/heads/main\nmark :%d\ncommitter A <a@x> %d +0000\ndata 1\nx\n" % (
            number + 1, 1_600_000_000 + number,
        )  # fmt: skip
        if number:
            yield b"from :%d\n" % number
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=100_000)
    versions = parser.parse_args().versions
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "history"
        root.mkdir()
        init(str(root))
        subprocess.run(
            ["git", "fast-import", "--quiet"], cwd=root, check=True,
            input=b"".join(history(versions)),
        )  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["git", "log", "--raw", "main"], cwd=root, check=True, stdout=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        limit = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"git log --raw over {versions:,} commits  {limit:7.2f} s")
        with Repository(str(root)) as repo:
            base = database(repo)
            spent, done = timed(lambda: sync(repo, base))
            print(
                f"read all of it                       {spent:7.2f} s, {spent / limit:.1f} x git's "
                "(what git does of it included)"
            )
            tree = subprocess.run(
                ["git", "rev-parse", "main~5^{tree}"], cwd=root, check=True, capture_output=True,
                text=True,
            ).stdout.strip()  # fmt: skip
            commit = subprocess.run(
                ["git", "commit-tree", "-p", "main", "-m", "one", tree], cwd=root, check=True,
                capture_output=True, text=True,
            ).stdout.strip()  # fmt: skip
            subprocess.run(["git", "update-ref", "refs/heads/main", commit], cwd=root, check=True)
            spent, again = timed(lambda: sync(repo, base))
            print(f"one new commit                       {1000 * spent:7.1f} ms")
            store = SqliteLineage(base.connection)
            counts = store.counts()
            print(f"{done.versions:,} versions, {sum(counts.values()):,} nodes and edges")
            asked = RepositoryLineage(repo, store, again)
            for name, question in questions(asked).items():
                question()  # the pages are in memory
                print(f"  {name:<35}{1000 * timed(question)[0]:7.1f} ms")
            base.close()


def questions(asked: RepositoryLineage) -> dict[str, Callable[[], object]]:
    """Return each question, by name."""
    trainings = asked.store.listed("training")
    one = max(trainings, key=lambda node: int(node.props.get("seed", 0)))
    data = asked.version("data/d1")
    store = asked.store
    return {
        "node": lambda: store.node(one.id),
        "digits": lambda: store.find(one.id[:6]),
        "what it came from": lambda: asked.around(one.id, "up"),
        "what it came from, as of HEAD": lambda: asked.around(one.id, "up", at="main"),
        "two steps": lambda: asked.around(one.id, "both", 2),
        "impact of a data version": lambda: asked.impact("data/d1"),
        "path to a data version": lambda: store.path(one.id, data.id),
        "models with a backbone": lambda: store.having(["backbone:resnet50"], "model"),
        "models trained on a class": lambda: find(asked, ["model"], trained_on=["class:bus"]),
        "counts": store.counts,
    }


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU seconds of a call, and what it gave."""
    began = _spent()
    found = call()
    return _spent() - began, found


def _spent() -> float:
    """Return the CPU seconds of this process and of the git processes that it has ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    main()
