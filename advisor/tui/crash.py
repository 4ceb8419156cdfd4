"""What is left on the terminal when the screens break: the traceback, without values and without secrets."""

from __future__ import annotations

import traceback

from rich.segment import Segments
from rich.text import Text
from textual.app import App

from advisor.redaction import redacted
from advisor.text import printable


class CrashingApp(App[None]):
    """Textual shows the local variables of every frame, where tokens and the environment may be."""

    def _fatal_error(self) -> None:
        self.bell()
        told = Text(printable(redacted(traceback.format_exc().rstrip())), no_wrap=True, overflow="ignore")
        self._exit_renderables.append(Segments(self.console.render(told, self.console.options)))
        self._close_messages_no_wait()

    def run_or_fail(self) -> None:
        """Run until the user leaves. After an error that nobody foresaw Textual just returns; this ends with 1."""
        self.run()
        if self._exception is not None:  # its return code says what a key that came after the error asked for
            raise SystemExit(1)
