"""Trials on the user's own tasks from within the screens."""

from __future__ import annotations

from textual.app import App

from advisor.tui.session import Session

STYLES: tuple[str, ...] = ("screens/trial.tcss",)


class TryingApp(App[None]):
    """The part of the app that opens trials."""

    session: Session

    def action_trial(self) -> None:
        """Let model files that are here answer the user's own tasks."""
        if self.is_web:
            self.notify("Trials are run by whoever runs the server: llm-advisor trial TASKS.jsonl", markup=False)
        elif self.session.busy_with is not None:
            busy = self.session.busy_with
            self.notify(f"Already running: {busy}. In Proof it can be cancelled.", severity="warning", markup=False)
        else:
            from advisor.tui.screens.trial import TrialScreen

            self.push_screen(TrialScreen(self.session))
