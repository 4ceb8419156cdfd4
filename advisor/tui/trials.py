"""Trials on the user's own tasks from within the screens: made, judged blind, and taken as the measure of quality."""

from __future__ import annotations

from pathlib import Path

from textual import on

from advisor.errors import AdvisorError
from advisor.tui.advising import AdvisingApp
from advisor.tui.messages import EvidenceRead, RankBy
from advisor.units import counted

STYLES: tuple[str, ...] = ("screens/judge.tcss", "screens/trial.tcss", "screens/evidence.tcss")


class TrialsApp(AdvisingApp):
    """The part of the app that opens trials and uses what they show."""

    def action_trial(self) -> None:
        """Let model files that are here answer the user's own tasks."""
        if self.is_web:
            self.notify("Trials are run by whoever runs the server: llm-advisor trial TASKS.jsonl", markup=False)
        elif self.is_engine_free():
            from advisor.tui.screens.trial import TrialScreen

            self.push_screen(TrialScreen(self.session))

    def action_judge(self) -> None:
        """Judge the answers of the last trial, pair by pair."""
        try:
            sitting = self.session.advisor.judging_session()
        except AdvisorError as error:
            self.warn(error)
        else:
            from advisor.tui.screens.judge import JudgeScreen

            self.push_screen(JudgeScreen(sitting))

    # ------------------------------------------------------------ ranking

    def action_rank_by_trial(self) -> None:
        """Ask which trial quality is to be judged by; where it is judged by one, go back to published results."""
        if self.session.evidence is not None:
            self.session.evidence = None
            self.notify("Quality is judged by published results again; o ranks by a trial.", markup=False)
            self.advise()
        elif self.is_web:
            said = "Files of the serving machine are not for its visitors: llm-advisor recommend --trial RESULT.json"
            self.notify(said, markup=False)
        else:
            from advisor.tui.screens.evidence import EvidenceScreen

            self.push_screen(EvidenceScreen(self.session), self._named)

    def _named(self, result: Path | None) -> None:
        if result is not None:
            self.post_message(RankBy(result))

    @on(RankBy)
    def _rank_by(self, message: RankBy) -> None:
        self._jobs.read_evidence(message.source)

    @on(EvidenceRead)
    async def _evidence_read(self, message: EvidenceRead) -> None:
        if isinstance(message.outcome, AdvisorError):
            self.warn(message.outcome)
            return
        evidence, remarks = message.outcome
        if not evidence.tried:
            why = ("Nothing is ranked by this trial: it says nothing of a model of the catalogue.", *remarks)
            self.notify("\n".join(why), severity="warning", timeout=12, markup=False)
            return
        self.session.evidence = evidence
        models = counted(len({one.model for one in evidence.tried}), "model was", "models were")
        lines = (f"Ranked by your trial “{evidence.tasks_name}”: {models} in it.", *remarks, "o in 3 Picks goes back.")
        self.notify("\n".join(lines), timeout=12, markup=False)
        self.advise()
        await self.switch_mode("picks")
