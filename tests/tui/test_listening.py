"""Work that can wait lets keys and drawing go first."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from advisor.tui import listening
from advisor.tui.background_jobs import BackgroundJobs
from advisor.tui.preloading import PreloadingApp
from tests.tui.pinned import PinnedAdvisor


class Probing(PreloadingApp):
    """An app without places."""


async def test_work_that_nobody_waits_for_stands_still_after_a_key_until_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "CALM_S", 3600.0)
    app = Probing()
    async with app.run_test() as pilot:
        await app.wait_until_calm()
        await pilot.press("z")
        wanted: list[int] = []
        waiting = asyncio.create_task(app.wait_until_calm(lambda: bool(wanted)))
        await pilot.pause(0.2)
        assert not waiting.done()
        wanted.append(1)
        await asyncio.wait_for(waiting, 30)


async def test_a_key_holds_up_what_others_wait_for_only_as_long_as_their_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "QUIET_S", 3600.0)
    monkeypatch.setattr(listening, "PATIENCE_S", 0.05)
    app = Probing()
    async with app.run_test() as pilot:
        await pilot.press("z")
        assert app.is_answering
        await asyncio.wait_for(app.let_keys_go_first(), 30)
        assert app.is_answering


async def test_a_thread_that_weighs_models_goes_on_only_when_the_event_loop_has_come_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "_STANDS_BACK_S", 60.0)
    app = Probing()
    advisor = PinnedAdvisor()
    async with app.run_test() as pilot:
        jobs = BackgroundJobs(app, advisor)
        begun, may_ask, went_on = threading.Event(), threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            may_ask.wait(30)
            jobs._stop_if_stale(jobs.advice_ticket)
            went_on.set()

        jobs._start(work, "work")
        while not begun.is_set():
            await pilot.pause(0.01)
        may_ask.set()
        # The event loop is held up here, as by drawing.
        time.sleep(0.2)
        assert not went_on.is_set()
        while not went_on.is_set():
            await pilot.pause(0.01)
