"""How long a command waits for the mirror, as the environment says."""

from __future__ import annotations

import pytest

from veml_vcs.lineage.neo4j.follow import SECONDS, patience


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30", 30.0),
        (".5", 0.5),
        *((wrong, SECONDS) for wrong in ("", "0", "-1", "nan", "inf", "x")),
    ],
)
def test_patience(said: str, seconds: float) -> None:
    assert patience({"VEML_NEO4J_SECONDS": said}) == seconds
    assert patience({}) == SECONDS
