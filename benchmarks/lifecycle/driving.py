"""The driving sets of the experiments: unpacked, cut down to one class, tracked and committed.

Cars (CamVid) and vehicles (CARLA) become one class, so that a detector of one set can be measured
on every other. Boxes below half a percent of the image are dropped: at 160 pixels nobody sees them.
CamVid's boxes are derived from masks, where touching cars are one: relative numbers alone.
"""

from __future__ import annotations

import contextlib
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence

from veml_cli.main import main as veml
from veml_vcs.repository.repository import Repository
from veml_vcs.training.plan import Request
from veml_vcs.training.train import Trained, train
from veml_vcs.training.watch import Quiet

SETS = {
    "day": ("camvid_day_0016E5", "car", 900),
    "day2": ("camvid_day_Seq05VD", "car", 900),
    "dusk": ("camvid_dusk_0001TP", "car", 900),
    "town01": ("carla_town01", "vehicle", 1200),
    "town03": ("carla_town03", "vehicle", 1200),
    "town05": ("carla_town05", "vehicle", 1200),
}
"""Name -> archive, class, the least area of a box in square pixels."""

SETTINGS = ("train_cfg.val_interval=10000",)


@contextlib.contextmanager
def driving(names: Sequence[str]) -> Iterator[Repository]:
    """Make a repository with the named sets and the small detector; yield it, opened."""
    folder = os.environ.get("VEML_DATA", "")
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="veml-driving-") as root:
        os.chdir(root)
        try:
            _run("init")
            for name in names:
                _add(folder, name)
            _run("model", "template", "faster-rcnn-small", "configs/small.py")
            _run("model", "add", "-q", "configs/small.py")
            _run("commit", "-qm", "driving sets")
            with Repository(".") as repo:
                yield repo
        finally:
            os.chdir(before)


def there(names: Sequence[str]) -> list[str]:
    """Return those sets whose archives are in VEML_DATA; say which are not."""
    folder = os.environ.get("VEML_DATA", "")
    found = [one for one in names if os.path.exists(_archive(folder, one))]
    for one in set(names) - set(found):
        print(f"left out: {one} ({_archive(folder, one)} is not there)")
    return found


def learn(repo: Repository, data: str, name: str, iterations: int, seed: int) -> Trained:
    """Train the small detector on a set, and commit the training."""
    request = Request(
        data=data, model="small", name=name, iterations=iterations, settings=SETTINGS, seed=seed
    )
    done = train(repo, request, Quiet())
    assert done is not None
    _run("commit", "-qam", name)
    return done


def commit(message: str) -> None:
    """Commit what is staged."""
    _run("commit", "-qam", message)


def _archive(folder: str, name: str) -> str:
    return os.path.join(folder, f"{SETS[name][0]}.tar")


def _add(folder: str, name: str) -> None:
    top, kind, area = SETS[name]
    with tarfile.open(_archive(folder, name)) as archive:
        members = [one for one in archive.getmembers() if "/masks/" not in one.name]
        archive.extractall(".", members, filter="data")
    os.rename(top, name)
    _run("add", "-q", name)
    _run("data", "filter", name, "-q", "--class", kind, "--min-area", str(area), "--drop-others")
    if kind != "car":
        _run("data", "update", name, "-q", "--rename-class", f"{kind}=car")


def _run(*words: str) -> None:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        code = veml(list(words))
    if code:
        raise SystemExit(f"veml {' '.join(words)}: ended with {code}")
