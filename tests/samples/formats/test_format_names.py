"""Names in lists and files, and files beside images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.samples.formats.names import Naming, fit
from veml_vcs.samples.formats.pairing import pair


def known(*keys: str) -> dict[str, str]:
    return {key: key for key in keys}


@pytest.mark.parametrize(
    ("names", "keys", "strip", "root"),
    [
        (["a.jpg"], ["a.jpg", "x/a.jpg"], "", ""),
        (["a.jpg", "b.jpg"], ["x/a.jpg", "x/b.jpg", "y/a.jpg"], "", "x/"),
        (["x/a.jpg"], ["deep/x/a.jpg"], "", "deep/"),
        (["/abs/x/a.jpg"], ["x/a.jpg"], "/abs/", ""),
        (["q/a.jpg"], ["x/a.jpg"], "q/", "x/"),
        (["a.jpg"], ["masks/a.jpg", "images/a.jpg"], "", "images/"),
        (["gone.jpg"], ["x/a.jpg"], "", ""),
        ([], ["a.jpg"], "", ""),
    ],
)
def test_the_rule_of_a_file(names, keys, strip, root) -> None:
    naming = fit(names, known(*keys))
    assert (naming.strip, naming.root) == (strip, root)
    assert Naming.from_json(naming.to_json()) == naming


@given(
    name=st.text(st.sampled_from("ab./\\"), max_size=12),
    root=st.sampled_from(["", "images/"]),
)
def test_an_absent_image_never_leaves_the_folder(name, root) -> None:
    key = Naming(root=root).absent_key(name)
    if key is not None:
        parts = key.split("/")
        assert ".." not in parts
        assert "" not in parts
        assert not key.startswith("/")


def test_many_folders_with_the_same_names_take_no_square_time() -> None:
    keys = [f"{folder}/{n}.jpg" for folder in range(1500) for n in range(20)]
    names = [f"seq/{key}" for key in keys]
    naming = fit(names, known(*keys))
    assert (naming.strip, naming.root) == ("seq/", "")


def test_pairs() -> None:
    images = ["images/a.jpg", "images/a.png", "images/s/b.jpg", "masks/a.png"]
    sources = ["labels/a.png.txt", "labels/a.txt", "labels/gone.txt", "labels/s/b.txt"]
    found = pair(images, sources, ".txt", lambda key: True)
    assert found.own_source == {
        "images/a.jpg": "labels/a.txt",
        "images/a.png": "labels/a.png.txt",
        "images/s/b.jpg": "labels/s/b.txt",
        "images/gone.jpg": "labels/gone.txt",
    }
    assert found.pairing.folders == {"images": "labels"}
    assert found.pairing.exceptions == {"images/a.png": "labels/a.png.txt"}
    assert found.pairing.source_of("images/new/x.jpg") == "labels/new/x.txt"


def test_two_rules_do_not_mix() -> None:
    images = ["images/a/1.jpg", "images/b/2.jpg"]
    sources = ["images/b/2.txt", "labels/a/1.txt"]
    found = pair(images, sources, ".txt", lambda key: True)
    assert found.pairing.source_of("images/a/9.jpg") == "labels/a/9.txt"
    assert found.pairing.source_of("images/b/9.jpg") == "images/b/9.txt"


def test_text_that_is_no_label_is_left_alone() -> None:
    images = ["d/a.jpg", "d/b.jpg"]
    sources = ["calib/a.txt", "calib/b.txt", "d/README.txt", "d/a.txt"]
    found = pair(images, sources, ".txt", lambda key: key == "d/a.txt")
    assert found.own_source == {"d/a.jpg": "d/a.txt"}
