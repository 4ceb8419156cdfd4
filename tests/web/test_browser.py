"""The screens in a real browser, by keyboard alone, from the first page to the downloaded file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli
from selenium.webdriver.common.keys import Keys

from tests.web.browsing import Browser, browsing
from tests.web.serving import Serving, serving, until

pytestmark = pytest.mark.browser


@pytest.fixture
def server() -> Iterator[Serving]:
    with serving("--visitors", "1") as running:
        yield running


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path) as opened:
        yield opened


def test_from_the_first_page_to_the_downloaded_file(server: Serving, browser: Browser) -> None:
    browser.driver.get(server.url)
    browser.wait_for("Which Mistral or Llama model should you run")
    assert browser.driver.current_url == f"{server.base}/"
    assert "the machine that this page comes from" in browser.driver.find_element("id", "whose").text

    browser.press("2")
    browser.wait_for("models remain")
    browser.press(Keys.SPACE)  # the first question: commercial use, from yes to no
    browser.press("3")
    browser.wait_for("Speaks")
    browser.press("5")
    browser.wait_for("Save as")
    browser.wait_for("#:schema")
    browser.hold(Keys.CONTROL, "s")
    browser.wait_for("downloading: recommendation.toml")

    saved = tomli.loads(browser.downloaded("recommendation.toml").read_text("utf-8"))
    assert saved["recommendation"]["model"]
    assert saved["constraints"]["use"]["commercial"] is False
    assert browser.hosts == set()
    assert [entry for entry in browser.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_what_a_visitor_saves_is_not_written_on_the_server(server: Serving, browser: Browser) -> None:
    folder = Path(f"/proc/{server.process.pid}/cwd").resolve()
    before = {path.name for path in folder.iterdir()}
    browser.driver.get(server.url)
    browser.wait_for("Which Mistral or Llama model should you run")
    browser.press("5")
    browser.wait_for("#:schema")
    while "Leave the field" not in browser.screen:
        browser.focus_next()
    browser.press(Keys.END, *(Keys.BACKSPACE for _ in "./recommendation.toml"), *"../../etc/x ü.toml", Keys.ENTER)
    browser.wait_for("downloading: x__.toml")
    assert tomli.loads(browser.downloaded("x__.toml").read_text("utf-8"))["recommendation"]["model"]
    assert {path.name for path in folder.iterdir()} == before


def test_closing_the_page_ends_the_process_and_reloading_starts_one(server: Serving, browser: Browser) -> None:
    browser.driver.get(server.url)
    browser.wait_for("Which Mistral or Llama model should you run")
    first = server.children
    assert len(first) == 1
    browser.driver.get("about:blank")
    until(lambda: server.children == [])
    browser.driver.get(server.base)
    browser.wait_for("Which Mistral or Llama model should you run")
    assert len(server.children) == 1
    assert server.children != first


def test_quitting_says_that_the_session_is_over(server: Serving, browser: Browser) -> None:
    browser.driver.get(server.url)
    browser.wait_for("Which Mistral or Llama model should you run")
    browser.press("q")
    until(lambda: browser.driver.find_element("id", "closed").is_displayed())
    until(lambda: server.children == [])
    browser.driver.find_element("id", "again").click()
    browser.wait_for("Which Mistral or Llama model should you run")


def test_the_page_without_the_token_shows_nothing(server: Serving, browser: Browser) -> None:
    browser.driver.get(server.base)
    assert "token is missing" in browser.driver.page_source
    assert server.children == []
