"""Load against latency in characters: both axes logarithmic, a curve for each candidate, the target as a line.

The chosen curve is a line of Braille dots, the others are thin; each carries its number, so they are told apart without
colour. A cross marks the last load within the targets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from advisor.tui.widgets.canvas import Drawing, put, ticks
from advisor.units import format_milliseconds

_LEFT = 8
"""Cells of the labels of latency."""
_BELOW = 2
"""Rows under the axis: its labels and its title."""
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a cell, by row and column (Unicode block Braille Patterns)."""
_ABOVE_TARGET = 4.0
"""Times the target, or the slowest load that meets it, up to which latency is drawn: queues grow without end."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve."""

    label: str
    points: tuple[tuple[int, float, bool], ...]
    """Load, seconds and whether the targets hold."""
    most: int
    """The last load within the targets."""


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn."""

    lines: tuple[Line, ...]
    chosen: int
    target_s: float | None
    asked: int
    across: str
    up: str


@dataclass(frozen=True, slots=True)
class _Box:
    columns: int
    rows: int
    left: float
    right: float
    bottom: float
    top: float

    def place(self, load: float, seconds: float) -> tuple[float, float]:
        """Column and row, the row counted from above; what is slower than the top lies on it."""
        across = (math.log10(load) - self.left) / (self.right - self.left)
        up = (min(math.log10(seconds), self.top) - self.bottom) / (self.top - self.bottom)
        return across * (self.columns - 1), (1 - up) * (self.rows - 1)


def draw_curves(plot: Plot, width: int, height: int) -> Drawing:
    """The plot in `width` x `height` cells; nothing but spaces where no curve has a point."""
    drawing = Drawing([[" "] * width for _ in range(height)], {}, {})
    points = [point for line in plot.lines for point in line.points if point[1] > 0]
    if not points or not width or not height:
        return drawing
    box = _box(plot, points, max(8, width - _LEFT - 2), max(4, height - _BELOW - 1))
    _axes(drawing, box, plot)
    _marks(drawing, box, plot)
    for i, line in enumerate(plot.lines):
        if i != plot.chosen:
            _thin(drawing, box, line)
    for i, line in enumerate(plot.lines):
        if i == plot.chosen:
            _thick(drawing, box, line)
    for i, line in sorted(enumerate(plot.lines), key=lambda pair: pair[0] != plot.chosen):
        _numbers(drawing, box, line, "chosen" if i == plot.chosen else "")
    _asked_label(drawing, box, plot)
    return drawing


def _box(plot: Plot, points: Sequence[tuple[int, float, bool]], columns: int, rows: int) -> _Box:
    loads = [load for load, _, _ in points] + [plot.asked]
    within = [seconds for _, seconds, holds in points if holds] or [min(seconds for _, seconds, _ in points)]
    most = max(plot.target_s or 0.0, max(within)) * _ABOVE_TARGET
    low = min([seconds for _, seconds, _ in points] + ([plot.target_s] if plot.target_s else []))
    left, right = math.log10(min(loads)), math.log10(max(loads))
    room = 0.03 * max(0.3, right - left)
    return _Box(columns, rows, left - room, right + 3 * room, math.log10(low) - 0.1, math.log10(most))


def _axes(drawing: Drawing, box: _Box, plot: Plot) -> None:
    for y in range(box.rows):
        put(drawing, _LEFT, y, "│")
    put(drawing, _LEFT, box.rows, "└" + "─" * box.columns)
    last = box.rows + 1
    for seconds in ticks(box.bottom, box.top):
        y = round(box.place(10**box.left, seconds)[1])
        if y < last - 1:
            put(drawing, 0, y, f"{format_milliseconds(1000 * seconds):>{_LEFT - 1}}")
            put(drawing, _LEFT, y, "┤")
            last = y
    end = -1
    for load in ticks(box.left, box.right):
        x, label = _LEFT + 1 + round(box.place(load, 10**box.bottom)[0]), short(load)
        if x > end and x + len(label) <= len(drawing.rows[0]) and load >= 1:
            put(drawing, x, box.rows, "┬")
            put(drawing, x, box.rows + 1, label)
            end = x + len(label)
    put(drawing, max(0, len(drawing.rows[0]) - len(plot.across)), box.rows + 2, plot.across)
    put(drawing, 0, box.rows + 2, plot.up)


def short(load: float) -> str:
    """A load of few digits: `500`, `20k`, `1M`."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if load >= size:
            return f"{load / size:g}{unit}"
    return f"{load:g}"


