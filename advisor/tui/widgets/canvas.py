"""Quality against speed in characters: a logarithmic axis for speed, size by memory, the front as a line.

Drawn here and not by a library: textual-plotext does not load beside plotext 6, textual-plot brings NumPy, and neither
says which cell a point got, which selection by mouse needs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SIZES = ("·", "○", "●")
"""Marks of points by memory, the smallest first."""
_LEFT = 6
"""Cells of the labels of quality."""
_BELOW = 2
"""Rows under the axis: its labels and its title."""
_TITLES = ("speed in tokens/s, logarithmic →", "↑ quality, 0 to 1, lower end")
_SHORT_TITLES = ("tok/s, log →", "↑ quality")
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of the plot."""

    key: str
    label: str
    """Beside its mark, where there is room; empty for none."""
    speed: float
    """Tokens per second, above 0."""
    quality: float
    size: int
    """Index into SIZES."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where speeds and qualities lie in a field of cells."""

    columns: int
    rows: int
    low: float
    """Logarithm of the lowest speed."""
    high: float
    bottom: float
    top: float

    def cell(self, speed: float, quality: float) -> tuple[int, int]:
        """Column and row, the row counted from above."""
        across = (math.log10(speed) - self.low) / (self.high - self.low)
        up = (quality - self.bottom) / (self.top - self.bottom)
        return round(across * (self.columns - 1)), round((1 - up) * (self.rows - 1))


def frame(dots: Sequence[Dot], columns: int, rows: int) -> Frame:
    """The field that holds all dots, with a little room around them."""
    speeds = [math.log10(dot.speed) for dot in dots]
    qualities = [dot.quality for dot in dots]
    low, high = min(speeds) - 0.08, max(speeds) + 0.12
    bottom = math.floor(min(qualities) * 10 - 0.2) / 10
    return Frame(columns, rows, low, high, bottom, max(bottom + 0.1, math.ceil(max(qualities) * 10 + 0.2) / 10))


def front(dots: Sequence[Dot]) -> list[Dot]:
    """The dots that no other beats in both speed and quality, the slowest first."""
    kept: list[Dot] = []
    for dot in sorted(dots, key=lambda d: (-d.speed, -d.quality, d.key)):
        if not kept or dot.quality > kept[-1].quality:
            kept.append(dot)
    return kept[::-1]


def ticks(low: float, high: float) -> list[float]:
    """Round speeds between two logarithms."""
    found = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in _STEPS]
    return [value for value in found if low <= math.log10(value) <= high]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Rows of characters with what each cell is."""

    rows: list[list[str]]
    kinds: dict[tuple[int, int], str]
    """`front` or `chosen`, by column and row; other cells are plain."""
    places: dict[str, tuple[int, int]]
    """Column and row of each dot."""


def draw(dots: Sequence[Dot], line: Sequence[Dot], chosen: str, width: int, height: int) -> Drawing:
    """The plot in `width` × `height` cells. `line` is the front, from the slowest to the fastest."""
    box = frame([*dots, *line], max(8, width - _LEFT - 1), max(4, height - _BELOW - 1))
    drawing = Drawing([[" "] * width for _ in range(height)], {}, {})
    _axes(drawing, box, width)
    _staircase(drawing, box, line)
    for dot in (*(d for d in line if d not in dots), *(d for d in dots if d.key != chosen)):
        _dot(drawing, box, dot, "")
    for dot in dots:
        if dot.key == chosen:
            _dot(drawing, box, dot, "chosen")
    return drawing


def put(drawing: Drawing, x: int, y: int, text: str, kind: str = "") -> None:
    """Write characters from a cell on, as far as the drawing reaches."""
    for i, character in enumerate(text):
        if 0 <= y < len(drawing.rows) and 0 <= x + i < len(drawing.rows[y]):
            drawing.rows[y][x + i] = character
            drawing.kinds.pop((x + i, y), None)
            if kind:
                drawing.kinds[x + i, y] = kind


def _axes(drawing: Drawing, box: Frame, width: int) -> None:
    for y in range(box.rows):
        put(drawing, _LEFT, y, "│")
    put(drawing, _LEFT, box.rows, "└" + "─" * box.columns)
    step = max(0.1, math.ceil((box.top - box.bottom) * 20 / box.rows) / 10)
    for n in range(int((box.top - box.bottom) / step + 1e-9) + 1):
        _, y = box.cell(10**box.low, box.bottom + n * step)
        put(drawing, 1, y, f"{box.bottom + n * step:4.1f} ┤")
    last = -1
    for speed in ticks(box.low, box.high):
        x, label = _LEFT + 1 + box.cell(speed, box.bottom)[0], f"{speed:g}"
        if x > last and x + len(label) <= width:
            put(drawing, x, box.rows, "┬")
            put(drawing, x, box.rows + 1, label)
            last = x + len(label)
    across, up = _TITLES if width >= sum(map(len, _TITLES)) + 2 else _SHORT_TITLES
    put(drawing, max(0, width - len(across)), box.rows + 2, across)
    put(drawing, 1, box.rows + 2, up)


def _staircase(drawing: Drawing, box: Frame, line: Sequence[Dot]) -> None:
    """The best quality at each speed: from each dot down to the quality of the next one, then across to it."""
    cells = [box.cell(dot.speed, dot.quality) for dot in line]
    for (x, y), (next_x, next_y) in pairwise(cells):
        for row in range(y + 1, next_y):
            put(drawing, _LEFT + 1 + x, row, "│", "front")
        for column in range(x, next_x):
            sign = "└" if column == x and next_y > y else "─"
            put(drawing, _LEFT + 1 + column, next_y, sign, "front")


def _dot(drawing: Drawing, box: Frame, dot: Dot, kind: str) -> None:
    column, y = box.cell(dot.speed, dot.quality)
    x = _LEFT + 1 + column
    drawing.places[dot.key] = (x, y)
    if y >= len(drawing.rows):
        return  # the field has fewer rows than a plot needs
    mark = SIZES[dot.size]
    if kind:
        put(drawing, x, y, f"[{mark}{dot.label}]" if x + len(dot.label) + 3 <= len(drawing.rows[y]) else mark, kind)
        return
    put(drawing, x, y, mark)
    room = drawing.rows[y][x + 1 : x + 1 + len(dot.label)]
    if len(room) == len(dot.label) and all(c in " ─" for c in room):
        put(drawing, x + 1, y, dot.label)
