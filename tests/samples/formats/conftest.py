"""What the tests of formats share: data sets as dicts, and the property all formats have."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from veml_vcs.samples.formats import Layout, Parsed, detect, get_format

Files = Mapping[str, bytes]


def _round_trip(files: Files, *, wanted: str | None = None) -> tuple[Layout, Parsed]:
    layout = detect(list(files), files.__getitem__, wanted=wanted)
    chosen = get_format(layout.format)
    first = chosen.read(layout, files.__getitem__)
    written = chosen.write(first.annotations, first.facts)
    assert written.keys() <= files.keys()
    sources = {*layout.shared_sources, *layout.own_source.values()}
    assert written.keys() == sources, "every annotation file is written, and no other"

    again = {**files, **written}
    layout_again = detect(list(again), again.__getitem__, wanted=wanted)
    second = chosen.read(layout_again, again.__getitem__)
    assert layout_again == layout
    assert second.annotations == first.annotations
    assert second.facts == first.facts
    assert chosen.write(second.annotations, second.facts) == written
    for key in list(written)[:3]:
        assert chosen.write(first.annotations, first.facts, only=[key]) == {key: written[key]}
    for key in list(first.annotations)[:3]:
        alone = chosen.read(layout_again, again.__getitem__, only=[key])
        assert dict(alone.annotations) == {key: first.annotations[key]}
    return layout, first


@pytest.fixture(scope="session")
def round_trip() -> Callable[..., tuple[Layout, Parsed]]:
    """Read files, write them, read again; check that nothing changed; return the first reading."""
    return _round_trip


@pytest.fixture(scope="session")
def with_images() -> Callable[..., dict[str, bytes]]:
    """Return files with (empty) images beside them."""

    def build(files: Files, images: Iterable[str]) -> dict[str, bytes]:
        return {**files, **dict.fromkeys(images, b"")}

    return build


@pytest.fixture(scope="session")
def real_files() -> Callable[[str], dict[str, bytes]]:
    """Return the files of one of the real data sets; the archives lie in the folder VEML_DATA."""

    def load(name: str) -> dict[str, bytes]:
        folder = os.environ.get("VEML_DATA")
        archive = Path(folder or "") / f"{name}.tar"
        if folder is None or not archive.exists():
            pytest.skip(f"VEML_DATA has no {name}.tar")
        files: dict[str, bytes] = {}
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and (content := tar.extractfile(member)) is not None:
                    files[member.name.removeprefix("./").partition("/")[2]] = content.read()
        return files

    return load
