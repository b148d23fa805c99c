"""Odd names: whatever a POSIX file can be called goes in, through history, and comes out."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repository.kit import Files, Project, dump, examples, images, png
from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.restore import restore
from veml_vcs.repository.rm import rm

ODD = (
    "with space.png",
    "-dash.png",
    "--format=coco.png",
    "new\nline.png",
    "tab\t.png",
    "quote'\".png",
    "back\\slash.png",
    "*?[star].png",
    "#hash.png",
    "!bang.png",
    "ümläut.png",
    "u\u0308mlaut.png",
    "日本.png",
    "😀.png",
    os.fsdecode(b"latin\xe9.png"),
    "trailing .png ",
    "...png",
    "$HOME `x`.png",
    "a%0Ab.png",
    "colon:at@.png",
    "~tilde.png",
    "deep/-x/ /\n/é.png",
)


def odd_files() -> Files:
    return {name: png(i) for i, name in enumerate(ODD)}


def test_samples_with_odd_names(project: Project) -> None:
    project.write(odd_files() | {"plain.png": png(900)}, "data")
    project.save("data")
    project.assert_clean()
    project.git("branch", "odd")
    project.replace({"plain.png": png(901)}, "data")
    project.save("data")
    project.checkout("odd")
    assert project.files("data") == odd_files() | {"plain.png": png(900)}
    project.assert_clean()
    images = {name for name in ODD if name.endswith(".png")}
    assert set(project.repo.dataset("data").keys) >= images


@pytest.mark.parametrize("name", ODD[:-1])
def test_a_data_set_with_an_odd_name(project: Project, name: str) -> None:
    folder = name  # a folder may be called like a file
    project.write(images(2), f"sets/{folder}")
    project.save(f"sets/{folder}")
    project.assert_clean()
    project.write({"0000.png": png(7)}, f"sets/{folder}")
    assert list(project.status().changed_data) == [f"sets/{folder}"]
    project.save(f"sets/{folder}")
    project.checkout("HEAD~1")
    assert project.files(f"sets/{folder}") == images(2)
    project.assert_clean()


@pytest.mark.parametrize("name", ODD)
def test_one_sample_is_restored_and_removed_by_its_odd_name(project: Project, name: str) -> None:
    project.write({name: png(1), "keep.png": png(2)}, "data")
    project.save("data")
    project.write({name: png(3), "keep.png": png(4)}, "data")
    restore(project.repo, [str(project.path("data") / name)])
    assert project.files("data") == {name: png(1), "keep.png": png(4)}
    rm(project.repo, [str(project.path("data") / name)])
    assert project.files("data") == {"keep.png": png(4)}


def test_two_names_that_look_alike_are_two(project: Project) -> None:
    names = {"\u00e9.png": png(1), "e\u0301.png": png(2)}
    project.write(names, "data")
    project.save("data")
    project.remove("data/\u00e9.png")
    project.checkout("main", force=True)
    assert project.files("data") == names


def test_odd_names_in_a_coco_file(project: Project) -> None:
    names = [name for name in ODD if name.endswith(".png") and name.isprintable()]
    document = {
        "images": [
            {"id": i, "file_name": name, "width": 4, "height": 4} for i, name in enumerate(names)
        ],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 1, 1]}
            for i in range(len(names))
        ],
        "categories": [{"id": 1, "name": "quote'\" é\n"}],
    }
    files = {name: png(i) for i, name in enumerate(names)}
    project.write(files | {"annotations.json": dump(document)}, "data")
    added = project.add("data").datasets[0].record
    assert (added.samples, added.objects) == (len(names), len(names))
    project.commit("odd")
    project.assert_clean()


def test_a_git_folder_inside_a_data_set_is_refused(project: Project) -> None:
    project.write(images(1) | {".git/config": b"[core]\n"}, "data")
    with pytest.raises(InvalidInputError, match="Git repository inside"):
        project.add("data")


def test_a_link_inside_a_data_set_is_refused(project: Project) -> None:
    project.write(images(1), "data")
    os.symlink("0000.png", project.path("data/link.png"))
    with pytest.raises(InvalidInputError, match="symbolic link"):
        project.add("data")


HIDDEN = (os.fsencode("\u200c")[:2], os.fsencode("\ufeff")[:2])
"""How the characters begin that HFS+ leaves out of names; a name may hide ``.git`` with them."""


def usable(raw: bytes) -> bool:
    """Tell whether a file in a data set may be called so."""
    return not (
        any(one in raw for one in (b"/", b"\0", *HIDDEN))
        or raw.lower() in (b".", b"..", b".git")
        or raw.startswith(b".veml-tmp-")
    )


part = st.binary(min_size=1, max_size=12).filter(usable)


@examples(6)
@given(names=st.lists(part, min_size=1, max_size=5, unique=True))
def test_any_bytes_are_a_name(names: list[bytes]) -> None:
    import tempfile
    from pathlib import Path

    files = {os.fsdecode(name): png(i) for i, name in enumerate(names)}
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder, "p"))
        try:
            project.write(files, "data")
            project.add("data", format="files")
            project.commit("odd")
            project.assert_clean()
            project.remove("data")
            project.checkout("main", force=True)
            assert project.files("data") == files
            project.assert_clean()
        finally:
            project.close()
