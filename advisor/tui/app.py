"""The app: it takes messages, changes the session and tells the places."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.signal import Signal
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from advisor.domain.gates import PLACEMENT_CODES
from advisor.domain.head_to_head.compare import FEWEST, MOST
from advisor.domain.relaxing import relaxation_lines
from advisor.errors import AdvisorError
from advisor.service import Advisor, MachineChoice
from advisor.tui.backstage import Backstage
from advisor.tui.commands import commands_at
from advisor.tui.messages import (
    Advised,
    AnswersChanged,
    Compared,
    Counted,
    Probed,
    ProbeFailed,
    Relaxed,
    SmokeEnded,
    SmokeMoved,
    Topic,
)
from advisor.tui.places import PlaceId
from advisor.tui.screens import PLACE_SCREENS
from advisor.tui.screens.compare import CompareScreen
from advisor.tui.screens.help import HelpScreen
from advisor.tui.screens.leave import LeaveScreen
from advisor.tui.screens.place import Place
from advisor.tui.screens.plot import PlotScreen
from advisor.tui.screens.what_if import Applied, WhatIfScreen
from advisor.tui.session import Session, Smoke
from advisor.tui.theme import ADVISOR_THEME
from advisor.tui.widgets.ranking import Ranking

DEBOUNCE_S = 0.12
"""Wait for the next key before a new recommendation is made."""


class AdvisorApp(App[None]):
    """Machine, Needs, Picks, Proof, Export."""

    TITLE = "llm-advisor"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "app.tcss",
        "screens/screens.tcss",
        "screens/picks.tcss",
        "widgets/widgets.tcss",
        "screens/needs.tcss",
        "screens/what_if.tcss",
    ]
    DEFAULT_MODE = "machine"
    # Textual declares these two as instance variables, so they cannot be marked as belonging to the class.
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(
        self, advisor: Advisor, choice: MachineChoice | None = None, working_directory: Path | None = None
    ) -> None:
        super().__init__()
        self.session = Session(advisor, choice or MachineChoice(), working_directory or Path.cwd())
        self.changed: Signal[Topic] = Signal(self, "session")
        self._backstage = Backstage(self, advisor)
        self._told_of_overlay = False
        self._debounce: Timer | None = None
        for place, screen in PLACE_SCREENS.items():
            self.add_mode(place, partial(screen, self.session, self.changed))
        self.register_theme(ADVISOR_THEME)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = ADVISOR_THEME.name

    def on_mount(self) -> None:
        self._backstage.probe(self.session.choice)

    def on_unmount(self) -> None:
        self._backstage.stop_advice()
        self._backstage.stop_smoke()

    # ------------------------------------------------------------ actions

    async def action_go(self, place: PlaceId, to_bar: bool = False) -> None:
        """Show a place; with `to_bar` the focus stays on the bar of places."""
        await self.switch_mode(place)
        if to_bar and isinstance(self.screen, Place):
            self.screen.focus_bar()

    def action_rescan(self) -> None:
        """Look at the machine again."""
        self.session.machine = self.session.probe_error = None
        self.changed.publish("machine")
        self._backstage.probe(self.session.choice)

    def action_examine(self) -> None:
        """Find what would change the first pick, unless that is known."""
        found = self.session.found
        if found is None or found.sensitivity is None or found.sensitivity.constraints is not None:
            return
        self.notify("Trying other requirements, one at a time …", markup=False)
        self._backstage.examine(found)

    def action_what_if(self) -> None:
        """Try other hardware and other needs beside the present ones."""
        session = self.session
        if session.base_machine is None or session.found is None:
            self.notify("One moment: this machine is still being looked at.", markup=False)
            return
        self.push_screen(WhatIfScreen(session, self._wanted_model()), self._what_if_ended)

    def _wanted_model(self) -> str | None:
        """The excluded model under the cursor of a table, or else the nearest miss that hardware could admit."""
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
        if outcome.trial is None or outcome.machine is None:
            self.session.leave_simulation()
        else:
            self.session.simulate(outcome.trial.hardware, outcome.machine, outcome.trial.answers)
            if not outcome.trial.changes_hardware:
                self.notify("The needs are changed; the machine is this one.", markup=False)
        self.changed.publish("machine")
        self.changed.publish("refilled")
        self._advise()

    def action_admit(self, model_id: str) -> None:
        """Change the answers just so far that an excluded model passes."""
        if self.session.found is not None:
            self._backstage.relax(model_id, self.session.found, dict(self.session.answers))

    def action_undo(self) -> None:
        """Take back the last preset, reset or admission."""
        before = self.session.undo()
        if before is None:
            self.notify("There is nothing to take back: no preset, defaults or admission.", markup=False)
            return
        self.notify(f"The answers are again as before {before.what}.", markup=False)
        self.changed.publish("refilled")
        self.post_message(AnswersChanged())

    def action_compare(self) -> None:
        """Put the marked models side by side."""
        found, marked = self.session.found, self.session.marked_candidates
        if found is None or len(marked) < FEWEST:
            self.notify(f"Mark {FEWEST} to {MOST} rows with the space bar, then press c.", markup=False)
            return
        names = [candidate.id for candidate in marked]
        self.push_screen(CompareScreen([candidate.model.name for candidate in marked]))
        self._backstage.compare(names, found.machine, found.constraints)

    def action_plot(self) -> None:
        """Show quality against speed."""
        found, chosen = self.session.found, self.session.chosen
        if found is None or chosen is None:
            self.notify("No model passes, so there is nothing to plot. x shows why.", markup=False)
            return
        self.push_screen(PlotScreen(found, chosen), self._choose)

    def _choose(self, model_id: str | None) -> None:
        if model_id is not None:
            self.session.chosen_model = model_id
            self.changed.publish("advice")

    async def action_smoke(self) -> None:
        """Show Proof and start the smoke test of the selected candidate, unless one is running."""
        await self.switch_mode("proof")
        session = self.session
        chosen, found = session.chosen, session.found
        is_busy = session.smoke is not None and session.smoke.is_running
        if chosen is None or found is None or session.is_simulated or is_busy:
            return
        session.smoke = Smoke(chosen)
        self.changed.publish("smoke")
        self._backstage.smoke(chosen, found.constraints)

    def action_stop_smoke(self) -> None:
        """Cancel the running smoke test."""
        smoke = self.session.smoke
        if smoke is not None and smoke.is_running:
            self._backstage.stop_smoke()
            self.session.smoke = replace(smoke, is_cancelled=True)
            self.changed.publish("smoke")

    def action_help(self) -> None:
        """Show what the keys do in this place."""
        if isinstance(self.screen, Place):
            self.push_screen(HelpScreen(self.screen.place))

    def action_leave(self) -> None:
        """Quit; ask first where answers would be lost."""
        if self.session.has_unsaved_answers:
            self.push_screen(LeaveScreen(), lambda leave: self.exit() if leave else None)
        else:
            self.exit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        if isinstance(screen, Place):
            for command in commands_at(screen.place):
                run = partial(self.run_action, command.action, screen)
                yield SystemCommand(f"{command.label} ({command.shown})", command.help, run)
        yield from (c for c in super().get_system_commands(screen) if c.title in ("Theme", "Screenshot"))

    # ------------------------------------------------------------ messages

    @on(Probed)
    def _probed(self, message: Probed) -> None:
        self.session.machine = message.machine
        self.session.simulation = None
        self.changed.publish("machine")
        self._advise()

    @on(ProbeFailed)
    def _probe_failed(self, message: ProbeFailed) -> None:
        self.session.probe_error = message.error
        self.changed.publish("machine")
        self.warn(message.error)

    @on(AnswersChanged)
    def _answers_changed(self) -> None:
        self.session.is_counting = True
        self.changed.publish("answers")
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(DEBOUNCE_S, self._advise)

    def _advise(self) -> None:
        session = self.session
        if session.machine is None:
            return
        try:
            constraints = session.advisor.constraints(session.answers)
        except AdvisorError as error:
            self._advised(Advised(self._backstage.advice_ticket, error))
        else:
            self._backstage.advise(session.machine, constraints, session.answers, session.named)

    @on(Advised)
    def _advised(self, message: Advised) -> None:
        if message.ticket != self._backstage.advice_ticket:
            return
        if isinstance(message.outcome, AdvisorError):
            self.session.advice_error = message.outcome
        else:
            self.session.found, self.session.advice_error = message.outcome, None
        self._tell_of_overlay()
        self.changed.publish("advice")

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if message.ticket == self._backstage.advice_ticket:
            self.session.idle = message.idle
            self.session.is_counting = message.exclusions is None
            if message.exclusions is not None:
                self.session.exclusions = {one.key: one for one in message.exclusions}
            self.changed.publish("counts")

    @on(Relaxed)
    def _relaxed(self, message: Relaxed) -> None:
        # Answers that changed meanwhile must not be overwritten.
        if message.ticket != self._backstage.advice_ticket:
            return
        done = message.outcome
        if isinstance(done, AdvisorError):
            self.warn(done)
            return
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
        if message.ticket == self._backstage.comparison_ticket and isinstance(self.screen, CompareScreen):
            self.screen.show(message.outcome)

    def _tell_of_overlay(self) -> None:
        """Say once that the user's own entries are not used."""
        problem = self.session.advisor.overlay_problem
        if problem is not None and not self._told_of_overlay:
            self._told_of_overlay = True
            self.notify(f"Your own entries are not used: {problem}", severity="warning", timeout=15, markup=False)

    @on(SmokeMoved)
    def _smoke_moved(self, message: SmokeMoved) -> None:
        smoke = self.session.smoke
        if smoke is None or message.ticket != self._backstage.smoke_ticket:
            return
        self.session.smoke = smoke.moved(message.event)
        self.changed.publish("smoke")

    @on(SmokeEnded)
    def _smoke_ended(self, message: SmokeEnded) -> None:
        smoke = self.session.smoke
        if smoke is None or message.ticket != self._backstage.smoke_ticket:
            return
        outcome = message.outcome
        if isinstance(outcome, AdvisorError):
            self.session.smoke = replace(smoke, error=outcome)
        else:
            self.session.smoke = replace(smoke, report=outcome)
        self.changed.publish("smoke")

    @on(Worker.StateChanged)
    def _worker_broke(self, event: Worker.StateChanged) -> None:
        """What nobody foresaw is shown and leaves the answers alone."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.warn(AdvisorError(f"unexpected {type(error).__name__}", why=str(error), hint="Please report it."))

    def warn(self, error: AdvisorError) -> None:
        """Show an error as a notice."""
        self.notify(str(error), severity="error", timeout=10, markup=False)
