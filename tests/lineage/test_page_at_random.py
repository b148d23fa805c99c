"""Whatever is done on the page of the lineage, in any order, it throws nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.lineage.browser import Browser
from tests.lineage.test_page import chromium, in_a_browser, made
from veml_vcs.lineage.graph import LINEAGE
from veml_vcs.lineage.page import to_html

__all__ = ["chromium"]

pytestmark = in_a_browser

ACTIONS = {
    "steps": "at('steps').value = one(['', '1', '2', '3']); tell('steps', new Event('change'))",
    "a kind": "press(all('#kinds input'))",
    "a result": "press(all('#results button'))",
    "a link": "press(all('#panel li > button'))",
    "close": "press(all('#panel [aria-label=Close]'))",
    "tools": "press(['fit', 'in', 'out'].map(at))",
    "search": "at('search').value = one(['', 'v1', 'training', 'none']);"
    "tell('search', new Event('input'))",
    "a key": "tell('graph', new KeyboardEvent('keydown', {bubbles: true, key: one(["
    "'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Enter', 'Escape', '+', '0'])}))",
    "an edge": "one(cy.edges().toArray())?.emit(one(['mouseover', 'mouseout']))",
    "another size": "dispatchEvent(new Event('resize'))",
}
DO = """
const at = (id) => document.getElementById(id);
const all = (which) => [...document.querySelectorAll(which)];
const { cy } = at('graph')._cyreg, pick = [...arguments[1]];
const one = (some) => some[pick.shift() % some.length], press = (some) => one(some)?.click();
const tell = (id, event) => at(id).dispatchEvent(event);
window.wrong ??= (addEventListener('error', ({ message }) => window.wrong.push(message)), []);
const action = new Function('at', 'all', 'cy', 'one', 'press', 'tell', arguments[0]);
action(at, all, cy, one, press, tell);
return window.wrong
"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_thrown(chromium: Browser, tmp_path: Path, seed: int, width: int) -> None:
    """Each was seen to fail at a choice of steps, before ``draw`` asked for styles first."""
    drawn = random.Random(seed)
    ids = [f"{one:040x}" for one in range(12)]
    edges = {(drawn.choice(ids), drawn.choice(LINEAGE), drawn.choice(ids)) for _ in range(24)}
    (tmp_path / "page.html").write_bytes(to_html(made(*ids, edges=tuple(sorted(edges)))))
    chromium.open(tmp_path / "page.html", width=width, height=844)
    done = []
    for _ in range(80):
        done.append(drawn.choice([*ACTIONS]))
        wrong = chromium.run(DO, ACTIONS[done[-1]], [drawn.randrange(1000) for _ in range(3)])
        assert not wrong, (wrong, done[-4:])
    assert chromium.messages() == []
