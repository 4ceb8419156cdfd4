"""What the app does with the engine: smoke tests and measurements, one at a time, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import inf
from time import monotonic

from textual import on

from advisor.errors import AdvisorError
from advisor.tui.advising import AdvisingApp
from advisor.tui.measuring import Measuring
from advisor.tui.messages import MeasuringEnded, MeasuringMoved, RankedAgain, SmokeEnded, SmokeMoved, Topic
from advisor.tui.session import Smoke

_SHOWN_EVERY_S = 0.2
"""Progress and tokens: a small model writes a hundred tokens a second, which nobody reads one by one."""


class ProvingApp(AdvisingApp):
    """The part of the app that starts, follows and stops runs of the engine."""

    _shown_at = -inf
    _will_show = False

    def _show_progress(self, topic: Topic) -> None:
        """Show how far the engine is, but seldom: drawing takes cores from what is measured, and holds up keys."""
        wait_s = self._shown_at + _SHOWN_EVERY_S - monotonic()
        if wait_s <= 0:
            self._show_now(topic)
        elif not self._will_show:
            self._will_show = True
            self.set_timer(wait_s, partial(self._show_now, topic))

    def _show_now(self, topic: Topic) -> None:
        self._shown_at, self._will_show = monotonic(), False
        self.changed.publish(topic)

    # ------------------------------------------------------------ smoke test

    async def action_smoke(self) -> None:
        """Show Proof and start the smoke test of the selected candidate, unless the engine is busy."""
        await self.switch_mode("proof")
        session = self.session
        chosen, found = session.chosen, session.found
        if chosen is None or found is None or session.is_simulated or not self.is_engine_free():
            return
        session.smoke = Smoke(chosen)
        self._jobs.smoke(chosen, found.constraints)
        self.changed.publish("smoke")

    async def action_smoke_next(self) -> None:
        """After a failed test: select the candidate that the report names next, and test it."""
        smoke, found = self.session.smoke, self.session.found
        if smoke is None or smoke.report is None or found is None:
            return
        named = [step.candidate for step in smoke.report.next_steps]
        following = next((c for c in found.ranked if c.id in named), None)
        if following is None:
            self.notify("The last smoke test names no other candidate.", markup=False)
            return
        self.session.chosen_model = following.model.id
        self.changed.publish("chosen")
        await self.action_smoke()

    def action_stop_engine(self) -> None:
        """Cancel what runs; what was measured before stays."""
        smoke, measuring = self.session.smoke, self.session.measuring
        if smoke is not None and smoke.is_running:
            self._jobs.stop_engine()
            self.session.smoke = replace(smoke, is_cancelled=True)
            self.changed.publish("smoke")
        if measuring is not None and measuring.is_running:
            self._jobs.stop_engine()
            self.session.measuring = replace(measuring, is_cancelled=True)
            self.changed.publish("measuring")

    @on(SmokeMoved)
    def _smoke_moved(self, message: SmokeMoved) -> None:
        smoke = self.session.smoke
        if smoke is None or message.ticket != self._jobs.engine_ticket:
            return
        self.session.smoke = smoke.moved(message.event)
        self._show_progress("smoke")

    @on(SmokeEnded)
    def _smoke_ended(self, message: SmokeEnded) -> None:
        smoke = self.session.smoke
        if smoke is None or message.ticket != self._jobs.engine_ticket:
            return
        outcome = message.outcome
        if isinstance(outcome, AdvisorError):
            self.session.smoke = replace(smoke, error=outcome)
        else:
            self.session.smoke = replace(smoke, report=outcome)
        self.changed.publish("smoke")

    # ------------------------------------------------------------ download

    def action_download(self) -> None:
        """Ask whether the selected candidate's file may be downloaded, and follow that."""
        chosen = self.session.chosen
        if chosen is None:
            self.notify("There is no pick yet whose file could be fetched.", severity="warning", markup=False)
        elif self.is_web:
            self.notify("Files are fetched by whoever runs the server: llm-advisor download", markup=False)
        else:
            from advisor.tui.screens.fetch import FetchScreen

            self.push_screen(FetchScreen(self.session.advisor, chosen))

    # ------------------------------------------------------------ measurement

    def action_measure(self, best: bool) -> None:
        """Measure the best of the ranking, or the selected candidate; where a measurement runs, stop it."""
        session = self.session
        if session.measuring is not None and session.measuring.is_running:
            self.action_stop_engine()
            return
        chosen, found = session.chosen, session.found
        if chosen is None or found is None:
            self.notify("There is no pick yet that could be measured.", severity="warning", markup=False)
        elif session.is_simulated:
            self.notify("The machine is simulated, so nothing can be measured on it.", markup=False)
        elif self.is_engine_free():
            before = {c.id: c.speed for c in found.quantizations}
            session.measuring = Measuring(None if best else chosen, before)
            self._jobs.measure(found, None if best else chosen.id)
            self.changed.publish("measuring")

    def _measuring(self, ticket: int) -> Measuring | None:
        return self.session.measuring if ticket == self._jobs.engine_ticket else None

    @on(MeasuringMoved)
    def _measuring_moved(self, message: MeasuringMoved) -> None:
        measuring = self._measuring(message.ticket)
        if measuring is not None:
            self.session.measuring = measuring.moved(message.event)
            self._show_progress("measuring")

    @on(RankedAgain)
    def _ranked_again(self, message: RankedAgain) -> None:
        measuring = self._measuring(message.ticket)
        if measuring is None:
            return
        session, found = self.session, message.found
        session.measuring, session.timings = replace(measuring, found=found), found.timings
        now = session.found
        if now is not None and (now.constraints, session.evidence) == (found.constraints, found.trial):
            session.found = found
            self.changed.publish("advice")
        else:
            # What is asked changed meanwhile: the calibration holds for them, too.
            self.advise()

    @on(MeasuringEnded)
    def _measuring_ended(self, message: MeasuringEnded) -> None:
        measuring = self._measuring(message.ticket)
        if measuring is None:
            return
        outcome = message.outcome
        if isinstance(outcome, AdvisorError):
            self.session.measuring = replace(measuring, error=outcome)
        else:
            found, problems = outcome
            self.session.measuring = replace(measuring, found=found, problems=problems, is_done=True)
            self.notify(
                f"Measured and ranked again{f'; {len(problems)} not measured' if problems else ''}.", markup=False
            )
        self.changed.publish("measuring")
