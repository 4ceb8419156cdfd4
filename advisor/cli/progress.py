"""Progress on a terminal's standard error; elsewhere only what a download waits for is said."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

from advisor.cli.diagnostics import note
from advisor.domain.transfer import Transfer, transfer_text
from advisor.text import printable

_STAGES = {"write": "writing slices", "load": "loading slices", "prefill": "timing a prompt", "decode": "timing tokens"}


class _Bar:
    """A bar on a terminal, drawn from the first event on."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _show(self, text: str, share: float) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (BarColumn(bar_width=30), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(text, total=1.0)
            self._bar.start()
        self._bar.update(self._task, description=text, completed=share)


class MeasuringProgress(_Bar):
    """A bar that follows the events of a measurement."""

    def __call__(self, event: object) -> None:
        """Show where a measurement stands."""
        payload = getattr(event, "payload", {})
        stage = _STAGES.get(str(payload.get("stage", "")))
        if stage is None or not sys.stderr.isatty():
            return
        width = payload.get("half_width")
        known = f", known to ±{width:.0%}" if isinstance(width, float) and width < 1 else ""
        self._show(stage + known, float(payload.get("share", 0.0)))


class TransferProgress(_Bar):
    """A bar that follows a download or the hashing of files."""

    def __call__(self, now: Transfer) -> None:
        """Show how it stands: rate and time left. What keeps it back is said on any standard error."""
        if not sys.stderr.isatty():
            if now.stage == "wait" and now.text is not None:
                note(now.text)
            return
        self._show(printable(transfer_text(now)), now.share)
