"""Tab after ``veml lineage show``: versions of every kind."""

from __future__ import annotations

from tests.cli.conftest import Place
from tests.cli.test_cli_completion import bash, on_path
from tests.lineage.kit import data_record, model_record

__all__ = ["on_path"]


def test_versions_of_every_kind(place: Place) -> None:
    """Seen to fail: nothing was offered."""
    place.veml("init")
    place.write("night.veml", data_record(1))
    place.write("models/net.veml", model_record(50))
    place.git("add", ".")
    place.git("commit", "-q", "--no-verify", "-m", "one")
    assert bash(place, "veml", "lineage", "show", "n") == ["net", "night"]
    assert bash(place, "veml", "lineage", "path", "net", "ni") == ["night"]
    assert bash(place, "veml", "lineage", "show", "night@ma") == ["night@main"]
