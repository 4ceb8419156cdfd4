"""The line that says what the figures rest on."""

from __future__ import annotations

from textual.widgets import Static

from advisor.text import one_line
from advisor.tui.session import Session


class Grounds(Static):
    """This machine or a simulated one, the engine, and the basis of memory and speed."""

    def __init__(self, session: Session) -> None:
        super().__init__(markup=False)
        self._session = session

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        """Bring the line up to date."""
        session = self._session
        if session.machine is None:
            waiting = session.probe_error is None
            self.update("looking at this machine …" if waiting else "no machine")
            return
        from advisor.domain.presentation import grounds
        from advisor.domain.proof_words import measuring_line

        measuring = session.measuring
        if measuring is not None and measuring.is_running:
            self.update(measuring_line(measuring.name, measuring.stage, measuring.half_widths, measuring.share))
        else:
            self.update(one_line(grounds(session.machine, session.chosen, session.evidence)))
