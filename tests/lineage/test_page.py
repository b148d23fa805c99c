"""The page of the lineage, drawn by a real Chromium from a file, with no network."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.browser import CHROMIUM, DRIVER, Browser, browser
from tests.lineage.kit import History, data_record, model_record, training_record
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.compare import compare
from veml_vcs.lineage.graph import LINEAGE
from veml_vcs.lineage.page import MOST, Page, page_of, page_of_all, to_html
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

NEEDS_CHROMIUM = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium (Debian: chromium, chromium-driver)"
)
in_a_browser = [pytest.mark.browser, pytest.mark.slow, NEEDS_CHROMIUM]
OLD, NEW = data_record(1200, ("car", "bus")), data_record(1310, ("car", "bus", "bike"))
NET, SMALL = model_record(50), model_record(18)
FIRST = training_record(blob_id(OLD), blob_id(NET))
TUNED = training_record(blob_id(NEW), blob_id(NET), start=blob_id(FIRST), seed=2)
HOSTILE = """<img src=x onerror='window.ran = 1'><script>window.ran = 2<"""
"""Goes on with ``/script>`` where it is a path."""
LOST = training_record("ab" * 20, blob_id(SMALL), seed=9)


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


def made(*versions: str, edges: tuple[tuple[str, str, str], ...] = ()) -> Page:
    """A page of versions that are in no repository."""
    nodes = tuple(
        {"id": one, "kind": "training" if number % 2 else "data", "name": f"v{number}",
         "known": True, "props": {}, "says": "", "facts": [], "edges": [], "more_edges": 0,
         "commits": [], "more_commits": 0, "commands": []}
        for number, one in enumerate(versions)
    )  # fmt: skip
    told = tuple(
        {"source": one, "kind": kind, "target": other, "word": kind} for one, kind, other in edges
    )
    return Page("Made", "of nothing", (), nodes, told)


def written(root: Path, file: Path) -> Path:
    with Repository(str(root)) as repo, lineage(repo) as found:
        file.write_bytes(to_html(page_of_all(found)))
    return file


def drawn(page: Browser, told: str = "n.id()") -> list[Any]:
    """Tell something of each node ``n`` that is drawn.

    Not by cytoscape's ``:visible``, which until the next frame is what it was before.
    """
    seen = "n.style('display') === 'element'"
    found: list[Any] = page.graph(f"cy.nodes().filter((n) => {seen}).map((n) => {told})")
    return found


class TestInABrowser:
    pytestmark = in_a_browser

    @pytest.fixture(autouse=True)
    def nothing_went_wrong(self, chromium: Browser) -> Iterator[None]:
        """What a page tells the console is a failure of each test."""
        yield
        assert chromium.messages() == []

    def test_versions_are_drawn_newest_at_the_top(self, shown: Browser) -> None:
        """Seen to fail with the layout left out: all stand at one point."""
        places = shown.graph("Object.fromEntries(cy.nodes().map((n) => [n.id(), n.position()]))")
        assert set(places) == {*map(blob_id, (OLD, NEW, NET, SMALL, FIRST, TUNED, LOST)), "ab" * 20}
        assert len({(one["x"], one["y"]) for one in places.values()}) == len(places)
        assert places[blob_id(TUNED)]["y"] < places[blob_id(FIRST)]["y"] < places[blob_id(OLD)]["y"]
        words = shown.graph("cy.edges().map((e) => e.data('label'))")
        assert sorted(set(words)) == ["initialised from", "revision of", "trained on", "uses"]
        assert shown.graph("new Set(cy.nodes().map((n) => n.style('shape'))).size") == 3
        colours = (
            "const c = document.querySelector('#graph canvas[data-id=layer2-node]'),"
            "p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, found = new Set();"
            "for (let i = 0; i < p.length; i += 4) found.add(p.slice(i, i + 4).join());"
            "return found.size"
        )
        # Not blank, once a frame was drawn: fills, lines and smoothed letters.
        shown.wait(lambda: shown.run(colours) > 20)

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
        assert "model" in drawn(shown, "n.data('shape')")
        shown.one("#kind-model").click()
        assert "model" not in drawn(shown, "n.data('shape')")
        shown.one("#kind-model").click()
        shown.click_node(blob_id(TUNED))
        shown.run("const s = document.getElementById('steps'); s.value = '1';"
                  "s.dispatchEvent(new Event('change'))")  # fmt: skip
        assert set(drawn(shown)) == set(map(blob_id, (TUNED, FIRST, NEW, NET)))
        # What is asked for by name is drawn, whatever was left out.
        shown.one("#search").send_keys("lost\ue007")
        assert len(drawn(shown)) == 8

    @pytest.mark.parametrize("who", [TUNED, OLD, SMALL])
    def test_what_is_drawn_after_a_choice_of_steps_is_all_in_sight(
        self, shown: Browser, who: bytes
    ) -> None:
        """Seen to fail: cytoscape took edges to what was hidden for drawn ones, and gave up."""
        shown.click_node(blob_id(who))
        for steps in ("1", "", "2", "3", "1", ""):
            shown.run("const s = document.getElementById('steps'); s.value = arguments[0];"
                      "s.dispatchEvent(new Event('change'))", steps)  # fmt: skip
            found = set(drawn(shown))
            assert blob_id(who) in found
            assert (len(found) == 8) == (not steps)
            ends = "map((e) => [e.source().id(), e.target().id()])"
            between = [one for one in shown.graph(f"cy.edges().{ends}") if {*one} <= found]
            assert shown.graph(f"cy.edges().filter((e) => e.takesUpSpace()).{ends}") == between
            boxes = drawn(shown, "n.renderedBoundingBox({includeOverlays: false})")
            wide, high = shown.graph("[cy.width(), cy.height()]")
            for box in boxes:
                assert box["x1"] >= 0
                assert box["y1"] >= 0
                assert box["x2"] <= wide
                assert box["y2"] <= high

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
        assert shown.one("#said").text.startswith("training tuned, mAP 0.5; came from 3")
        shown.press(enter)
        assert shown.driver.switch_to.active_element.get_attribute("id") == "panel"
        assert shown.one("#panel h2").text == "tuned"
        shown.press(escape)
        assert shown.driver.switch_to.active_element.get_attribute("id") == "graph"
        assert not shown.one("#panel").is_displayed()

    def test_an_id_can_be_copied_and_a_picture_saved(self, shown: Browser, tmp_path: Path) -> None:
        shown.click_node(blob_id(NET))
        shown.one("#panel .id button").click()
        shown.wait(lambda: shown.one("#panel .id button").text == "Copied")
        shown.one("#search").send_keys("\ue009v")
        shown.wait(lambda: shown.one("#search").get_attribute("value") == blob_id(NET))
        shown.driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
        )
        shown.one("#save").click()
        picture = tmp_path / "lineage.png"
        shown.wait(lambda: picture.exists() and picture.read_bytes()[-8:-4] == b"IEND")
        data = picture.read_bytes()
        assert data.startswith(b"\x89PNG")
        wide, high = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
        assert wide > 400
        assert high > 300

    def test_names_of_a_stranger_stay_text(self, chromium: Browser, tmp_path: Path) -> None:
        """Seen to fail with JSON as it comes, and with ``innerHTML`` where the policy held."""
        history = History(tmp_path / "odd")
        record = data_record(5, (HOSTILE, "a\u2028b"))
        metrics = {"metrics": {"constructor": 0.25, "__proto__": 0.75}}
        training = training_record(blob_id(record), blob_id(NET), **metrics)
        subject = "</script><script>window.ran = 3</script>"
        files = {f"{HOSTILE}/script>.veml": record, "trainings/odd.veml": training}
        history.commit(files, subject)
        chromium.open(written(history.root, tmp_path / "page.html"))
        chromium.click_node(blob_id(record))
        text = chromium.one("#panel").text
        assert f"{HOSTILE}/script>" in text
        assert subject in text
        assert "a\ufffdb \u00d7 1" in text
        assert HOSTILE in chromium.one("#results").text
        chromium.click_node(blob_id(training))
        assert "constructor\n0.25" in chromium.one("#panel dl").text
        assert "__proto__\n0.75" in chromium.one("#panel dl").text
        assert chromium.run("return window.ran ?? null") is None
        assert chromium.all("img") == []
        assert chromium.messages() == []

    def test_what_the_policy_keeps_out(self, shown: Browser) -> None:
        """Seen to fail with the policy left out."""
        tried = shown.driver.execute_async_script(  # later: what Selenium runs itself may do all
            "const done = arguments[0];"
            "setTimeout(() => { try { done(eval('1')) } catch (error) { done(error.name) } })"
        )
        assert tried == "EvalError"
        picture = '<img src="http://127.0.0.1:9/x.png" onerror="window.ran = 5">'
        shown.driver.execute_async_script(
            "addEventListener('securitypolicyviolation', (event) => "
            "event.effectiveDirective === 'img-src' && arguments[1]());"
            "const made = document.createElement('script'); made.textContent = 'window.ran = 4';"
            "document.body.append(made);"
            "document.body.insertAdjacentHTML('beforeend', arguments[0])",
            picture,
        )
        assert shown.run("return window.ran ?? null") is None
        asked = shown.requests()
        assert asked.pop("http://127.0.0.1:9/x.png") == "csp"
        assert all(one.startswith("file:") for one in asked)
        assert any("Content Security Policy" in one for one in shown.messages())

    def test_in_the_dark_and_on_a_phone(
        self, roads: Path, chromium: Browser, tmp_path: Path
    ) -> None:
        file = written(roads, tmp_path / "page.html")
        seen = "return getComputedStyle(document.body).backgroundColor"
        chromium.open(file)
        light = chromium.run(seen)
        chromium.open(file, dark=True, width=390, height=844)
        dark = chromium.run(seen)
        assert sum(map(int, re.findall(r"\d+", dark))) < 150
        assert sum(map(int, re.findall(r"\d+", light))) > 600
        fills = "[...new Set(cy.nodes().map((n) => n.style('background-color')))]"
        assert all(sum(map(int, re.findall(r"\d+", one))) < 300 for one in chromium.graph(fills))
        assert chromium.run("return document.documentElement.scrollWidth <= innerWidth")
        chromium.one("#list summary").click()
        chromium.one(f"#results button[value='{blob_id(TUNED)}']").click()
        chromium.one("#list summary").click()
        assert chromium.one("#panel h2").text == "tuned"
        # The version is in sight, above the panel.
        bottom, top = chromium.run(
            "const cy = document.getElementById('graph')._cyreg.cy;"
            "const top = (id) => document.getElementById(id).getBoundingClientRect().top;"
            "const box = cy.getElementById(arguments[0]).renderedBoundingBox();"
            "return [box.y2 + top('graph'), top('panel')]",
            blob_id(TUNED),
        )
        assert bottom < top

    def test_a_circle_and_versions_alone(self, chromium: Browser, tmp_path: Path) -> None:
        ids = [f"{one:040x}" for one in range(6)]
        ring = tuple((ids[i], "revision_of", ids[(i + 1) % 3]) for i in range(3))
        file = tmp_path / "ring.html"
        file.write_bytes(to_html(made(*ids, edges=ring)))
        chromium.open(file)
        assert chromium.messages() == []
        places = chromium.graph("cy.nodes().map((n) => Object.values(n.position()).join())")
        assert len(set(places)) == 6

    def test_a_row_that_is_wider_than_any_zoom(self, chromium: Browser, tmp_path: Path) -> None:
        """It begins where something is. Seen to fail (where it was) without ``minZoom``."""
        ids = [f"{one:040x}" for one in range(380)]
        file = tmp_path / "wide.html"
        fan = tuple((one, "trained_on", ids[0]) for one in ids[1:])
        file.write_bytes(to_html(made(*ids, edges=fan)))
        chromium.open(file)
        seen = "n.renderedPosition('x') > 0 && n.renderedPosition('x') < cy.width()"
        assert chromium.graph(f"cy.nodes().filter((n) => {seen}).length") > 0
        assert chromium.graph("cy.zoom()") < 1

    def test_labels_of_edges_stand_clear(self, chromium: Browser, tmp_path: Path) -> None:
        """Of each other and of versions, as the browser draws them; also of what is selected.

        Seen to fail without ``spaceLabels``, and without ``taken.free``.
        """
        ids = [f"{one:040x}" for one in range(24)]
        kinds = ("revision_of", "initialised_from", "trained_on")
        far = (1, 3, 7)
        edges = {(ids[i], kinds[(i + n) % 3], ids[i + n]) for i in range(17) for n in far}
        edges |= {(ids[7], kind, ids[8]) for kind in LINEAGE}
        file = tmp_path / "dense.html"
        file.write_bytes(to_html(made(*ids, edges=tuple(sorted(edges)))))
        chromium.open(file)
        boxes = (
            "[...cy.edges().filter((e) => e.pstyle('label').strValue)"
            ".map((e) => e.boundingBox({includeNodes: false, includeEdges: false}))"
            ".map((b) => [b.x1, b.x2, b.y1, b.y2]), ...cy.nodes().map((n) => [[n.position('x'), "
            "n.width() / 2], [n.position('y'), n.height() / 2]]"
            ".flatMap(([m, h]) => [m - h, m + h]))]"
        )
        for chosen in (None, ids[7]):
            if chosen:
                chromium.click_node(chosen)
                assert chromium.graph(f"cy.getElementById('{chosen}').hasClass('selected')")
            found = chromium.graph(boxes)
            assert len(found) > len(ids) + 10  # labels that are shown
            for i, one in enumerate(found):
                for two in found[:i]:
                    apart = 3  # lines that are drawn around them
                    assert (
                        one[0] > two[1] - apart or two[0] > one[1] - apart
                        or one[2] > two[3] - apart or two[2] > one[3] - apart
                    )  # fmt: skip
        assert chromium.graph("cy.edges('.crowded').length") > 0
        word = "e.pstyle('label').strValue"
        assert chromium.graph(
            f"cy.edges('.crowded').every((e) => !{word} && (e.emit('mouseover'), {word}) "
            f"&& (e.emit('mouseout'), !{word}))"
        )

    def test_a_fact_is_told_once(self, roads: Path, chromium: Browser, tmp_path: Path) -> None:
        """Seen to fail: it had the chip of every version that has it, and was one itself."""
        with Repository(str(roads)) as repo, lineage(repo) as found:
            pair = compare(found, "drives/town", "drives/town@HEAD~4")
            page = page_of(found, pair.nodes, pair.edges, title="Two")
        (tmp_path / "two.html").write_bytes(to_html(page))
        chromium.open(tmp_path / "two.html")
        chromium.click_node("class:car")
        assert chromium.one("#panel h2").text == "car"
        assert chromium.one("#panel .what").text == "class"
        assert chromium.all("#panel .chips button") == []
        told = [one.text for one in chromium.all("#panel .command code")]
        assert told == ["veml lineage find --has class:car"]
        assert chromium.messages() == []

    def test_what_is_left_out_is_said(self, roads: Path, chromium: Browser, tmp_path: Path) -> None:
        file = tmp_path / "few.html"
        with Repository(str(roads)) as repo, lineage(repo) as found:
            file.write_bytes(to_html(page_of_all(found, most=4)))
        chromium.open(file)
        assert chromium.one("#left-out").text == (
            "Not on this page: 2 data, 1 model, 1 training. To see older ones: "
            "veml lineage page FILE --at REV; what is around one: "
            "veml lineage show VERSION --depth 3 --html FILE"
        )

    def test_an_empty_page(self, chromium: Browser, tmp_path: Path) -> None:
        file = tmp_path / "empty.html"
        file.write_bytes(to_html(made()))
        chromium.open(file)
        chromium.one("#fit").click()
        chromium.run("document.getElementById('graph').focus()")
        chromium.press("\ue015")
        assert chromium.messages() == []

    def test_as_many_as_there_may_be(self, chromium: Browser, tmp_path: Path) -> None:
        """Every version stands on one of the first, long before: dagre would route for minutes.

        Seen not to end in 100 s with ``MOST_ROUTED`` and ``MOST_POINTS`` out of reach.
        """
        ids = [f"{one:040x}" for one in range(MOST)]
        chain = [(ids[i], "revision_of", ids[i + 2]) for i in range(MOST - 2)]
        far = [(ids[i], "trained_on", ids[-2]) for i in range(1, MOST - 40, 2)]
        file = tmp_path / "large.html"
        file.write_bytes(to_html(made(*ids, edges=(*chain, *far))))
        chromium.open(file)
        assert chromium.messages() == []
        places = chromium.graph("cy.nodes().map((n) => Object.values(n.position()).join())")
        assert len(set(places)) == len(places) == MOST
        assert chromium.graph("cy.zoom()") > 0.35  # what is seen first can be read
        chromium.one("#search").send_keys("v1234\ue007")
        assert chromium.one("#panel h2").text == "v1234"
        assert len(chromium.all("#results button")) == 1


class TestWhatIsOnIt:
    """Without a browser."""

    def data(self, page: Page) -> Any:
        (text,) = re.findall(rb'<script[^>]* id="data">(.*?)</script>', to_html(page))
        return json.loads(text)

    def test_newest_first_with_what_they_were_made_of(self, roads: Path) -> None:
        with Repository(str(roads)) as repo, lineage(repo) as found:
            page = page_of_all(found, most=4)
        names = [one["name"] for one in page.nodes]
        assert names[:3] == ["lost", "", "small"]
        assert page.left_out == {"data": 2, "model": 1, "training": 1}
        assert page.about.startswith("4 of 8 versions of all branches and tags; made at commit ")
        assert self.data(page)["left_out"] == page.left_out

    def test_as_of_a_revision(self, roads: Path) -> None:
        with Repository(str(roads)) as repo, lineage(repo) as found:
            page = page_of_all(found, "HEAD~4")
        assert {one["id"] for one in page.nodes} == set(map(blob_id, (FIRST, OLD, NET)))
        assert page.left_out == {}

    def test_the_nearest_to_what_was_asked(self, roads: Path) -> None:
        with Repository(str(roads)) as repo, lineage(repo) as found:
            part = found.around("tuned").part
            page = page_of(found, part.nodes.values(), part.edges, title="x", most=2,
                           starts=[blob_id(TUNED)])  # fmt: skip
        assert page.nodes[0]["id"] == blob_id(TUNED) == page.starts[0]
        assert all(one.startswith("veml lineage show VERSION ") for one in page.narrow.values())
        assert sum(page.left_out.values()) == len(part.nodes) - 2
        (tuned, _) = page.nodes
        assert ["trained on", "out", blob_id(NEW), {"roles": ["train"]}] in tuned["edges"]
        assert page.beyond[blob_id(OLD)] == ("data", "drives/town")
        assert tuned["commands"][1].startswith("veml training show tuned@")

    def test_the_same_bytes_each_time(self, roads: Path, tmp_path: Path) -> None:
        one, other = (written(roads, tmp_path / name).read_bytes() for name in ("a", "b"))
        assert one == other
        assert not re.search(rb"""(src|href)=["']?(https?:)?//""", one)

    @pytest.mark.parametrize("name", ["a b", "-x", "a;b", "a\nb"])
    def test_commands_are_quoted_or_left_out(self, name: str, tmp_path: Path) -> None:
        history = History(tmp_path / "odd")
        history.commit({f"{name}.veml": OLD})
        with Repository(str(history.root)) as repo, lineage(repo) as found:
            (node,) = page_of_all(found).nodes
        told = [one for one in node["commands"] if name in one]
        assert len(told) == (name in ("a b", "a;b"))
        assert all(f"'{name}@" in one for one in told)


