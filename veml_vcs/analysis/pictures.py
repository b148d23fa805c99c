"""Pictures for people: a sample with its annotation drawn, and statistics as charts.

Pillow draws them (extra ``plot``): boxes on photos are what it is for, and a few bar charts do not
need a plotting library. Nothing here is exact or meant to be read back.
"""

from __future__ import annotations

import colorsys
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veml_vcs.analysis.drawing import Color, drawing, font, pillow, plain, save
from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.samples.annotations import box_of, image_size
from veml_vcs.samples.annotations.shapes import polygons_of
from veml_vcs.samples.facts import Annotation

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    from veml_vcs.repository.data.spread import Spread
    from veml_vcs.repository.data.statistics import Statistics

MAX_PIXELS = 1 << 28
_LEAST_SIDE = 512
_LARGEST_SIDE = 2048
_PANEL_WIDTH, _ROW, _TOP = 560, 18, 44
_MOST_BARS = 14
_GREY, _BLUE, _BLACK = (150, 150, 150), (70, 130, 180), (30, 30, 30)


def draw_sample(data: bytes | None, said: Annotation | None, key: str, target: str) -> None:
    """Write a picture of a sample with its boxes, polygons and keypoints.

    Args:
        data: The image's bytes.
        said: What is said of it.
        key: Its key, for messages.
        target: The file to write; its extension says which kind.

    Raises:
        NotFoundError: The image is not in the data set, only its annotation is.
        FormatError: The bytes are no image that can be decoded.
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
        StorageError: The target cannot be written.
    """
    if data is None:
        raise NotFoundError(f"{key}: only its annotation is in the data set, there is no image")
    picture = annotated(data, said, key)
    save(picture, target)


