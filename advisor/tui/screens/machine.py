"""Machine: what was found here, and the way on."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static

from advisor.tui.commands import bindings_at
from advisor.tui.messages import Topic
from advisor.tui.screens.place import Place
from advisor.tui.widgets.fact_sheet import FactSheet


class MachineScreen(Place):
    """Painted at once, and so without what only the facts need; they follow when the probe is done."""

    place = "machine"
    BINDINGS = bindings_at("machine")
    AUTO_FOCUS = "#to-picks"

    def body(self) -> ComposeResult:
        yield Static("Which Mistral or Llama model should you run on this machine?", id="welcome", markup=False)
        yield FactSheet(id="facts")
        yield Static(id="outlook", markup=False)
        with Horizontal(id="ways"):
            yield Button("Enter: see picks", id="to-picks", variant="primary", action="app.go('picks')", compact=True)
            yield Button("2: answer questions first", id="to-needs", action="app.go('needs')", compact=True)

    def show_topic(self, topic: Topic) -> None:
        if topic == "machine":
            self._show_machine()
        own = self.session.has_own_answers
        label = "Enter: picks for my answers" if own else "Enter: picks with default answers"
        self.query_one("#to-picks", Button).label = label
        self.query_one("#outlook", Static).update(self._outlook())

    def _outlook(self) -> str:
        """What the machine can run by the answers so far."""
        found = self.session.found
        if found is None or self.session.advice_error is not None:
            return ""
        from advisor.domain.presentation import first_text, remaining_text

        return " · ".join(text for text in (remaining_text(found), first_text(found)) if text)

    def _show_machine(self) -> None:
        sheet = self.query_one(FactSheet)
        session = self.session
        if session.machine is not None:
            from advisor.domain.wording import machine_facts

            sheet.show(machine_facts(session.machine))
        elif session.probe_error is not None:
            sheet.show([("warning", str(session.probe_error))])
        else:
            sheet.show([("machine", "looking at processor, memory, graphics and llama.cpp …")])
