"""A real Chromium without a window, offline, that opens a page from a file and tells what it did.

Through Selenium with Debian's chromium and chromium-driver, which are of one version.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip


_GRAPH = "const cy = document.getElementById('graph')._cyreg.cy"


class Browser:
    """One Chromium.

    Args:
        driver: Selenium's.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.run = driver.execute_script

    def open(self, path: Path, *, width: int = 1280, height: int = 800, dark: bool = False) -> None:
        """Open a file in a window of some size, with nothing reachable but files."""
        do = self.driver.execute_cdp_cmd
        do("Network.enable", {})
        do(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        do(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        do("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(path.as_uri())

    def one(self, selector: str) -> Any:
        """Return the first element of a CSS selector."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """List the elements of a CSS selector."""
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def graph(self, expression: str) -> Any:
        """Evaluate JavaScript in which ``cy`` is the drawn graph."""
        return self.run(f"{_GRAPH}; return {expression}")

    def click_node(self, node: str) -> None:
        """Click where a node is drawn, as a mouse does."""
        x, y = self.run(
            f"{_GRAPH}, at = cy.getElementById(arguments[0]).renderedPosition(), "
            "box = cy.container().getBoundingClientRect(); "
            "return [Math.round(box.x + at.x), Math.round(box.y + at.y)];",
            node,
        )
        self.click_at(x, y)

    def click_at(self, x: int, y: int) -> None:
        """Click a point of the window."""
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
                "type": kind, "x": x, "y": y, "buttons": buttons, "clickCount": 1,
                "button": "none" if kind == "mouseMoved" else "left"})  # fmt: skip

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until something is so, and fail if it is not within half a minute."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 30, 0.1).until(lambda _driver: until())

    def messages(self) -> list[str]:
        """List what the console was told since the page was opened: errors, refusals."""
        return [one["message"] for one in self.driver.get_log("browser")]

    def requests(self) -> dict[str, str]:
        """Return what was asked for since the page was opened, itself included: URL -> why it was
        refused, empty where it was not."""
        told = [json.loads(one["message"])["message"] for one in self.driver.get_log("performance")]
        urls = {
            one["params"]["requestId"]: one["params"]["request"]["url"]
            for one in told
            if one["method"] == "Network.requestWillBeSent"
        }
        refused = {
            one["params"]["requestId"]: one["params"].get("blockedReason", "failed")
            for one in told
            if one["method"] == "Network.loadingFailed"
        }
        return {url: refused.get(number, "") for number, url in urls.items()}

    def picture(self) -> bytes:
        """Return a PNG of the window."""
        return base64.b64decode(self.driver.get_screenshot_as_base64())


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a Chromium with a profile of its own, and end it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for one in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(one)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options, Service(DRIVER or "chromedriver"))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
