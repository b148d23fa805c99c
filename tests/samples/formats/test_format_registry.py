from __future__ import annotations

import pytest

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.samples.formats import FORMATS, detect, get_format
from veml_vcs.samples.formats.keys import is_image


def test_formats_by_name() -> None:
    names = [candidate.name for candidate in FORMATS]
    assert names == ["coco", "voc", "yolo", "kitti", "folders", "zarr", "tables", "files"]
    assert [get_format(name) for name in names] == list(FORMATS)
    with pytest.raises(NotFoundError, match="expected one of coco, voc"):
        get_format("tfrecord")


def test_a_forced_format_says_what_it_needs_and_what_all_others_say() -> None:
    files = {"cat/1.jpg": b"", "dog/1.jpg": b"", "x.json": b"{}"}
    with pytest.raises(FormatError) as caught:
        detect(list(files), files.__getitem__, wanted="coco")
    message = str(caught.value)
    assert message.startswith("not a data set in the format coco: no .json file has a list")
    assert "it needs a JSON file with a list 'images'" in message
    assert "voc: no .xml file" in message
    assert "folders: fits, 2 samples" in message
    assert detect(list(files), files.__getitem__, wanted="files").format == "files"


@pytest.mark.parametrize("candidate", FORMATS[:-1], ids=lambda c: c.name)
def test_nothing_is_no_data_set(candidate) -> None:
    files = {"notes.md": b"", "x.json": b"[1", "y.xml": b"<a/>", "z.txt": b"1", "w.yaml": b"{"}
    assert candidate.detect(sorted(files), files.__getitem__) is None
    with pytest.raises(FormatError):
        detect(list(files), files.__getitem__, wanted=candidate.name)


def test_images_by_their_names() -> None:
    for key in ("a.jpg", "b/a.JPEG", "ü.webp", "a.b.png", ".hidden.tif", "x.jp2", "x.pgm"):
        assert is_image(key)
    for key in (".jpg", "b/.png", "a.jpg/x", "ajpg", "a.jpg.txt", "", "a.svg"):
        assert not is_image(key)


def test_captions_and_other_text_beside_images_are_no_labels() -> None:
    files = {"x/1.jpg": b"", "x/1.txt": b"a cat on a mat, early morning light"}
    assert detect(list(files), files.__getitem__).format == "files"
    numbers = {"x/1.jpg": b"", "x/1.txt": b"12.5"}
    assert detect(list(numbers), numbers.__getitem__).format == "files"
