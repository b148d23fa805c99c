"""Pickled checkpoints: weights are read, and nothing in the file is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veml_vcs.errors import FormatError
from veml_vcs.training.pickles import read_pickle

pytestmark = pytest.mark.ml


class Evil:
    """Writes a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.write_text, (self.target, "ran")


def test_weights_of_every_kind(tmp_path: Path) -> None:
    import torch

    state = {
        "w": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,
        "half": torch.tensor([1.5], dtype=torch.bfloat16),
        "count": torch.tensor(7),
        "none": torch.zeros(0, 3),
        "flag": torch.tensor([True, False]),
    }
    torch.save(state, tmp_path / "a.pth")
    found = read_pickle(str(tmp_path / "a.pth")).tensors
    assert found["w"].shape == (3, 2)
    assert np.frombuffer(found["w"].data, "<f4").tolist() == [0, 3, 1, 4, 2, 5]
    assert (found["half"].dtype, bytes(found["half"].data)) == ("BF16", b"\xc0\x3f")
    assert (found["count"].dtype, found["count"].shape) == ("I64", ())
    assert (found["none"].shape, bytes(found["none"].data)) == ((0, 3), b"")
    assert bytes(found["flag"].data) == b"\x01\x00"


def test_what_mmengine_puts_beside_weights(tmp_path: Path) -> None:
    """Without the list of what is known, torch refuses ``HistoryBuffer``."""
    import torch

    buffer = pytest.importorskip("mmengine.logging.history_buffer").HistoryBuffer
    history = buffer([0.5, 0.25], [1, 1])
    made = {
        "meta": {"epoch": 2, "seed": np.int64(3), "scores": np.array([0.5])},
        "state_dict": {"w": torch.ones(2)},
        "message_hub": {"log_scalars": {"train/loss": history, "lr": np.float64(0.1)}},
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}},
    }
    torch.save(made, tmp_path / "epoch_2.pth")
    found = read_pickle(str(tmp_path / "epoch_2.pth")).tensors
    assert list(found) == ["w"]


def test_nothing_is_run(tmp_path: Path) -> None:
    import torch

    target = tmp_path / "ran"
    torch.save({"state_dict": {"w": torch.ones(2)}, "x": Evil(target)}, tmp_path / "a.pth")
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(Evil(target)))
    for name in ("a.pth", "b.pkl"):
        with pytest.raises(FormatError, match="only running it could load it"):
            read_pickle(str(tmp_path / name))
    assert not target.exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"\x80\x02."])
def test_no_checkpoint(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(FormatError, match=r"a\.pth: "):
        read_pickle(str(tmp_path / "a.pth"))


def test_no_weights(tmp_path: Path) -> None:
    import torch

    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(FormatError, match="no weights in it"):
        read_pickle(str(tmp_path / "a.pth"))
