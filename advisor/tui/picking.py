"""What the app does with the ranking: what if, admission and its undoing, comparison, the plot, scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.notifications import SeverityLevel

from advisor.errors import AdvisorError
from advisor.tui.advising import AdvisingApp
from advisor.tui.messages import AnswersChanged, Compared, Relaxed

if TYPE_CHECKING:
    from advisor.domain.recommend import Recommendation
    from advisor.tui.tryout import Applied


class PickingApp(AdvisingApp):
    """The part of the app that looks at the ranking from other sides and changes what it is made for."""

    def action_what_if(self) -> None:
        """Try other hardware and other needs beside the present ones."""
        session = self.session
        if session.base_machine is None or session.found is None:
            self.notify("One moment: this machine is still being looked at.", markup=False)
            return
        from advisor.tui.screens.what_if import WhatIfScreen

        self.push_screen(WhatIfScreen(session, self._wanted_model()), self._what_if_ended)

    def _wanted_model(self) -> str | None:
        """The excluded model under the cursor of a table, or else the nearest miss that hardware could admit."""
        from advisor.domain.gates import PLACEMENT_CODES
        from advisor.tui.widgets.ranking import Ranking

        found = self.session.found
        rejected = () if found is None else found.rejected
        tables = self.screen.query(Ranking)
        under_cursor = next((t.selected_key for t in tables if t.display), None)
        if any(r.model.id == under_cursor for r in rejected):
            return under_cursor
        misses = (r.model.id for r in rejected if {reason.code for reason in r.reasons} <= PLACEMENT_CODES)
        return next(misses, None)

    def _what_if_ended(self, outcome: Applied | None) -> None:
        if outcome is None:
            return
        if outcome.tryout is None or outcome.machine is None:
            self.session.leave_simulation()
        else:
            tryout = outcome.tryout
            self.session.simulate(tryout.hardware, outcome.machine, tryout.answers, tryout.named)
            if not tryout.changes_hardware:
                self.notify("The needs are changed; the machine is this one.", markup=False)
        self.changed.publish("machine")
        self.changed.publish("refilled")
        self.advise()

    def action_admit(self, model_id: str) -> None:
        """Change the answers just so far that an excluded model passes."""
        if self.session.found is not None:
            self._jobs.relax(model_id, self.session.found, dict(self.session.answers))

    def action_undo(self) -> None:
        """Take back the last preset, reset or admission."""
        before = self.session.undo()
        if before is None:
            self.notify("There is nothing to take back: no preset, defaults or admission.", markup=False)
            return
        self.clear_notifications()  # what was told of the change holds no more
        self.notify(f"The answers are again as before {before.what}.", markup=False)
        self.changed.publish("refilled")
        self.post_message(AnswersChanged())

    def action_compare(self) -> None:
        """Put the marked models side by side."""
        from advisor.domain.head_to_head.compare import FEWEST, MOST
        from advisor.tui.screens.compare import CompareScreen

        found, marked = self.session.found, self.session.marked_candidates
        if found is None or len(marked) < FEWEST:
            self.notify(f"Mark {FEWEST} to {MOST} rows with the space bar, then press c.", markup=False)
            return
        names = [candidate.id for candidate in marked]
        self.push_screen(CompareScreen([candidate.model.name for candidate in marked]))
        self._jobs.compare(names, found)

    def action_plot(self) -> None:
        """Show quality against speed."""
        found, chosen = self._ranked("plot"), self.session.chosen
        if found is None or chosen is None:
            return
        from advisor.tui.screens.plot import PlotScreen

        self.push_screen(PlotScreen(found, chosen), self._choose)

    def _ranked(self, purpose: str) -> Recommendation | None:
        """The ranking, if there is one with a model in it; otherwise says why there is nothing for the purpose."""
        found = self.session.found
        if found is None:
            self.notify(f"There is no ranking yet, so there is nothing to {purpose}.", markup=False)
        elif found.pick is None:
            self.notify(f"No model passes, so there is nothing to {purpose}. x shows why.", markup=False)
        else:
            return found
        return None

    def action_scale(self) -> None:
        """Show users against latency."""
        found = self._ranked("serve")
        if found is None:
            return
        from advisor.tui.screens.scale import ScaleScreen

        self.push_screen(ScaleScreen(self.session.advisor, found))

    def _choose(self, model_id: str | None) -> None:
        if model_id is not None:
            self.session.chosen_model = model_id
            self.changed.publish("advice")

    # ------------------------------------------------------------ messages

    @on(Relaxed)
    def _relaxed(self, message: Relaxed) -> None:
        # Answers that changed meanwhile must not be overwritten.
        if message.ticket != self._jobs.advice_ticket:
            return
        done = message.outcome
        if isinstance(done, AdvisorError):
            self.warn(done)
            return
        from advisor.domain.relaxing import relaxation_lines

        lines = relaxation_lines(done, self.session.advisor.questionnaire, self.session.answers)
        if done.is_admitted:
            lines = (*lines, "u takes it back.")
            self.session.relax(done.answers, done.found.named, done.model.name)
            self.session.chosen_model = done.model.id
            self.changed.publish("refilled")
            self.post_message(AnswersChanged())
        severity: SeverityLevel = "information" if done.is_admitted else "warning"
        self.notify("\n".join(lines), severity=severity, timeout=12, markup=False)

    @on(Compared)
    def _compared(self, message: Compared) -> None:
        from advisor.tui.screens.compare import CompareScreen

        if message.ticket == self._jobs.comparison_ticket and isinstance(self.screen, CompareScreen):
            self.screen.show(message.outcome)
