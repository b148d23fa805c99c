"""zstd frames, and how little of numcodecs is imported for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from veml_vcs.errors import DamagedError
from veml_vcs.samples.fragments.zstd import compress, decompress

ALONE = """
import sys
from veml_vcs.samples.fragments.zstd import compress, decompress
frame = compress(b"a" * 1000)
assert "numcodecs.registry" not in sys.modules and "numcodecs" not in sys.modules
import numcodecs, numcodecs.blosc, zarr
assert numcodecs.zstd is sys.modules["numcodecs.zstd"]
assert numcodecs.get_codec({"id": "zstd"}).decode(frame) == decompress(frame, 1000, "x")
assert numcodecs.Zstd is numcodecs.zstd.Zstd and numcodecs.blosc.Blosc().encode(frame)
"""
WITH_THREADS = """
import sys, threading
from veml_vcs.samples.fragments.zstd import compress
done = threading.Event()
threading.Thread(target=done.wait).start()
compress(b"a")
done.set()
assert "numcodecs.registry" in sys.modules
"""


def test_frames_come_back() -> None:
    data = bytes(range(256)) * 40
    assert decompress(compress(data), len(data), "x") == data
    with pytest.raises(DamagedError, match="expected 10241"):
        decompress(compress(data), len(data) + 1, "x")


@pytest.mark.parametrize("script", [ALONE, WITH_THREADS], ids=["alone", "with threads"])
def test_numcodecs_is_whole_afterwards(script: str) -> None:
    """Seen to fail: with the empty package left in place; with it made beside another thread."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
