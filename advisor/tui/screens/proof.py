"""Proof: the selected model run here for a moment, prediction beside measurement."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, ProgressBar, Static

from advisor.domain.presentation import Paragraph, smoke_intention, smoke_paragraphs, smoke_stage
from advisor.tui.commands import bindings_at
from advisor.tui.messages import Topic
from advisor.tui.screens.place import Place
from advisor.tui.session import Smoke
from advisor.tui.widgets.paragraphs import Paragraphs

_NOTHING = Paragraph("Nothing to prove yet", ("No model is selected. 3 shows the picks.",))
_SIMULATED = Paragraph("Not here", ("The machine is simulated, so nothing can be measured on it.",))
_STALE = "The last smoke test was of another choice; it is not shown."


class ProofScreen(Place):
    """The engine runs in a child process: whatever happens to it, this screen stays."""

    place = "proof"
    BINDINGS = bindings_at("proof")
    AUTO_FOCUS = "#start"

    _shown_outcome: tuple[Paragraph, ...] = ()

    def body(self) -> ComposeResult:
        yield Static(markup=False, id="proof-title")
        with Horizontal(id="proof-buttons"):
            yield Button("t: start the smoke test", id="start", variant="primary", action="app.smoke", compact=True)
            yield Button("c: cancel", id="cancel", action="app.stop_smoke", compact=True)
            yield ProgressBar(total=1.0, show_eta=False, id="progress")
        yield Static(markup=False, id="stage")
        with VerticalScroll(id="written", can_focus=False):
            yield Static(markup=False, id="written-text")
        yield Paragraphs(id="outcome")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        smoke = self.session.smoke
        if smoke is not None and smoke.is_running:
            self._show_progress(smoke)

    def show_topic(self, topic: Topic) -> None:
        session = self.session
        chosen, smoke = session.chosen, session.smoke
        running = smoke is not None and smoke.is_running
        shown = smoke if running else session.chosen_smoke
        self.set_class(running, "-running")
        self.set_class(shown is not None and bool(shown.text), "-writes")
        start = self.query_one("#start", Button)
        start.disabled = running or chosen is None or session.is_simulated
        start.label = "running …" if running else "t: run it again" if shown else "t: start the smoke test"
        self.query_one("#cancel", Button).disabled = not running
        subject = shown.candidate if shown is not None else chosen
        name = f"{subject.model.name} {subject.quantization.name}" if subject is not None else ""
        self.query_one("#proof-title", Static).update(name)
        self._show_progress(shown)
        outcome = self._outcome(shown)
        if outcome != self._shown_outcome:
            # Only then, because it scrolls back to the top.
            self._shown_outcome = outcome
            self.query_one("#outcome", Paragraphs).show(outcome)

    def _show_progress(self, smoke: Smoke | None) -> None:
        bar = self.query_one("#progress", ProgressBar)
        stage = ""
        if smoke is not None and smoke.is_running:
            seconds = time.monotonic() - smoke.started
            stage = smoke_stage(smoke.stage, smoke.share, smoke.n_tokens, seconds)
            bar.update(total=1.0 if smoke.share not in (None, 0.0, 1.0) else None, progress=smoke.share or 0.0)
        elif smoke is not None and smoke.is_cancelled:
            stage = "cancelled"
        self.query_one("#stage", Static).update(stage)
        self.query_one("#written-text", Static).update(smoke.text if smoke is not None else "")

    def _outcome(self, smoke: Smoke | None) -> tuple[Paragraph, ...]:
        session = self.session
        if session.chosen is None:
            return (_NOTHING,)
        if session.is_simulated:
            return (_SIMULATED, *smoke_intention(session.chosen))
        if smoke is None or smoke.is_cancelled:
            stale = () if session.smoke is None or smoke is not None else (Paragraph("Note", (_STALE,)),)
            return (*smoke_intention(session.chosen), *stale)
        if smoke.error is not None:
            lines = (f"✗ {smoke.error}", "The program itself is unharmed: t tries again, 3 goes back to the picks.")
            return (Paragraph("The smoke test did not finish", lines), *smoke_intention(smoke.candidate))
        if smoke.report is not None:
            return smoke_paragraphs(smoke.candidate, smoke.report.measurement, smoke.report.verdict)
        return smoke_intention(smoke.candidate)

    async def action_cancel(self) -> None:
        """Stop the running test."""
        await self.app.run_action("app.stop_smoke")

    async def action_back(self) -> None:
        """Stop a running test, or else go back to the picks."""
        smoke = self.session.smoke
        if smoke is not None and smoke.is_running:
            await self.action_cancel()
        else:
            await super().action_back()
