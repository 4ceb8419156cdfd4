"""What the screens leave on the terminal when they break."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.cli.diagnostics import ExitCode
from advisor.tui.app import AdvisorApp
from advisor.tui.crash import CrashingApp
from advisor.tui.judging import JudgeAlone
from tests.tui.driving import started
from tests.tui.pinned import PinnedAdvisor


def break_down() -> None:
    held = {"token": "a-secret-in-a-variable"}
    raise ValueError(f"HF_TOKEN is hf_0123456789 \x1b[2J, {len(held)} held")


async def test_a_broken_screen_shows_where_and_why_but_no_variable_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    app = AdvisorApp(PinnedAdvisor())
    with pytest.raises(ValueError, match="HF_TOKEN"):  # noqa: PT012 - the app raises it again when it ends
        async with app.run_test() as pilot:
            await pilot.pause()
            app.call_later(break_down)
            await pilot.pause(0.1)
    said = capsys.readouterr().err
    assert "break_down" in said
    assert "ValueError: HF_TOKEN is [HF_TOKEN] \\x1b[2J, 1 held" in said
    assert "a-secret-in-a-variable" not in said


async def test_every_app_of_this_program_breaks_like_that() -> None:
    assert issubclass(AdvisorApp, CrashingApp)
    assert issubclass(JudgeAlone, CrashingApp)
    async with started(PinnedAdvisor()) as (app, _):
        assert type(app)._fatal_error is CrashingApp._fatal_error


class BreakingApp(CrashingApp):
    """Breaks as soon as it is there."""

    def run(self, **named: Any) -> None:
        return super().run(headless=True, **named)

    def on_mount(self) -> None:
        self.call_later(self.exit)  # a key that comes after the error
        break_down()


def test_screens_that_break_end_the_program_with_the_code_of_the_unexpected() -> None:
    with pytest.raises(SystemExit) as ended:
        BreakingApp().run_or_fail()
    assert ended.value.code == ExitCode.UNEXPECTED
