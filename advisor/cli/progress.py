"""Progress of a measurement on a terminal's standard error; silent elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

from advisor.text import one_line

_STAGES = {"write": "writing slices", "load": "loading slices", "prefill": "timing a prompt", "decode": "timing tokens"}


class Bar:
    """A bar on a terminal, drawn from the first event on."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._subject = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, text: str, share: float) -> None:
        """Draw a share of 0..1 and a text beside it, which is taken neither for markup nor for a terminal's codes."""
        text = one_line(text)
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (BarColumn(bar_width=30), TextColumn("{task.description}", markup=False))
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(text, total=1.0)
            self._bar.start()
        self._bar.update(self._task, description=text, completed=share)


class MeasuringProgress(Bar):
    """A bar that follows the events of a measurement."""

    def __call__(self, event: object) -> None:
        """Show where a measurement stands."""
        payload = getattr(event, "payload", {})
        if getattr(event, "kind", "") == "subject":
            self._subject = f"{payload['name']}: "
            return
        stage = _STAGES.get(str(payload.get("stage", "")))
        if stage is None or not sys.stderr.isatty():
            return
        width = payload.get("half_width")
        known = f", known to ±{width:.0%}" if isinstance(width, float) and width < 1 else ""
        self.show(self._subject + stage + known, float(payload.get("share", 0.0)))
