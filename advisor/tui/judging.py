"""Blind judging alone, for `llm-advisor trial --judge`."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import ClassVar

from advisor.service import Advisor
from advisor.tui.crash import CrashingApp
from advisor.tui.resilient import ResilientApp
from advisor.tui.screens.judge import JudgeScreen
from advisor.tui.theme import THEMES


class JudgeAlone(ResilientApp, CrashingApp):
    """The judging screen and nothing else."""

    TITLE = "llm-advisor"
    CSS_PATH: ClassVar[list[str | PurePath]] = ["screens/judge.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, screen: JudgeScreen) -> None:
        super().__init__()
        self._judge = screen
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def on_mount(self) -> None:
        self.push_screen(self._judge, lambda _: self.exit())


def run_judging(result: Path | None, seed: int) -> None:
    """Judge a result, the last one where it is None, and return when the user leaves. Raises InputError."""
    sitting = Advisor().judging_session(result, seed=seed)
    with sitting:  # tells before the screen opens that another program judges it
        pass
    JudgeAlone(JudgeScreen(sitting)).run_or_fail()
