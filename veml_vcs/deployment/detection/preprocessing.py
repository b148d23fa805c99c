"""What happens to an image before a detector sees it, read from the config that was trained.

Pure: nothing is imported. ``image`` does in tensors what is said here; whatever it could not do
exactly is refused here, rather than left to whoever runs the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.training.adapt import LOADER

_IGNORED = ("LoadAnnotations", "PackDetInputs", LOADER)
_LOAD = frozenset({"type", "to_float32", "color_type"})
_RESIZE = frozenset(
    {"type", "scale", "keep_ratio", "interpolation", "backend", "clip_object_border"}
)
_PAD = frozenset({"type", "size", "size_divisor", "pad_to_square", "pad_val", "padding_mode"})


@dataclass(frozen=True)
class Padding:
    """Pixels that are added to the right and below.

    Attributes:
        size: Width and height after it; None: as ``divisor`` says.
        divisor: Width and height become multiples of it.
        value: What is put there: of the image before scaling of values (blue first), or after it.
    """

    size: tuple[int, int] | None = None
    divisor: int = 1
    value: tuple[float, ...] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Preprocessing:
    """What a detector does to an image, in this order.

    Attributes:
        scale: Width and height to resize to (OpenCV's bilinear, to its bit); None: as it is.
        keep_ratio: Whether ``scale`` is a frame that the image has to fit in (the longer of the two
            numbers is for the longer side, as in MMCV).
        pad_pixels: Of the pixels.
        blue_first: Whether the network takes blue first.
        mean: Is subtracted, channel by channel, in the network's order.
        std: Is divided by.
        pad_values: Of what then is there.
    """

    scale: tuple[int, int] | None = None
    keep_ratio: bool = True
    pad_pixels: Padding = field(default_factory=Padding)
    blue_first: bool = False
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    pad_values: Padding = field(default_factory=Padding)

    def told(self) -> str:
        """Return it in a sentence, for people who run the file."""
        parts = []
        if self.scale is not None:
            how = "to fit into" if self.keep_ratio else "to"
            parts.append(f"resized {how} {self.scale[0]}x{self.scale[1]} (bilinear)")
        if self.pad_pixels != Padding():
            parts.append(_told(self.pad_pixels))
        if self.mean != (0.0, 0.0, 0.0) or self.std != (1.0, 1.0, 1.0):
            parts.append(f"less {_numbers(self.mean)}, divided by {_numbers(self.std)}")
        if self.pad_values.divisor > 1:
            parts.append(_told(self.pad_values))
        return "; ".join(parts) or "nothing"


def _told(padding: Padding) -> str:
    if padding.size is not None:
        return f"padded to {padding.size[0]}x{padding.size[1]}"
    return f"padded to multiples of {padding.divisor}"


def _numbers(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{one:g}" for one in values) + ")"


def preprocessing_of(config: Mapping[str, Any]) -> Preprocessing:
    """Read what is done to an image that is predicted on.

    Args:
        config: The config that was trained, nested and plain, as a training record has it.

    Raises:
        FormatError: A step of the pipeline cannot be put into a file.
    """
    dataset = config.get("val_dataloader", {}).get("dataset", {})
    pipeline = dataset.get("pipeline")
    if not isinstance(pipeline, list):
        raise FormatError(
            "the training's config does not say how images are prepared: it has no "
            "val_dataloader.dataset.pipeline",
            kind="cannot-export",
        )
    scale: tuple[int, int] | None = None
    keep_ratio, padding = True, Padding()
    for step in pipeline:
        kind = str(step.get("type")).rpartition(".")[2] if isinstance(step, dict) else str(step)
        if kind == "Resize" and scale is None and padding == Padding():
            scale, keep_ratio = _resize(step)
        elif kind == "Pad" and padding == Padding():
            padding = _pad(step)
        elif kind == LOADER:
            _only(step, _LOAD, "LoadImageFromFile")
            if step.get("color_type", "color") != "color":
                raise _refused(f"LoadImageFromFile with color_type {step['color_type']!r}")
        elif kind not in _IGNORED:
            raise _refused(f"{kind!r:.80}")
    blue_first, mean, std, after = _preprocessor(config)
    return Preprocessing(scale, keep_ratio, padding, blue_first, mean, std, after)


def _refused(what: str) -> FormatError:
    return FormatError(
        f"the training prepares images by {what}, which cannot be put into an exported file",
        hint="what can: LoadImageFromFile, Resize (bilinear), Pad to a size or a multiple, "
        "and what data_preprocessor does",
        kind="cannot-export",
    )


def _only(step: Mapping[str, Any], known: frozenset[str], name: str) -> None:
    unknown = sorted(step.keys() - known)
    if unknown:
        raise _refused(f"{name} with {unknown[0]}")


def _resize(step: Mapping[str, Any]) -> tuple[tuple[int, int], bool]:
    _only(step, _RESIZE, "Resize")
    scale = step.get("scale")
    if isinstance(scale, int):
        scale = [scale, scale]
    whole = isinstance(scale, list) and len(scale) == 2
    if not whole or not all(type(one) is int and one > 0 for one in scale or ()):
        raise _refused(f"Resize to {scale!r:.60}")
    if step.get("interpolation", "bilinear") != "bilinear" or step.get("backend") not in (
        None, "cv2",
    ):  # fmt: skip
        raise _refused("Resize that is not bilinear")
    assert scale is not None
    return (scale[0], scale[1]), bool(step.get("keep_ratio", False))


def _pad(step: Mapping[str, Any]) -> Padding:
    _only(step, _PAD, "Pad")
    if step.get("pad_to_square") or step.get("padding_mode", "constant") != "constant":
        raise _refused("Pad to a square, or by something else than a constant")
    value = step.get("pad_val", 0)
    if isinstance(value, dict):
        value = value.get("img", 0)
    values = value if isinstance(value, list) else [value] * 3
    size = step.get("size")
    if size is not None:
        return Padding((int(size[0]), int(size[1])), 1, tuple(map(float, values)))
    return Padding(None, int(step.get("size_divisor") or 1), tuple(map(float, values)))


def _preprocessor(
    config: Mapping[str, Any],
) -> tuple[bool, tuple[float, ...], tuple[float, ...], Padding]:
    model = config.get("model", {})
    said = model.get("data_preprocessor") or config.get("data_preprocessor") or {}
    kind = str(said.get("type", "DetDataPreprocessor")).rpartition(".")[2]
    if kind != "DetDataPreprocessor":
        raise _refused(f"the data_preprocessor {kind!r:.80}")
    mean, std = said.get("mean"), said.get("std")
    swapped = bool(said.get("bgr_to_rgb") or said.get("rgb_to_bgr"))
    value = float(said.get("pad_value", 0))
    padding = Padding(None, int(said.get("pad_size_divisor", 1)), (value, value, value))
    if mean is None or std is None:
        return not swapped, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), padding
    return not swapped, _channels(mean), _channels(std), padding


def _channels(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) not in (1, 3):
        raise _refused(f"a mean or deviation of {values!r:.60}")
    return tuple(float(one) for one in (values * 3 if len(values) == 1 else values))