def annotated(
    data: bytes,
    said: Annotation | None,
    key: str,
    colors: Mapping[str, Color] | None = None,
    within: tuple[int, int] | None = None,
) -> Image:
    """Return a sample's image with its annotation drawn, small images enlarged.

    Args:
        data: The image's bytes.
        said: What is said of it.
        key: Its key, for messages.
        colors: Class -> colour; None gives each class of this sample one.
        within: Width and height in pixels to fill, so that lines and names are drawn at that size;
            None keeps large images as they are.

    Raises:
        FormatError: The bytes are no image that can be decoded.
        MissingDependencyError: Pillow is not installed.
    """
    image = _decoded(data, key)
    width, height = image_size(said)
    across, down = (width or image.width), (height or image.height)
    factor = max(1, -(-_LEAST_SIDE // max(image.width, image.height)))
    if within is not None:
        share = min(within[0] / image.width, within[1] / image.height)
        size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
        image = image.resize(size, 0 if share > 1 else 1)
    elif factor > 1:
        image = image.resize((image.width * factor, image.height * factor), 0)
    if max(image.size) > _LARGEST_SIDE:
        image.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    scale = (image.width / across, image.height / down)
    draw = drawing(image)
    objects = [] if said is None else said.get("objects", [])
    colors = colors or class_colors({str(obj.get("class")) for obj in objects})
    for obj in objects:
        _draw_object(draw, obj, (across, down), scale, colors[str(obj.get("class"))])
    labels = [] if said is None else said.get("labels", [])
    if labels:
        _label(draw, (4, 4), ", ".join(map(str, labels)), _BLUE)
    return image


def class_colors(names: set[str]) -> dict[str, Color]:
    """Return a colour for each class, as different as can be, the same in every picture."""
    colors = {}
    for place, name in enumerate(sorted(names)):
        red, green, blue = colorsys.hsv_to_rgb(place * 0.618034 % 1, 0.85, 0.95)
        colors[name] = (int(255 * red), int(255 * green), int(255 * blue))
    return colors


def draw_statistics(found: Statistics, target: str) -> None:
    """Write statistics as charts: classes, splits, objects a sample, sizes.

    Raises:
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
        StorageError: The target cannot be written.
    """
    charts: list[tuple[str, Sequence[tuple[str, float]]]] = []
    if found.classes:
        ranked = sorted(found.classes, key=lambda one: -(one.objects or one.samples))
        title = "objects by class" if found.objects else "samples by class"
        charts.append((title, [(one.name, one.objects or one.samples) for one in ranked]))
        sizes = [("< 32 x 32", sum(one.small for one in found.classes)),
                 ("< 96 x 96", sum(one.medium for one in found.classes)),
                 ("larger", sum(one.large for one in found.classes))]  # fmt: skip
        if any(count for _, count in sizes):
            charts.append(("boxes by size (pixels)", sizes))
    if found.splits:
        charts.append(("samples by split", [(n or "(none)", c) for n, c in found.splits.items()]))
    if found.image_sizes:
        charts.append(("samples by image size", list(found.image_sizes.items())))
    for title, one in (
        ("samples by number of objects", found.objects_per_sample),
        ("boxes by side, root of area (pixels)", found.box_area),
        ("samples by size (bytes)", found.sample_bytes),
    ):
        if one is not None:
            charts.append((title, _bins(one)))
    image_module = pillow()
    columns = 2 if len(charts) > 1 else 1
    rows = [charts[start : start + columns] for start in range(0, len(charts), columns)]
    heights = [max(_height(values) for _, values in row) for row in rows]
    size = (columns * _PANEL_WIDTH, sum(heights) + _TOP)
    picture: Image = image_module.new("RGB", size, "white")
    draw = drawing(picture)
    where = found.path if found.revision is None else f"{found.revision}:{found.path}"
    title = f"{where}: {found.samples:,} samples, {found.objects:,} objects"
    draw.text((16, 12), plain(title), _BLACK, font(18))
    top = _TOP
    for row, height in zip(rows, heights, strict=True):
        for place, (name, values) in enumerate(row):
            _chart(draw, place * _PANEL_WIDTH, top, name, values)
        top += height
    save(picture, target)


def _bins(one: Spread) -> list[tuple[str, float]]:
    return [
        (f"{low:,.0f} - {high:,.0f}", count)
        for low, high, count in zip(one.edges, one.edges[1:], one.counts, strict=False)
    ]


def _height(values: Sequence[object]) -> int:
    """Return the height in pixels of a chart of so many bars."""
    return 56 + _ROW * min(len(values), _MOST_BARS + 1)


def _chart(
    draw: ImageDraw, left: int, top: int, title: str, values: Sequence[tuple[str, float]]
) -> None:
    draw.text((left + 16, top + 8), title, _BLACK, font(14))
    shown = list(values[:_MOST_BARS])
    most = max((value for _, value in shown), default=0) or 1
    for place, (name, value) in enumerate(shown):
        y = top + 32 + place * _ROW
        draw.text((left + 16, y), plain(name)[:24], _BLACK, font(11))
        length = int((_PANEL_WIDTH - 270) * value / most)
        if value:
            draw.rectangle((left + 170, y + 2, left + 170 + max(1, length), y + 13), _BLUE)
        draw.text((left + 178 + length, y), f"{value:,.0f}", _GREY, font(11))
    if len(values) > len(shown):
        y = top + 32 + len(shown) * _ROW
        draw.text((left + 16, y - 4), f"and {len(values) - len(shown)} more", _GREY, font(11))


def _draw_object(
    draw: ImageDraw,
    obj: Mapping[str, Any],
    size: tuple[float, float],
    scale: tuple[float, float],
    color: Color,
) -> None:
    for points in polygons_of(obj, *size):
        pairs = zip(points[::2], points[1::2], strict=True)
        scaled = [(x * scale[0], y * scale[1]) for x, y in pairs]
        draw.line([*scaled, scaled[0]], color, 2)
    for x, y in _keypoints(obj, size):
        x, y = x * scale[0], y * scale[1]
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), color)
    box = box_of(obj, *size)
    if box is not None:
        x1, y1, x2, y2 = (value * scale[i % 2] for i, value in enumerate(box))
        draw.rectangle((x1, y1, x2, y2), None, color, 2)
        _label(draw, (x1, max(0.0, y1 - 14)), str(obj.get("class", "")), color)


def _keypoints(obj: Mapping[str, Any], size: tuple[float, float]) -> list[tuple[float, float]]:
    """Return COCO's keypoints that are labelled: x, y, visibility."""
    values = obj.get("keypoints")
    if not isinstance(values, list) or len(values) % 3:
        return []
    triples = zip(values[::3], values[1::3], values[2::3], strict=True)
    return [(x, y) for x, y, visible in triples if visible]


def _label(draw: ImageDraw, place: tuple[float, float], text: str, color: Color) -> None:
    if not text:
        return
    face = font(11)
    text = plain(text)
    x1, y1, x2, y2 = draw.textbbox(place, text, face)
    draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), color)
    draw.text(place, text, (0, 0, 0), face)


def _decoded(data: bytes, key: str) -> Image:
    module = pillow()
    try:
        with module.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise FormatError(f"{key}: {image.width} x {image.height} pixels are too many")
            decoded: Image = image.convert("RGB")
            return decoded
    except (module.UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{key}: cannot be decoded as an image: {error}") from error
