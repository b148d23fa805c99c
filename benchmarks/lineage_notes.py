"""CPU time that the lineage takes for one more note: ``python -m benchmarks.lineage_notes``.

Drift and likeness are Git notes on data versions. Here so many have one already; beside it what
``git notes list`` takes in the same run, which reads what lists them and no note.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

from benchmarks.lineage import _git, timed
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository

_REF = "refs/notes/veml/drift"
_TIMES = 5


def make(root: Path, count: int) -> None:
    """Set notes on so many versions, in a folder for each two digits, as git has many."""
    trees: dict[str, list[str]] = {}
    for number in range(count):
        one, other = (hashlib.sha1(f"{n}".encode()).hexdigest() for n in (number, number + 1))
        said = json.dumps({"train": other, "verdict": "drift", "report": {"effect": number / 8}})
        blob = _git(root, "hash-object", "-w", "--stdin", stdin=said.encode()).strip()
        trees.setdefault(one[:2], []).append(f"100644 blob {blob}\t{one[2:]}\n")
    rows = [
        f"040000 tree {_git(root, 'mktree', stdin=''.join(some).encode()).strip()}\t{folder}\n"
        for folder, some in trees.items()
    ]
    tree = _git(root, "mktree", stdin="".join(rows).encode()).strip()
    _git(root, "update-ref", _REF, _git(root, "commit-tree", "-m", "notes", tree).strip())


def main() -> None:
    """Print two lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=2000)
    count = parser.parse_args().notes
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _git(root, "init", "-q", "-b", "main")
        for number in range(_TIMES):
            _git(root, "commit", "-q", "--allow-empty", "-m", f"{number}")
        make(root, count)
        with Repository(str(root)) as repo, database(repo) as base:
            first, _ = timed(lambda: sync(repo, base))
            limit, _ = timed(lambda: _git(root, "notes", f"--ref={_REF}", "list"))
            best = 9.0
            for number in range(_TIMES):
                said = json.dumps({"train": "ab" * 20, "verdict": "none", "report": {"n": number}})
                _git(root, "notes", f"--ref={_REF}", "add", "-m", said, f"main~{number}")
                best = min(best, timed(lambda: sync(repo, base))[0])
    print(f"git notes list, {count:,} notes       {1000 * limit:7.1f} ms")
    print(f"read all of them, once            {1000 * first:7.1f} ms")
    print(f"one more note                     {1000 * best:7.1f} ms, {best / limit:.1f} x git's")


if __name__ == "__main__":
    main()
