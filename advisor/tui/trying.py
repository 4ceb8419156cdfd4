"""Trials on the user's own tasks from within the screens, and the blind judging of their answers."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.tui.advising import AdvisingApp
from advisor.tui.screens.judge import JudgeScreen
from advisor.tui.screens.trial import TrialScreen

STYLES: tuple[str, ...] = ("screens/judge.tcss", "screens/trial.tcss")


class TryingApp(AdvisingApp):
    """The part of the app that opens trials and judges them."""

    def action_trial(self) -> None:
        """Let model files that are here answer the user's own tasks."""
        if self.is_web:
            self.notify("Trials are run by whoever runs the server: llm-advisor trial TASKS.jsonl", markup=False)
        elif self.is_engine_free():
            self.push_screen(TrialScreen(self.session))

    def action_judge(self) -> None:
        """Judge the answers of the last trial, pair by pair."""
        try:
            sitting = self.session.advisor.judging_session()
        except AdvisorError as error:
            self.warn(error)
        else:
            self.push_screen(JudgeScreen(sitting))
