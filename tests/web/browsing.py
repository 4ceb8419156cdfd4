"""A real headless Chromium, and what its terminal shows."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.web.serving import until

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,800",
)  # fmt: skip

# The page draws on a canvas and keeps its terminal to itself. Whatever object gets a `fitAddon` also has the terminal.
_WATCH = """
Object.defineProperty(Object.prototype, "fitAddon", { configurable: true, set(value) {
  Object.defineProperty(this, "fitAddon", { value, writable: true, enumerable: true, configurable: true });
  window.watched = this;
} });
"""
_READ = """
const buffer = window.watched && window.watched.terminal.buffer.active;
if (!buffer) return "";
return Array.from({ length: buffer.length }, (_, i) => buffer.getLine(i).translateToString(true)).join("\\n");
"""
_READ_COLOURS = """
const buffer = window.watched.terminal.buffer.active;
const colours = [];
for (let y = 0; y < buffer.length; y++) {
  const line = buffer.getLine(y);
  for (let x = 0; x < line.length; x++) {
    const cell = line.getCell(x);
    colours.push(cell.getFgColor(), cell.getBgColor(), cell.isInverse());
  }
}
return colours.join(" ");
"""


class Browser:
    """Keys in, text out."""

    def __init__(self, driver: Any, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    @property
    def screen(self) -> str:
        """The text in the terminal's buffer."""
        return str(self.driver.execute_script(_READ))

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} was not shown, but:\n{self.screen}"
            time.sleep(0.1)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focus_next(self) -> None:
        """Press Tab, and wait until it shows, which may be in the colours of cells alone."""
        before = self.driver.execute_script(_READ_COLOURS)
        self.press(Keys.TAB)
        until(lambda: self.driver.execute_script(_READ_COLOURS) != before)

    def hold(self, modifier: str, key: str) -> None:
        """Press a key while another is held down."""
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def downloaded(self, name: str, seconds: float = 30.0) -> Path:
        """A file that the browser has saved."""
        path, deadline = self.downloads / name, time.monotonic() + seconds
        while not path.is_file():
            assert time.monotonic() < deadline, f"{name} was not saved, but {list(self.downloads.iterdir())}"
            time.sleep(0.1)
        return path

    @property
    def hosts(self) -> set[str]:
        """Every host that the page asked for anything, its own left out."""
        here, found = urlsplit(self.driver.current_url).netloc, set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = urlsplit(message["params"]["request"]["url"])
                if url.scheme in ("http", "https", "ws", "wss"):
                    found.add(url.netloc)
        return found - {here}


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own. Where there is none the test is skipped, but fails in CI."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs chromium and chromium-driver: apt-get install -y chromium chromium-driver")
        pytest.skip("chromium and chromedriver are not installed")
    downloads = folder / "downloads"
    downloads.mkdir()
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
        yield Browser(driver, downloads)
    finally:
        driver.quit()
