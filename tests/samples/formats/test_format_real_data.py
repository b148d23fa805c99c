"""The property of all formats, on real data sets (VEML_DATA, a folder of archives)."""

from __future__ import annotations

import struct

import pytest

from veml_vcs.samples.formats import FORMATS, convert, detect, get_format

pytestmark = pytest.mark.data

SETS = {
    "bccd": ("voc", 364, 4888, 3),
    "camvid_day_0016E5": ("coco", 130, 970, 4),
    "camvid_day_Seq05VD": ("coco", 85, 482, 4),
    "camvid_dusk_0001TP": ("coco", 110, 795, 4),
    "carla_town01": ("voc", 140, 247, 5),
    "carla_town03": ("voc", 160, 903, 5),
    "carla_town05": ("voc", 160, 1359, 5),
    "raccoon": ("voc", 200, 217, 1),
    "kitti75": ("kitti", 75, 499, 9),
    "vehicles_openimages": ("yolo", 340, None, 5),
    "mnist": ("folders", 2500, 0, 10),
    "cifar10": ("folders", 2500, 0, 10),
    "fashion_mnist": ("folders", 2500, 0, 10),
}


@pytest.mark.parametrize("name", SETS)
def test_read_and_written(real_files, round_trip, name) -> None:
    layout, parsed = round_trip(real_files(name))
    format_name, samples, boxes, classes = SETS[name]
    assert layout.format == format_name
    assert len(layout.samples) == samples
    assert len(parsed.facts.classes) == classes
    found = sum(len(annotation.get("objects", ())) for annotation in parsed.annotations.values())
    assert boxes in (None, found)
    assert parsed.warnings == ()


@pytest.mark.parametrize(
    "name", ["kitti75", "camvid_day_Seq05VD", "raccoon", "vehicles_openimages"]
)
@pytest.mark.parametrize(
    "target", [one.name for one in FORMATS if one.name not in ("tables", "zarr")]
)
def test_converted(real_files, name, target) -> None:
    files = real_files(name)
    layout = detect(list(files), files.__getitem__)
    if layout.format == target:
        pytest.skip("already is")
    parsed = get_format(layout.format).read(layout, files.__getitem__)
    sizes = {key: jpeg_size(files[key]) for key in layout.samples}
    result = convert(parsed.annotations, parsed.facts, target, sizes)
    written = get_format(target).write(result.annotations, result.facts)
    there = {**dict.fromkeys(result.renamed.values(), b""), **written}
    layout_there = detect(list(there), there.__getitem__, wanted=target)
    again = get_format(target).read(layout_there, there.__getitem__)
    assert dict(again.annotations) == dict(result.annotations)
    assert again.facts == result.facts
    assert again.warnings == ()


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height from a JPEG's frame header."""
    position = 2
    while True:
        marker, length = struct.unpack(">HH", data[position : position + 4])
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + length
