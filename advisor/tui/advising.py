"""What every part of the app stands on: the session, the work behind it, and the advice that follows both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.signal import Signal
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from advisor.errors import AdvisorError
from advisor.tui.background_jobs import BackgroundJobs
from advisor.tui.crash import CrashingApp
from advisor.tui.ending import EndingApp
from advisor.tui.keymap import Keymap
from advisor.tui.listening import DEBOUNCE_S
from advisor.tui.messages import Advised, AnswersChanged, Counted, Probed, ProbeFailed, Topic
from advisor.tui.preloading import PreloadingApp
from advisor.tui.resilient import ResilientApp
from advisor.tui.session import Session

if TYPE_CHECKING:
    from advisor.service import Advisor, MachineChoice


class AdvisingApp(PreloadingApp, ResilientApp, EndingApp, CrashingApp):
    """Looks at the machine and asks for advice whenever machine or answers change."""

    def __init__(self, advisor: Advisor, choice: MachineChoice | None, working_directory: Path, keys: Keymap) -> None:
        super().__init__()
        self.session = Session(advisor, choice, working_directory, keys)
        self.changed: Signal[Topic] = Signal(self, "session")
        self._jobs = BackgroundJobs(self, advisor)
        self._told_of_overlay = self._has_advice = False
        self._debounce: Timer | None = None

    async def begin(self) -> None:
        """What follows the first picture of the first screen."""
        await self.load_modules()
        self.probe()

    def _settle(self) -> None:
        """The first advice is there and no thread works. Built for no pick, a place would have its focus elsewhere."""
        if not self._has_advice:
            self._has_advice = True
            self.in_spare_time(self.build_places())

    def probe(self) -> None:
        """Look at the machine; advice follows."""
        self._jobs.probe(self.session.choice)

    def advise(self) -> None:
        """Ask for advice on the present answers."""
        session = self.session
        if session.machine is None:
            return
        try:
            constraints = session.advisor.constraints(session.answers)
        except AdvisorError as error:
            self._advised(Advised(self._jobs.advice_ticket, error))
        else:
            timings, evidence = session.valid_timings, session.evidence
            self._jobs.advise(session.machine, constraints, session.answers, session.named, timings, evidence)

    def warn(self, error: AdvisorError) -> None:
        """Show an error as a notice."""
        self.notify(str(error), severity="error", timeout=10, markup=False)

    def is_engine_free(self) -> bool:
        """Whether the engine may start something; says what it does where it may not."""
        busy = self.session.busy_with
        if busy is not None:
            self.notify(f"Already running: {busy}. In Proof it can be cancelled.", severity="warning", markup=False)
        return busy is None

    # ------------------------------------------------------------ messages

    @on(Probed)
    def _probed(self, message: Probed) -> None:
        self.session.machine = message.machine
        self.session.simulation = None
        self.changed.publish("machine")
        self.advise()

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
        self._debounce = self.set_timer(DEBOUNCE_S, self.advise)

    @on(Advised)
    def _advised(self, message: Advised) -> None:
        if message.ticket != self._jobs.advice_ticket:
            return
        if isinstance(message.outcome, AdvisorError):
            self.session.advice_error = message.outcome
        else:
            self.session.found, self.session.advice_error = message.outcome, None
        self._tell_of_overlay()
        self.changed.publish("advice")

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if message.ticket == self._jobs.advice_ticket:
            self.session.idle = message.idle
            self.session.is_counting = message.exclusions is None
            if message.exclusions is not None:
                self.session.exclusions = {one.key: one for one in message.exclusions}
            self.changed.publish("counts")
            if not self.session.is_counting:
                self._settle()

    def _tell_of_overlay(self) -> None:
        """Say once that the user's own entries are not used."""
        problem = self.session.advisor.overlay_problem
        if problem is not None and not self._told_of_overlay:
            self._told_of_overlay = True
            self.notify(f"Your own entries are not used: {problem}", severity="warning", timeout=15, markup=False)

    @on(Worker.StateChanged)
    def _worker_broke(self, event: Worker.StateChanged) -> None:
        """What nobody foresaw is shown and leaves the answers alone."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.warn(AdvisorError(f"unexpected {type(error).__name__}", why=str(error), hint="Please report it."))

    def on_unmount(self) -> None:
        self._jobs.stop_advice()
        self._jobs.stop_engine()
