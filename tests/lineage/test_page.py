"""The page of the lineage, drawn by a real Chromium from a file, with no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lineage.browser import CHROMIUM, DRIVER, Browser, browser
from tests.lineage.kit import History, data_record, model_record, training_record
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.page import page_of_all, to_html
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

NEEDS_CHROMIUM = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium (Debian: chromium, chromium-driver)"
)
in_a_browser = [pytest.mark.browser, NEEDS_CHROMIUM]
OLD, NEW = data_record(1200, ("car", "bus")), data_record(1310, ("car", "bus", "bike"))
NET, SMALL = model_record(50), model_record(18)
FIRST = training_record(blob_id(OLD), blob_id(NET))
TUNED = training_record(blob_id(NEW), blob_id(NET), start=blob_id(FIRST), seed=2)
LOST = training_record("ab" * 20, blob_id(SMALL), seed=9)
HOSTILE = '<img src=x onerror="window.ran = 1"></script><script>window.ran = 2</script>'


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small history; nothing changes it."""
    history = History(tmp_path_factory.mktemp("page") / "roads")
    history.git("config", "user.name", "Ann")
    history.git("config", "user.email", "ann@example.com")
    for path, record, message in (
        ("drives/town.veml", OLD, "first drive"), ("models/net.veml", NET, "a detector"),
        ("trainings/first.veml", FIRST, "first detector"),
        ("drives/town.veml", NEW, "corrections"), ("trainings/tuned.veml", TUNED, "tuned"),
        ("models/small.veml", SMALL, "a small one"), ("trainings/lost.veml", LOST, "elsewhere"),
    ):  # fmt: skip
        history.commit({path: record}, message)
    return history.root


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture
def shown(roads: Path, chromium: Browser, tmp_path: Path) -> Browser:
    """The whole repository in a browser."""
    chromium.open(written(roads, tmp_path / "page.html"))
    return chromium


def written(root: Path, file: Path) -> Path:
    with Repository(str(root)) as repo, lineage(repo) as found:
        file.write_bytes(to_html(page_of_all(found)))
    return file


class TestInABrowser:
    pytestmark = in_a_browser

    def test_versions_are_drawn_newest_at_the_top(self, shown: Browser) -> None:
        """Seen to fail with the layout left out: all stand at one point."""
        places = shown.graph("Object.fromEntries(cy.nodes().map((n) => [n.id(), n.position()]))")
        assert set(places) == {*map(blob_id, (OLD, NEW, NET, SMALL, FIRST, TUNED, LOST)), "ab" * 20}
        assert len({(one["x"], one["y"]) for one in places.values()}) == len(places)
        assert places[blob_id(TUNED)]["y"] < places[blob_id(FIRST)]["y"] < places[blob_id(OLD)]["y"]
        words = shown.graph("cy.edges().map((e) => e.data('label'))")
        assert sorted(set(words)) == ["initialised from", "revision of", "trained on", "uses"]
        assert shown.graph("new Set(cy.nodes().map((n) => n.style('shape'))).size") == 3
        colours = shown.run(
            "const c = document.querySelector('#graph canvas[data-id=layer2-node]'),"
            "p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, found = new Set();"
            "for (let i = 0; i < p.length; i += 4) found.add(p.slice(i, i + 4).join());"
            "return found.size"
        )
        assert colours > 20  # not blank: fills, lines and smoothed letters

    def test_nothing_is_asked_for_and_nothing_is_wrong(self, shown: Browser) -> None:
        """Seen to fail with a link to a style sheet, and with a style that the policy has not."""
        shown.click_node(blob_id(NET))
        assert shown.messages() == []
        (asked,) = shown.requests()
        assert asked.startswith("file://")

    def test_a_click_shows_the_record_and_links_move(self, shown: Browser) -> None:
        assert not shown.one("#panel").is_displayed()
        shown.click_node(blob_id(TUNED))
        text = shown.one("#panel").text
        for told in ("tuned", blob_id(TUNED), "mAP", "0.5", "Ann", "at trainings/tuned.veml",
                     f"veml lineage show {blob_id(TUNED)[:12]}"):  # fmt: skip
            assert told in text
        (link,) = [one for one in shown.all("#panel li > button") if "initialised" in one.text]
        link.click()
        assert shown.one("#panel h2").text == "first"
        assert blob_id(FIRST) in shown.one("#panel").text
        assert shown.graph("cy.nodes('.selected').map((n) => n.id())") == [blob_id(FIRST)]
        assert "start of tuned" in shown.one("#panel").text
        shown.one("#panel [aria-label=Close]").click()
        assert not shown.one("#panel").is_displayed()

    @pytest.mark.parametrize(
        ("text", "found"),
        [("tuned", [TUNED]), (blob_id(SMALL)[:6], [SMALL]), ("class:Bike", [NEW]),
         ("model", [SMALL, NET]), ("town bike", [NEW]), ("backbone:resnet-18", [SMALL]),
         ("no such thing", [])],
    )  # fmt: skip
    def test_search(self, shown: Browser, text: str, found: list[bytes]) -> None:
        shown.one("#search").send_keys(text)
        assert [one.get_attribute("value") for one in shown.all("#results button")] == [
            blob_id(one) for one in found
        ]
        bright = shown.graph("cy.nodes().not('.faded').map((n) => n.id())")
        assert set(bright) == set(map(blob_id, found))
        if found:
            shown.press("\ue007")
            assert blob_id(found[0]) in shown.one("#panel").text

    def test_a_kind_can_be_left_out_and_steps_too(self, shown: Browser) -> None:
        visible = "cy.nodes(':visible').map((n) => n.data('shape'))"
        assert "model" in shown.graph(visible)
        shown.one("#kind-model").click()
        assert "model" not in shown.graph(visible)
        shown.one("#kind-model").click()
        shown.click_node(blob_id(TUNED))
        shown.run("const s = document.getElementById('steps'); s.value = '1';"
                  "s.dispatchEvent(new Event('change'))")  # fmt: skip
        assert set(shown.graph("cy.nodes(':visible').map((n) => n.id())")) == set(
            map(blob_id, (TUNED, FIRST, NEW, NET))
        )
        # What is asked for by name is drawn, whatever was left out.
        shown.one("#search").send_keys("lost\ue007")
        assert shown.graph("cy.nodes(':visible').length") == 8

    def test_with_keys_alone(self, shown: Browser) -> None:
        down, enter, escape = "\ue015", "\ue007", "\ue00c"
        shown.press("/")
        assert shown.driver.switch_to.active_element.get_attribute("id") == "search"
        shown.press("tuned", enter)
        shown.run("document.getElementById('graph').focus()")
        shown.press(down)
        told = shown.one("#said").text
        assert told.endswith("; came from 1, went into 1")
        assert told.startswith("data drives/town, 1,310 samples")
        shown.press("\ue013")
        assert shown.one("#said").text.startswith("training tuned, mAP 0.500; came from 3")
        shown.press(enter)
        assert shown.driver.switch_to.active_element.get_attribute("id") == "panel"
        assert shown.one("#panel h2").text == "tuned"
        shown.press(escape)
        assert shown.driver.switch_to.active_element.get_attribute("id") == "graph"
        assert not shown.one("#panel").is_displayed()
