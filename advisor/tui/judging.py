"""Blind judging from within the screens, and alone for `llm-advisor trial --judge`."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import App

from advisor.errors import AdvisorError
from advisor.tui.crash import CrashingApp
from advisor.tui.session import Session
from advisor.tui.sturdy import SturdyApp
from advisor.tui.theme import THEMES

if TYPE_CHECKING:
    from advisor.tui.screens.judge import JudgeScreen

STYLES: tuple[str, ...] = ("screens/judge.tcss",)


class JudgingApp(App[None]):
    """The part of the app that opens blind judging."""

    session: Session

    def warn(self, error: AdvisorError) -> None:
        """Show an error as a notice."""
        raise NotImplementedError

    def action_judge(self) -> None:
        """Judge the answers of the last trial, pair by pair."""
        try:
            sitting = self.session.advisor.sitting()
        except AdvisorError as error:
            self.warn(error)
        else:
            from advisor.tui.screens.judge import JudgeScreen

            self.push_screen(JudgeScreen(sitting))


class JudgeAlone(SturdyApp, CrashingApp):
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
    from advisor.service import Advisor
    from advisor.tui.screens.judge import JudgeScreen

    sitting = Advisor().sitting(result, seed=seed)
    with sitting:  # tells before the screen opens that another program judges it
        pass
    JudgeAlone(JudgeScreen(sitting)).run()
