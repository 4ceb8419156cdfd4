"""Quality against speed: the picks as dots, the best choices joined by a line."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.wording import speed_text
from advisor.text import one_line
from advisor.tui.widgets.canvas import SIZES, Dot, front
from advisor.tui.widgets.scatter import Scatter
from advisor.units import GIB, format_bytes

MOST_DOTS = 100
"""Picks that are drawn: more would cover one another."""


class PlotScreen(ModalScreen[str | None]):
    """Gives back the id of the model that the user stopped at; None where nothing changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,p,q,enter", "close", "Close"),
        Binding("down,right", "step(1)", show=False),
        Binding("up,left", "step(-1)", show=False),
    ]

    def __init__(self, found: Recommendation, chosen: Candidate) -> None:
        super().__init__()
        self._candidates = [c for c in found.ranked if c.speed is not None][:MOST_DOTS]
        self._ranks = {c.id: rank for rank, c in enumerate(found.ranked, start=1)}
        self._n_unknown = sum(c.speed is None for c in found.ranked)
        self._bounds = _bounds([c.fit.footprint.total_bytes for c in self._candidates])
        others = [c for c in found.quantizations if c.speed is not None]
        self._line = front([_dot(c, "", self._bounds) for c in others])
        self._index = next((i for i, c in enumerate(self._candidates) if c.id == chosen.id), 0)

    def compose(self) -> ComposeResult:
        yield Static(markup=False, id="plot-title")
        if self._candidates:
            dots = [_dot(c, str(self._ranks[c.id]), self._bounds) for c in self._candidates]
            yield Scatter(dots, self._line, self._candidates[self._index].id)
        yield Static(self._legend(), markup=False, id="plot-about")
        yield Static("Esc closes · ↑ ↓ choose, or click one", markup=False, id="plot-keys")

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        title = "No speed is known here, so there is nothing to plot: 1 Machine says what is missing."
        if self._candidates:
            c = self._candidates[self._index]
            front_words = " · on the line" if any(dot.key == c.id for dot in self._line) else ""
            title = (
                f"{self._ranks[c.id]}. {one_line(c.model.name)} {c.quantization.name}: {speed_text(c.speed)}, "
                f"quality {c.rating.low:.2f} to {c.rating.high:.2f}, "
                f"{format_bytes(c.fit.footprint.total_bytes)}{front_words}"
            )
            self.query_one(Scatter).choose(c.id)
        self.query_one("#plot-title", Static).update(title)

    def _legend(self) -> str:
        small, large = (f"{bound / GIB:.0f} GiB" for bound in self._bounds)
        sizes = f"{SIZES[0]} to {small}  {SIZES[1]} to {large}  {SIZES[2]} more"
        missing = f" {self._n_unknown} of unknown speed left out." if self._n_unknown else ""
        return f"{sizes}. Numbers are ranks. └─ the best quality at each speed, over all file types.{missing}"

    def action_step(self, step: int) -> None:
        if self._candidates:
            self._index = (self._index + step) % len(self._candidates)
            self._show()

    def on_scatter_clicked(self, event: Scatter.Clicked) -> None:
        self._index = next(i for i, c in enumerate(self._candidates) if c.id == event.key)
        self._show()

    def on_click(self) -> None:
        if self.app.mouse_over is self.query_one("#plot-keys"):
            self.action_close()

    def action_close(self) -> None:
        self.dismiss(self._candidates[self._index].model.id if self._candidates else None)


def _bounds(sizes: list[int]) -> tuple[int, int]:
    """Whole GiB that part the memories into three of about the same number."""
    ordered = sorted(sizes) or [0]
    first, second = (ordered[(len(ordered) * n) // 3 - (n == 2 and len(ordered) > 2)] for n in (1, 2))
    low = max(1, round(first / GIB)) * GIB
    return low, max(low + GIB, round(second / GIB) * GIB)


def _dot(candidate: Candidate, label: str, bounds: tuple[int, int]) -> Dot:
    size = sum(candidate.fit.footprint.total_bytes > bound for bound in bounds)
    rate = candidate.speed.decode_tokens_per_s if candidate.speed is not None else 0.0
    return Dot(candidate.id, label, max(rate, 1e-3), candidate.rating.low, size)