FOLDER = Path(__file__).resolve().parents[2] / "veml_vcs" / "lineage" / "page"


def test_what_is_bundled_is_what_was_published() -> None:
    sums = dict(
        line.split("  ")[::-1]
        for line in (FOLDER / "vendor" / "SHA256SUMS").read_text().splitlines()
    )
    there = {one.name for one in (FOLDER / "vendor").iterdir()} - {"SHA256SUMS", "README.md"}
    assert set(sums) == there
    for name, digest in sums.items():
        assert hashlib.sha256((FOLDER / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_all_of_it_is_installed() -> None:
    project = tomllib.loads((FOLDER.parents[2] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["veml_vcs.lineage.page"]
    packed = {one for pattern in patterns for one in FOLDER.glob(pattern)}
    there = {one for one in FOLDER.rglob("*") if one.is_file()}
    there -= {one for one in there if one.suffix in (".py", ".pyc")}
    assert packed == there


def test_text_can_be_read_in_both_schemes() -> None:
    """WCAG 2.1 AA: text 4.5 to 1, what tells kinds apart 3 to 1."""
    css = (FOLDER / "assets" / "page.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    )
    for colours in (light, dark):
        fills = [one for one in colours if one.endswith("-fill")]
        assert len(fills) == 5
        for back in ("page", "paper", "marked", *fills):
            assert contrast(colours["text"], colours[back]) >= 4.5, back
        for back in ("page", "paper"):
            assert contrast(colours["soft"], colours[back]) >= 4.5, back
            for front in ("edge", "mark", *(one.replace("-fill", "-line") for one in fills)):
                assert contrast(colours[front], colours[back]) >= 3, (front, back)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