def _marks(drawing: Drawing, box: _Box, plot: Plot) -> None:
    """The target as a level line, the asked load as an upright one."""
    x = _LEFT + 1 + round(box.place(plot.asked, 10**box.bottom)[0])
    for y in range(box.rows):
        put(drawing, x, y, "┊", "target")
    if plot.target_s is None:
        return
    y = round(box.place(plot.asked, plot.target_s)[1])
    put(drawing, _LEFT + 1, y, "╌" * box.columns, "target")
    put(drawing, _LEFT + 2, max(0, y - 1), f"at most {format_milliseconds(1000 * plot.target_s)}", "target")


def _asked_label(drawing: Drawing, box: _Box, plot: Plot) -> None:
    """Beside the upright line on its left, where the curves are lower."""
    x, label = _LEFT + 1 + round(box.place(plot.asked, 10**box.bottom)[0]), f"{short(plot.asked)} asked"
    put(drawing, x - len(label) if x - len(label) > _LEFT else x + 1, 0, label, "target")


def _thin(drawing: Drawing, box: _Box, line: Line) -> None:
    for x, y in _along(box, line, 1.0):
        if _cell(drawing, round(x), round(y)) in " ╌┊":
            put(drawing, _LEFT + 1 + round(x), round(y), "·")


def _thick(drawing: Drawing, box: _Box, line: Line) -> None:
    cells: dict[tuple[int, int], int] = {}
    for x, y in _along(box, line, 0.25):
        column, row = int(x + 0.25), int(y + 0.125)
        bit = _BRAILLE[min(3, int((y + 0.125 - row) * 4))][min(1, int((x + 0.25 - column) * 2))]
        cells[column, row] = cells.get((column, row), 0) | bit
    for (column, row), bits in cells.items():
        put(drawing, _LEFT + 1 + column, row, chr(0x2800 + bits), "chosen")


def _along(box: _Box, line: Line, step: float) -> Iterator[tuple[float, float]]:
    """Places on the curve, so near to each other that none of its cells is left out."""
    places = [box.place(load, seconds) for load, seconds, _ in line.points if seconds > 0]
    for (x, y), (next_x, next_y) in pairwise(places):
        n = max(1, math.ceil(max(abs(next_x - x), abs(next_y - y)) / step))
        for i in range(n + 1):
            yield x + (next_x - x) * i / n, y + (next_y - y) * i / n
        if y <= 0:
            return


def _numbers(drawing: Drawing, box: _Box, line: Line, kind: str) -> None:
    """The number at the first point, and after the cross where the targets break; curves that meet are listed there."""
    places = {load: box.place(load, seconds) for load, seconds, _ in line.points if seconds > 0}
    if not places:
        return
    x, y = (round(part) for part in next(iter(places.values())))
    while _cell(drawing, x, y).isdigit():
        x += 1
    put(drawing, _LEFT + 1 + x, y, line.label, kind)
    if line.most in places:
        x, y = (round(part) for part in places[line.most])
        taken = next((i for i in (x - 2, x - 1, x, x + 1) if _cell(drawing, i, y) == "✗"), None)
        if taken is None:
            put(drawing, _LEFT + 1 + x, y, f"✗{line.label}", kind)
            return
        while _cell(drawing, taken, y) in "✗," or _cell(drawing, taken, y).isdigit():
            taken += 1
        put(drawing, _LEFT + 1 + taken, y, f",{line.label}", kind)


def _cell(drawing: Drawing, column: int, row: int) -> str:
    """What stands in a cell of the box; a space where a small field does not reach."""
    x = _LEFT + 1 + column
    is_within = 0 <= row < len(drawing.rows) and 0 <= x < len(drawing.rows[row])
    return drawing.rows[row][x] if is_within else " "
