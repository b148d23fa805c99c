"""Windows of a series: what is seen, what follows, and that nothing held back is trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.series import Series
from veml_vcs.training.forecasting.parts import WindowSettings, forecast_parts
from veml_vcs.training.forecasting.windows import (
    make_windows,
    scale_of,
    split_by_time,
    without,
)


def series(values: np.ndarray, features: tuple[str, ...] | None = None) -> Series:
    sensors = tuple(map(str, range(values.shape[1])))
    return Series(values, None, sensors, None, features, ("values.csv",), None)


def counted(steps: int, sensors: int = 2) -> np.ndarray:
    """A series in which each value says its step and sensor."""
    return (np.arange(steps)[:, None] + np.arange(sensors)[None] / 10)[:, :, None].astype(float)


def test_a_window_is_what_was_and_what_follows() -> None:
    values = counted(20)
    windows = make_windows(values, scale_of(values), 0, 0, 20, past=3, ahead=2)
    seen, follows = windows[4]
    back = seen * scale_of(values).deviation + scale_of(values).mean
    assert np.allclose(back, values[4:7], atol=1e-5)
    assert np.allclose(follows, values[7:9, :, 0])
    assert len(windows) == 16


@given(
    steps=st.integers(20, 120), fraction=st.floats(0.05, 0.6), past=st.integers(1, 8),
    ahead=st.integers(1, 8), stride=st.integers(1, 4),
)  # fmt: skip
def test_nothing_that_is_held_back_is_trained_on(
    steps: int, fraction: float, past: int, ahead: int, stride: int
) -> None:
    said = WindowSettings(past, ahead, stride)
    try:
        parts = forecast_parts(series(counted(steps)), said, fraction)
    except InvalidInputError:
        return
    trained = {int(v) for i in range(len(parts.train)) for v in parts.train[i][1][:, 0]}
    seen = {int(v) + i for i in parts.train.starts for v in range(past)}
    measured = {int(v) for i in range(len(parts.val)) for v in parts.val[i][1][:, 0]}
    assert trained
    assert measured
    assert max(trained | seen) < parts.border <= min(measured)
    assert measured == set(range(parts.border, steps))
    assert parts.scale.mean[0] == pytest.approx(counted(steps)[: parts.border].mean())


def test_a_missing_value_is_the_last_known_one_to_the_network_and_none_to_the_measure() -> None:
    values = counted(12, 1)
    values[0, 0, 0] = values[4, 0, 0] = values[5, 0, 0] = np.nan
    scale = scale_of(values)
    windows = make_windows(values, scale, 0, 0, 12, past=6, ahead=2)
    seen = windows.inputs[:, 0, 0] * scale.deviation + scale.mean
    assert seen[0] == pytest.approx(scale.mean[0])  # nothing before it: the mean
    assert np.allclose(seen[3:7], [3, 3, 3, 6], atol=1e-5)
    assert np.isnan(windows.targets[4:6, 0]).all()


def test_the_error_of_saying_nothing_new() -> None:
    values = counted(40, 3)
    values[20:23, 1, 0] = np.nan
    windows = make_windows(values, scale_of(values), 0, 0, 40, past=2, ahead=3)
    errors = []
    for start in windows.starts:
        for step in range(3):
            for sensor in range(3):
                truth = values[start + 2 + step, sensor, 0]
                last = next(
                    v for v in values[start + 1 :: -1, sensor, 0].tolist() if np.isfinite(v)
                )
                if np.isfinite(truth):
                    errors.append(abs(truth - last))
    assert windows.last_value_error() == pytest.approx(np.mean(errors))


def test_numbers_that_stand_for_no_value() -> None:
    given = np.array([0.0, 1.0, -999.0, np.inf])
    assert np.isnan(without(given, [0, -999])).tolist() == [True, False, True, True]
    assert given[0] == 0.0  # the caller's are not touched


def test_the_time_of_day_is_seen() -> None:
    values = counted(20)
    windows = make_windows(values, scale_of(values), 0, 0, 20, past=2, ahead=1, steps_per_day=4)
    assert windows.inputs.shape == (20, 2, 3)
    assert np.array_equal(windows.inputs[1, :, 1:], windows.inputs[5, :, 1:])
    assert np.allclose(windows.inputs[:4, 0, 1], [0, 1, 0, -1], atol=1e-6)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_a_fraction_that_is_none(fraction: float) -> None:
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        split_by_time(100, fraction, 3, 3)


def test_a_series_too_short() -> None:
    with pytest.raises(InvalidInputError, match="series of 10 steps cannot be split"):
        forecast_parts(series(counted(10)), WindowSettings(6, 3), 0.3)


def test_several_features_and_none_said() -> None:
    values = np.random.default_rng(0).normal(size=(60, 2, 2))
    air = series(values, ("PM10", "O3"))
    with pytest.raises(InvalidInputError, match="2 features and nothing says") as caught:
        forecast_parts(air, WindowSettings(3, 3), 0.3)
    assert "target=PM10" in (caught.value.hint or "")
    with pytest.raises(InvalidInputError, match="no feature 'NO2'"):
        forecast_parts(air, WindowSettings(3, 3, target="NO2"), 0.3)
    parts = forecast_parts(air, WindowSettings(3, 3, target="O3"), 0.3)
    assert np.allclose(parts.val.targets, values[:, :, 1])
    assert parts.features == 2


def test_a_feature_without_a_value() -> None:
    values = counted(60)
    values[:42] = np.nan
    with pytest.raises(InvalidInputError, match="no value in what is trained on"):
        forecast_parts(series(values), WindowSettings(3, 3), 0.3)
    values = counted(60)
    values[42:] = np.nan
    with pytest.raises(InvalidInputError, match="held back"):
        forecast_parts(series(values), WindowSettings(3, 3), 0.3)


@pytest.mark.parametrize(
    "said",
    [{"pasts": 3}, {"past": "3"}, {"past": True}, {"missing": ["x"]}, {"target": 1}],
)
def test_settings_that_are_none(said: dict[str, object]) -> None:
    with pytest.raises(FormatError, match="train_dataloader"):
        WindowSettings.read(said, "train_dataloader.dataset")


def test_settings_as_a_config_has_them() -> None:
    found = WindowSettings.read({"missing": [0], "past": 6, "target": None}, "x")
    assert found == WindowSettings(past=6, missing=(0.0,))
