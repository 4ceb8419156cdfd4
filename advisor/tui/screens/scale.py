"""Scale: users against latency for the first of the ranking, and the plan behind the chosen one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from advisor.domain.capacity.sweep import Curve, Sweep
from advisor.domain.capacity.sweep_words import curve_line, curve_paragraph
from advisor.domain.recommend import Recommendation
from advisor.errors import AdvisorError
from advisor.service import MOST_CURVES, Advisor
from advisor.text import one_line
from advisor.tui.background import in_background
from advisor.tui.listening import ListeningApp
from advisor.tui.widgets.curves import Curves
from advisor.tui.widgets.curves_canvas import Line, Plot
from advisor.tui.widgets.paged import Paged

LEAST_COLUMNS, LEAST_ROWS = 60, 18
"""Room without which the curves are left out and said in words."""
_KEYS = "Esc closes · ↑ ↓ curve · t other · PgUp PgDn scroll"
_SHORT_KEYS = "Esc closes ↑↓ curve t other PgDn more"
"""Where those have no room."""


class _LeftError(Exception):
    """Nobody waits for the curves any more."""


class ScaleScreen(ModalScreen[None]):
    """Works the curves out in a thread, one candidate after the other, and stops when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,l,q", "dismiss", "Close"),
        Binding("down", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("t", "other", show=False),
    ]

    @dataclass
    class Moved(Message):
        """One curve more."""

        found: Sweep

    @dataclass
    class Ended(Message):
        """All curves are there, or why they are not."""

        error: AdvisorError | None

    def __init__(self, advisor: Advisor, found: Recommendation) -> None:
        super().__init__()
        self._advisor, self._ranking = advisor, found
        self._left = threading.Event()
        self._listening = self.app if isinstance(self.app, ListeningApp) else None
        """For the thread: a screen that has closed belongs to no app."""
        self._sweep: Sweep | None = None
        self._error: AdvisorError | None = None
        self._is_done = False
        self._index = 0
        self._shows_tokens = False

    def compose(self) -> ComposeResult:
        yield Static(markup=False, id="scale-title")
        with Container(id="scale-body"):
            with Vertical(id="scale-plot"):
                yield Curves()
                yield Static(markup=False, id="scale-legend")
            with Paged(id="scale-text"):
                yield Static(markup=False, id="scale-plan")
        yield Static(_KEYS, markup=False, id="scale-keys")

    def on_mount(self) -> None:
        self.query_one("#scale-text").focus()
        self._show()
        in_background(self, self._work, "scale")

    def on_unmount(self) -> None:
        self._left.set()

    def on_resize(self) -> None:
        self._show()

    def _work(self) -> None:
        def stop_if_left() -> None:
            if self._listening is not None:
                self._listening.stand_back()
            if self._left.is_set():
                raise _LeftError

        def tell(sweep: Sweep) -> None:
            self.post_message(self.Moved(sweep))

        found = self._ranking
        try:
            self._advisor.sweep(
                found.machine,
                found.constraints,
                ranked=found.ranked,
                before_each=stop_if_left,
                on_curve=tell,
            )
        except _LeftError:
            return
        except AdvisorError as error:
            self.post_message(self.Ended(error))
        else:
            self.post_message(self.Ended(None))

    @on(Moved)
    def _moved(self, message: Moved) -> None:
        self._sweep = message.found
        self._show()

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        self._is_done, self._error = True, message.error
        self._show()

    # ------------------------------------------------------------ what is shown

    def _show(self) -> None:
        has_room = self.size.width >= LEAST_COLUMNS and self.size.height >= LEAST_ROWS
        self.set_class(not has_room, "-words")
        self.query_one("#scale-title", Static).update(self._title())
        self.query_one("#scale-legend", Static).update(self._legend())
        self.query_one("#scale-plan", Static).update(self._text(has_room=has_room))
        self.query_one("#scale-keys", Static).update(_KEYS if has_room else _SHORT_KEYS)
        self.query_one(Curves).plot = self._plot()

    def _title(self) -> str:
        percentile = self._ranking.constraints.latency.percentile
        what = "time per token" if self._shows_tokens else "first token"
        unit = "users" if self._sweep is None else self._sweep.unit
        where = "a simulated machine" if self._ranking.machine.simulated else "this machine"
        n = 0 if self._sweep is None else len(self._sweep.curves)
        state = "" if self._is_done else f" · {n} of at most {MOST_CURVES} curves …"
        return f"Scale: {unit} against {what}, p{percentile}, llama.cpp on {where}{state}"

    def _legend(self) -> str:
        if self._sweep is None or not self._sweep.curves:
            return ""
        lines = []
        for i, curve in enumerate(self._sweep.curves):
            mark = "▸" if i == self._index else " "
            lines.append(f"{mark} {one_line(curve_line(curve, self._sweep, number=i + 1))}")
        return "\n".join(lines)

    def _text(self, *, has_room: bool) -> str:
        if self._error is not None:
            return f"✗ {one_line(str(self._error))}"
        sweep = self._sweep
        if sweep is None or not sweep.curves:
            return "simulating the first candidate …"
        title, lines = curve_paragraph(sweep.curves[self._index], sweep)
        words = [one_line(title), *(f"  {one_line(line)}" for line in lines)]
        if has_room:
            return "\n".join(words)
        missing = (
            f"The curves need {LEAST_COLUMNS} × {LEAST_ROWS} cells, here are {self.size.width} × {self.size.height}."
        )
        return "\n".join([missing, self._legend(), *words])

    def _plot(self) -> Plot | None:
        sweep = self._sweep
        if sweep is None:
            return None
        targets = sweep.targets
        target = targets.tpot_s if self._shows_tokens else targets.ttft_s
        up = "↑ time per token, log" if self._shows_tokens else "↑ first token, log"
        lines = tuple(self._line(i, curve) for i, curve in enumerate(sweep.curves))
        return Plot(lines, self._index, target, sweep.asked, f"{sweep.unit}, log →", up)

    def _line(self, index: int, curve: Curve) -> Line:
        points = tuple((p.load, p.tpot_s if self._shows_tokens else p.ttft_s, p.holds) for p in curve.points)
        return Line(str(index + 1), points, curve.most)

    # ------------------------------------------------------------ the user

    def action_step(self, step: int) -> None:
        """Choose the next curve or the one before."""
        if self._sweep is not None and self._sweep.curves:
            self._index = (self._index + step) % len(self._sweep.curves)
            self._show()
            self.query_one(Paged).scroll_home(animate=False)

    def action_other(self) -> None:
        """Change between the first token and the time per token."""
        self._shows_tokens = not self._shows_tokens
        self._show()

    def on_click(self) -> None:
        if self.app.mouse_over is self.query_one("#scale-keys"):
            self.dismiss()
