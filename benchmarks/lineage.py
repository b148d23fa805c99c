"""CPU seconds that the lineage of a large history takes: ``python -m benchmarks.lineage``.

Makes a Git history of 100,000 versions (data, models, trainings that start from each other,
deployments) with ``git fast-import``, reads all of it, then one new commit, then asks every
question of the protocol and of the commands. The limit beside the whole is ``git log --raw`` over
the same history. ``--keep FOLDER`` makes the history there once, and uses it from then on;
``--only WORD`` asks the questions whose names have that word, and ``--profile`` shows where their
time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from benchmarks.lineage_questions import Question, questions
from tests.lineage.kit import data_record, dump, model_record, training_record
from veml_vcs.ids import SampleId
from veml_vcs.lineage.ask import RepositoryLineage
from veml_vcs.lineage.samples import SampleIndex
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.init import init
from veml_vcs.samples.tree import Entry, EntryKind, build_tree

T = TypeVar("T")

GOAL_MS = 50.0
_DATA_SETS = 50
_NAMES = 40
_SAMPLES = 40
_ROUND = 100
"""So many versions lie between a data set that starts as a copy and the next."""


def history(versions: int, trees: Callable[[int, int], str]) -> Iterator[bytes]:
    """Yield a stream for ``git fast-import``: a version a commit, of some 170 names.

    A third branch in three hundred steps aside and is merged back. Half of the trainings are one
    chain; of the others, each chain is 20 long.

    Args:
        versions: How many.
        trees: Data set, revision -> its tree.
    """
    model = model_record(50)
    data = [_data(name, 0, name + 1, trees) for name in range(_DATA_SETS)]
    start: dict[int, str | None] = {2: None, 3: None}
    trained = ""
    for number in range(versions):
        kind = number % 4
        if number < _DATA_SETS:
            path, content = f"data/d{number}.veml", data[number]
        elif kind == 0:
            name = number // 4 % _DATA_SETS
            origin = data[(name + 1) % _DATA_SETS] if number % _ROUND == 0 else None
            content = data[name] = _data(name, number // 4, number + 1, trees, origin)
            path = f"data/d{name}.veml"
        elif kind == 1 and number % 40 == 1 and trained:
            path = f"inferences/i{number // 40 % _NAMES}.veml"
            content = _inference(trained, blob_id(data[number % _DATA_SETS]), number)
        elif kind == 1:
            path = f"models/m{number // 4 % _NAMES}.veml"
            content = model = model_record((18, 50)[number % 8 == 1], number / 1e6)
        else:
            used = data[number % _DATA_SETS]
            mean = number * 7919 % 1000 / 1000
            content = training_record(
                blob_id(used), blob_id(model), start[kind], number, metrics={"mAP": mean}
            )
            trained = blob_id(content)
            start[kind] = trained if kind == 2 or number // 4 % 20 else None
            path = f"trainings/t{number % _NAMES}.veml"
        yield b"commit refs/heads/main\nmark :%d\ncommitter A <a@x> %d +0000\ndata 1\nx\n" % (
            number + 1, 1_600_000_000 + number,
        )  # fmt: skip
        if number:
            yield b"from :%d\n" % number
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)


def _data(
    name: int, revision: int, number: int, trees: Callable[[int, int], str],
    origin: bytes | None = None,
) -> bytes:  # fmt: skip
    more: dict[str, object] = {"tree": trees(name, revision)}
    if origin is not None:
        more["derived"] = {
            "operation": "filter", "arguments": {},
            "from": [{"data": "d", "version": blob_id(origin), "tree": "00" * 32}],
        }  # fmt: skip
    return data_record(number, ("car", "tram") if name == 7 else ("car",), **more)


def _inference(training: str, data: str, number: int) -> bytes:
    zero = "00" * 32
    return dump({
        "veml": 1, "kind": "inference", "task": "detection", "format": "onnx", "device": "cpu",
        "quantisation": "int8" if number % 80 == 1 else "none",
        "training": {"name": "t", "version": training, "tree": zero},
        "data": [{"path": "d", "version": data, "tree": zero, "role": "val", "samples": 1}],
        "file": {"bytes": number, "sha256": zero, "tree": zero}, "metrics": {"mAP": 0.5},
    })  # fmt: skip


def make(root: Path, versions: int) -> None:
    """Make the history, and notes of similar data."""
    root.mkdir(parents=True)
    init(str(root))
    with Repository(str(root)) as repo, repo.store.write() as writer:

        def tree(name: int, revision: int) -> str:
            """Return the root of a data set in which every sample is replaced each time."""
            entries = [
                (f"{number:05}.jpg", Entry(EntryKind.SAMPLE, SampleId(
                    b"%08d%08d%08d%08d" % (name, number, (revision - number) // _SAMPLES, 0)),
                    size=3000))
                for number in range(_SAMPLES)
            ]  # fmt: skip
            return build_tree(entries, writer).hex()

        stream = b"".join(history(versions, tree))
    _git(root, "fast-import", "--quiet", stdin=stream)
    found = _git(root, "ls-tree", "main", "data/").split("\n")
    ids = [line.split()[2] for line in found if line]
    for other in range(1, 21):
        said = json.dumps({"other": ids[other], "energy": other / 10})
        _git(root, "notes", "--ref=veml/similar", "append", "-m", said, ids[0])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="where the history is, or is to be made")
    parser.add_argument("--only", default="", help="questions whose names have this word")
    parser.add_argument("--answers", action="store_true", help="do not read all of it again")
    parser.add_argument("--profile", action="store_true", help="where their time goes")
    told = parser.parse_args()
    with ExitStack() as stack:
        root = told.keep or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "history"
        if not root.exists():
            make(root, told.versions)
        repo = stack.enter_context(Repository(str(root)))
        base = database(repo)
        stack.callback(base.close)
        if not told.answers:
            reading(root, repo)
        synced = sync(repo, base)
        counts = SqliteLineage(base.connection).counts()
        index = SampleIndex(base, repo)
        first = RepositoryLineage(repo, SqliteLineage(base.connection), synced)
        edges = sum(
            count for kind, count in counts.items() if kind in ("parent", "has") or "_" in kind
            or kind in ("contains", "uses")
        )  # fmt: skip
        print(f"{sum(counts.values()) - edges:,} nodes, {edges:,} edges\n")
        if told.only in "impact of a sample":
            with base.changing():
                base.empty_contents()
            print(
                f"first question for a sample: the index is filled in {timed(index.fill)[0]:.1f} s"
            )
        print(f"{'question':<52}{'CPU ms':>9}{'answer':>9}{'ms per 1,000':>14}")
        for one in questions(first):
            if told.only in one.name:

                def ask(one: Question = one) -> object:
                    """Ask as a command does: nothing is remembered from the question before."""
                    fresh = SqliteLineage(base.connection)
                    return one.ask(RepositoryLineage(repo, fresh, synced, index=index))

                print(measured(one, ask, told.profile), flush=True)


def reading(root: Path, repo: Repository) -> None:
    """Print what reading all of it takes, and one new commit."""
    limit, _ = timed(lambda: _git(root, "log", "--raw", "main"))
    print(f"git log --raw over the history   {limit:7.2f} s")
    base = database(repo)
    spent, done = timed(lambda: sync(repo, base, full=True))
    print(
        f"read all of it                   {spent:7.2f} s, {spent / limit:.1f} x git's "
        f"(what git does of it included), {done.commits:,} commits, {done.versions:,} versions"
    )
    best = 9.0
    for number in range(5):
        tree = _git(root, "rev-parse", f"main~{5 + number}^{{tree}}").strip()
        commit = _git(root, "commit-tree", "-p", "main", "-m", "one", tree).strip()
        _git(root, "update-ref", "refs/heads/main", commit)
        best = min(best, timed(lambda: sync(repo, base))[0])
    print(f"one new commit                   {1000 * best:7.1f} ms")
    print(f"nothing new                      {1000 * timed(lambda: sync(repo, base))[0]:7.1f} ms")
    base.close()


def measured(one: Question, ask: Callable[[], object], profile: bool) -> str:
    """Return a line: the best of a few, the first (of which some are long) left out."""
    size = one.size(ask())
    if profile:
        with cProfile.Profile() as watched:
            ask()
        pstats.Stats(watched).sort_stats("cumulative").print_stats(15)
    spent: list[float] = []
    while len(spent) < 5 and sum(spent) < 3:
        spent.append(timed(ask)[0])
    best = 1000 * min(spent)
    each = f"{1000 * best / size:14.1f}" if size >= 1000 else " " * 14
    late = "  *" if best > GOAL_MS else ""
    return f"{one.name:<52}{best:9.1f}{size:9,}{each}{late}"


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU seconds of a call, and what it gave."""
    began = _spent()
    found = call()
    return _spent() - began, found


def _git(root: Path, *arguments: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, check=True, input=stdin, stdout=subprocess.PIPE
    )
    return done.stdout.decode("utf-8", "replace")


def _spent() -> float:
    """Return the CPU seconds of this process and of the git processes that it has ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    main()
