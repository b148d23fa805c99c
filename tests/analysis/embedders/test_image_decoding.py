from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from veml_vcs.analysis.embedders.images import MAX_PIXELS, decode_square, quiet_pillow
from veml_vcs.errors import FormatError

pytestmark = pytest.mark.ml
Image = pytest.importorskip("PIL.Image", reason="needs Pillow (extra [ml])")

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(width: int = 40, height: int = 30) -> Any:
    ramp = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype("u1")
    return Image.fromarray(ramp)


def colour(payload: bytes) -> tuple[int, ...]:
    square = decode_square(payload, 8)
    assert square.shape == (8, 8, 3)
    assert square.dtype == np.uint8
    assert (square == square[0, 0]).all()
    return tuple(square[0, 0].tolist())


def palette() -> Any:
    image = Image.new("P", (9, 9), 1)
    image.putpalette([0, 0, 0, *RED])
    return image


PLAIN: dict[str, Callable[[], bytes]] = {
    "rgb": lambda: encoded(Image.new("RGB", (9, 9), RED)),
    "palette": lambda: encoded(palette()),
    "opaque alpha": lambda: encoded(Image.new("RGBA", (9, 9), (*RED, 255))),
    "cmyk tiff": lambda: encoded(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "TIFF"),
    "gif": lambda: encoded(palette(), "GIF"),
    "bmp": lambda: encoded(Image.new("RGB", (9, 9), RED), "BMP"),
    "webp": lambda: encoded(Image.new("RGB", (9, 9), RED), "WEBP", lossless=True),
    "one pixel": lambda: encoded(Image.new("RGB", (1, 1), RED)),
    "very wide": lambda: encoded(Image.new("RGB", (5000, 1), RED)),
    "animation": lambda: encoded(
        Image.new("RGB", (9, 9), RED),
        "GIF",
        save_all=True,
        append_images=[Image.new("RGB", (9, 9), (0, 0, 255))],
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_red_image_is_red(name: str) -> None:
    assert colour(PLAIN[name]()) == RED


def test_cmyk_jpeg_is_not_inverted() -> None:
    red = colour(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100))
    assert red[0] > 230
    assert max(red[1:]) < 30


@pytest.mark.parametrize(
    ("mode", "value"),
    [("RGBA", (*RED, 0)), ("LA", (0, 0))],
)
def test_what_is_transparent_is_white_whatever_colour_hides_there(mode: str, value: Any) -> None:
    assert colour(encoded(Image.new(mode, (9, 9), value))) == WHITE


def test_transparent_palette_entry_is_white() -> None:
    assert colour(encoded(palette(), transparency=1)) == WHITE


def test_grey_and_bilevel() -> None:
    assert colour(encoded(Image.new("L", (9, 9), 77))) == (77, 77, 77)
    assert colour(encoded(Image.new("1", (9, 9), 1))) == WHITE


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = Image.fromarray(np.full((9, 9), 77 * 256 + 200, dtype="u2"))
    for kind in ("PNG", "TIFF"):
        assert colour(encoded(deep, kind)) == (77, 77, 77)
    big_endian = b"P5 9 9 65535\n" + struct.pack(">H", 77 * 256) * 81
    assert colour(big_endian) == (77, 77, 77)
    fractions = np.full((9, 9), 0.5, dtype="f4")
    fractions[0] = np.nan
    assert decode_square(encoded(Image.fromarray(fractions), "TIFF"), 9)[5, 5].tolist() == [127] * 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_exif_orientation_is_what_is_seen() -> None:
    image = picture(30, 30)
    upright = decode_square(encoded(image), 30)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        square = decode_square(encoded(image, exif=exif.tobytes()), 30)
        turned = {
            1: upright,
            2: upright[:, ::-1],
            3: upright[::-1, ::-1],
            4: upright[::-1],
            5: upright.swapaxes(0, 1),
            6: np.rot90(upright, -1),
            7: np.rot90(upright, 2).swapaxes(0, 1),
            8: np.rot90(upright),
        }[orientation]
        assert (square == turned).all(), orientation
    broken = encoded(image, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert (decode_square(broken, 30) == upright).all()


def test_a_large_jpeg_decoded_at_a_fraction_looks_the_same() -> None:
    image = picture(800, 600)
    whole = np.asarray(image.resize((24, 24), Image.Resampling.BILINEAR)).astype(int)
    square = decode_square(encoded(image, "JPEG", quality=98), 24).astype(int)
    assert np.abs(square - whole).max() <= 6


def test_not_images() -> None:
    sound = encoded(picture())
    for payload, message in (
        (b"", "it is empty"),
        (b"hello", "unknown format"),
        (sound[: len(sound) // 2], "cannot be decoded"),
        (encoded(picture(), "JPEG")[:300], "cannot be decoded"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unknown format"),
    ):
        with pytest.raises(FormatError, match=message):
            decode_square(payload, 8)


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims to be large and holds nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_bombs_are_refused(side: int) -> None:
    assert side**2 > MAX_PIXELS
    with pytest.raises(FormatError, match="pixels") as caught:
        decode_square(bomb(side, side), 8)
    assert caught.value.kind == "image-too-large"


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "JPEG2000", "AVIF", "TGA"]
)
def test_damage_gives_an_image_or_a_format_error(kind: str) -> None:
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"Pillow was built without {kind}")
    random = np.random.default_rng(7)
    sound = encoded(picture(), kind)
    for _ in range(150):
        damaged = bytearray(sound)
        for position in random.integers(0, min(len(sound), 400), random.integers(1, 6)):
            damaged[position] = random.integers(256)
        try:
            with quiet_pillow():
                assert decode_square(bytes(damaged), 8).shape == (8, 8, 3)
        except FormatError:
            continue
