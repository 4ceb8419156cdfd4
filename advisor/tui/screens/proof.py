"""Proof: the selected model timed and run here, prediction beside measurement."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Sparkline, Static

from advisor.domain.presentation import Paragraph, smoke_intention, smoke_paragraphs, smoke_stage
from advisor.domain.proof_words import (
    MEASURE_STAGES,
    interval_text,
    measure_intention,
    measured_paragraphs,
    next_lines,
)
from advisor.tui.commands import bindings_at
from advisor.tui.empty import no_pick_lines, way_back
from advisor.tui.measuring import Measuring
from advisor.tui.messages import Topic
from advisor.tui.screens.place import Place
from advisor.tui.session import Smoke
from advisor.tui.widgets.meter import IntervalMeter, Meter
from advisor.tui.widgets.paragraphs import Paragraphs

_SIMULATED = "The machine is simulated, so nothing can be measured on it."
_STALE = "The last smoke test was of another choice; it is not shown."
_UNHARMED = "The program itself is unharmed: the same key tries again, 3 goes back to the picks."


class ProofScreen(Place):
    """The engine runs in a child process: whatever happens to it, this screen stays."""

    place = "proof"
    BINDINGS = bindings_at("proof")
    AUTO_FOCUS = "#start"

    _shown_outcome: tuple[Paragraph, ...] = ()

    def body(self) -> ComposeResult:
        yield Static(markup=False, id="proof-title")
        with Horizontal(id="proof-buttons"):
            yield Button("t: test", id="start", variant="primary", action="app.smoke", compact=True)
            yield Button("m: measure", id="measure", action="app.measure(False)", compact=True)
            yield Button("c: cancel", id="cancel", action="app.stop_engine", compact=True)
            yield Button("o: own tasks", id="own-tasks", action="app.trial", compact=True)
            yield Button("d: download", id="download", action="app.download", compact=True)
            yield Meter(id="progress")
        yield Static(markup=False, id="stage")
        with Horizontal(id="known"):
            yield IntervalMeter(id="interval")
            yield Static(markup=False, id="interval-text")
        with Horizontal(id="rates"):
            yield Sparkline([], summary_function=max, id="token-rates")
            yield Static(markup=False, id="rate-text")
        with VerticalScroll(id="written", can_focus=False):
            yield Static(markup=False, id="written-text")
        yield Paragraphs(id="outcome")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self.session.busy_with is not None:
            self._show_progress(self._shown_smoke())

    def _shown_smoke(self) -> Smoke | None:
        smoke = self.session.smoke
        return smoke if smoke is not None and smoke.is_running else self.session.chosen_smoke

    # ------------------------------------------------------------ what is shown

    def show_topic(self, topic: Topic) -> None:
        session, smoke = self.session, self._shown_smoke()
        is_testing = smoke is not None and smoke.is_running
        is_measuring = session.measuring is not None and session.measuring.is_running
        self.set_class(is_testing or is_measuring, "-running")
        self.set_class(is_testing, "-testing")
        self.set_class(is_measuring, "-measuring")
        self.set_class(smoke is not None and bool(smoke.text), "-writes")
        self.set_class(smoke is not None and len(smoke.token_rates) > 1, "-rated")
        self._show_buttons(smoke, is_busy=is_testing or is_measuring)
        subject = smoke.candidate if smoke is not None else session.chosen
        name = f"{subject.model.name} {subject.quantization.name}" if subject is not None else ""
        self.query_one("#proof-title", Static).update(name)
        self._show_progress(smoke)
        outcome = self._outcome(smoke)
        if outcome != self._shown_outcome:
            # Only then, because it scrolls back to the top.
            self._shown_outcome = outcome
            self.query_one("#outcome", Paragraphs).show(outcome)

    def _show_buttons(self, smoke: Smoke | None, *, is_busy: bool) -> None:
        cannot = is_busy or self.session.chosen is None or self.session.is_simulated
        start, measure = self.query_one("#start", Button), self.query_one("#measure", Button)
        cancel = self.query_one("#cancel", Button)
        # A button that is switched off hands its focus to the next, which does something else.
        if is_busy and self.focused in (start, measure):
            cancel.disabled = False
            self.set_focus(cancel)
        elif not is_busy and self.focused is cancel and not cannot:
            start.disabled = False
            self.set_focus(start)
        start.disabled = measure.disabled = cannot
        cancel.disabled = not is_busy
        self.query_one("#download", Button).disabled = self.session.chosen is None

    def _show_progress(self, smoke: Smoke | None) -> None:
        measuring = self.session.measuring
        if measuring is not None and measuring.is_running:
            self._show_measuring(measuring)
            return
        stage, share = "", None
        if smoke is not None and smoke.is_running:
            seconds = time.monotonic() - smoke.started
            stage, share = smoke_stage(smoke.stage, smoke.share, smoke.n_tokens, seconds), smoke.share
        elif self._is_cancelled(smoke):
            stage = "cancelled"
        self.query_one("#progress", Meter).share = share
        self.query_one("#stage", Static).update(stage)
        self._show_tokens(smoke)

    def _is_cancelled(self, smoke: Smoke | None) -> bool:
        measuring = self.session.measuring
        return (smoke is not None and smoke.is_cancelled) or (measuring is not None and measuring.is_cancelled)

    def _show_tokens(self, smoke: Smoke | None) -> None:
        rates = smoke.token_rates if smoke is not None else ()
        self.query_one("#token-rates", Sparkline).data = list(rates)
        self.query_one("#written-text", Static).update(smoke.text if smoke is not None else "")
        if smoke is not None and rates:
            is_whole = smoke.report is None or smoke.report.measurement.is_whole
            what = "tok/s, token by token" if is_whole else "tok/s of the largest slice, token by token"
            self.query_one("#rate-text", Static).update(f"{min(rates):.1f} to {max(rates):.1f} {what}")

    def _show_measuring(self, measuring: Measuring) -> None:
        seconds = time.monotonic() - measuring.started
        words = MEASURE_STAGES.get(measuring.stage, measuring.stage)
        about = f"{measuring.name}: " if measuring.name else ""
        self.query_one("#stage", Static).update(f"{about}{words} … {seconds:.0f} s")
        self.query_one("#progress", Meter).share = measuring.share
        widths = measuring.half_widths
        self.query_one("#interval", IntervalMeter).half_width = widths[-1] if widths else None
        self.query_one("#interval-text", Static).update(interval_text(widths, measuring.n_rounds))

    # ------------------------------------------------------------ outcome

    def _outcome(self, smoke: Smoke | None) -> tuple[Paragraph, ...]:
        session = self.session
        if session.chosen is None:
            return (Paragraph("Nothing to prove yet", no_pick_lines(session)),)
        if session.is_simulated:
            return (Paragraph("Not here", (_SIMULATED, way_back(session))), *smoke_intention(session.chosen))
        measured, tested = self._measured(), self._tested(smoke)
        return (*tested, *measured) if self._is_test_newer(smoke) else (*measured, *tested)

    def _is_test_newer(self, smoke: Smoke | None) -> bool:
        """What was done last is read first."""
        measuring = self.session.measuring
        return smoke is not None and (measuring is None or smoke.started > measuring.started)

    def _measured(self) -> tuple[Paragraph, ...]:
        """What the latest measurement found, and what one would do where there is none."""
        measuring, chosen, found = self.session.measuring, self.session.chosen, self.session.found
        if chosen is None or found is None:
            return ()
        if measuring is None or measuring.is_cancelled:
            return measure_intention(chosen)
        if measuring.error is not None:
            return (Paragraph("The measurement did not finish", (f"✗ {measuring.error}", _UNHARMED)),)
        return measured_paragraphs(found, measuring.measured, measuring.problems)

    def _tested(self, smoke: Smoke | None) -> tuple[Paragraph, ...]:
        session = self.session
        if session.chosen is None:
            return ()
        if smoke is None or smoke.is_cancelled:
            stale = () if session.smoke is None or smoke is not None else (Paragraph("Note", (_STALE,)),)
            return (*stale, *smoke_intention(session.chosen))
        if smoke.error is not None:
            lines = (f"✗ {smoke.error}", _UNHARMED)
            return (Paragraph("The smoke test did not finish", lines), *smoke_intention(smoke.candidate))
        if smoke.report is not None:
            report = smoke.report
            return smoke_paragraphs(smoke.candidate, report.measurement, report.verdict, next_lines(report.next_steps))
        return smoke_intention(smoke.candidate)

    # ------------------------------------------------------------ the user

    async def action_cancel(self) -> None:
        """Stop what runs."""
        await self.app.run_action("app.stop_engine")

    async def action_back(self) -> None:
        """Stop what runs, or else go back to the picks."""
        if self.session.busy_with is not None:
            await self.action_cancel()
        else:
            await super().action_back()
