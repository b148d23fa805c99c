"""For all tests: the fast ones first, and hypothesis without deadlines (machines are shared)."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run: a gate that fails one time in a hundred is soon ignored. New ones,
# so many times as many, are looked for by `./test.sh --search`, and by VEML_EXAMPLES=20 before any
# other pytest.
_TIMES = int(os.environ.get("VEML_EXAMPLES", "1"))
for _name, _count in (("default", 60), ("ci", 150), ("quick", 10)):
    settings.register_profile(
        _name,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],  # by the clock, as a deadline is
        max_examples=_count * _TIMES,
        print_blob=True,
        derandomize=_TIMES == 1,
    )
settings.load_profile(
    os.environ.get("VEML_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "default")
)

# A shell starts what runs in its background with Ctrl-C ignored, and so would be the programs that
# tests start and interrupt: they would be waited for until the end of days.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what fails fast first: plain tests, then data, then slow ones; and those with torch last.

    The crash tests fork 1,500 times, which takes ten times as long once a process has torch in it.
    """
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> tuple[bool, ...]:
    torch, slow, data = (item.get_closest_marker(one) is not None for one in ("ml", "slow", "data"))
    return torch, slow, data and not slow
