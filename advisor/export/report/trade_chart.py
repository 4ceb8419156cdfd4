"""Quality against speed: one circle a candidate, as large as its memory, with the Pareto front drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from advisor.domain.dominance import pareto_front
from advisor.export.report.svg import chart, el

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 24, 20, 52
_LARGEST = 26.0
"""Radius of the candidate that takes most memory."""
_SMALLEST = 9.0
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate on the drawing."""

    number: int
    """1 for the pick."""
    name: str
    tokens_per_s: float
    quality: float
    n_bytes: int


def front_of(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Those that no other beats in speed without losing in quality, slowest first."""
    front = pareto_front(choices, [(c.tokens_per_s, c.quality, 0.0) for c in choices])
    return tuple(sorted(front, key=lambda c: (c.tokens_per_s, c.number)))


def trade_text(choices: Sequence[Choice]) -> str:
    """The drawing in a sentence."""
    best = ", ".join(f"{c.name} ({c.tokens_per_s:.1f} tok/s, {c.quality:.2f})" for c in front_of(choices))
    return f"Quality against speed. On the Pareto front, from slow to fast: {best}."


def trade_chart(choices: Sequence[Choice], target: float | None) -> Element:
    """The drawing; `target` is the speed that was asked for, in tokens per second, more than 0."""
    svg = chart(_WIDTH, _HEIGHT, trade_text(choices))
    axes = _Axes.around(choices, target)
    _grid(svg, axes)
    if target is not None:
        x = axes.x(target)
        svg.append(el("line", class_="target", x1=x, y1=_TOP, x2=x, y2=_HEIGHT - _BOTTOM))
        svg.append(el("text", f"asked for: {target:g} tok/s", class_="soft", x=x + 5, y=_TOP + 13))
    front = front_of(choices)
    path = " ".join(f"{axes.x(c.tokens_per_s):.1f},{axes.y(c.quality):.1f}" for c in front)
    if len(front) > 1:
        svg.append(el("polyline", class_="front", points=path))
    most = max(1, *(c.n_bytes for c in choices))
    # The largest first, so that no circle hides a smaller one.
    for choice in sorted(choices, key=lambda c: (-c.n_bytes, -c.number)):
        _dot(svg, axes, choice, most, is_best=choice in front)
    for choice in reversed(choices):
        x, y = axes.x(choice.tokens_per_s), axes.y(choice.quality)
        svg.append(el("text", str(choice.number), class_="label", x=x, y=y + 4.5, text_anchor="middle"))
    return svg


@dataclass(frozen=True, slots=True)
class _Axes:
    """Speed is logarithmic: twice as fast is as far from 5 to 10 as from 50 to 100."""

    slow: float
    fast: float
    low: float
    high: float

    @classmethod
    def around(cls, choices: Sequence[Choice], target: float | None) -> _Axes:
        speeds = [c.tokens_per_s for c in choices] + ([] if target is None else [target])
        qualities = [c.quality for c in choices]
        return cls(
            slow=min(speeds) / 1.6,
            fast=max(speeds) * 1.6,
            low=max(0.0, math.floor(min(qualities) * 10 - 0.5) / 10),
            high=min(1.0, math.ceil(max(qualities) * 10 + 0.3) / 10),
        )

    def x(self, tokens_per_s: float) -> float:
        share = math.log(tokens_per_s / self.slow) / math.log(self.fast / self.slow)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, quality: float) -> float:
        share = (quality - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _grid(svg: Element, axes: _Axes) -> None:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for step in range(round(axes.low * 10), round(axes.high * 10) + 1):
        y = axes.y(step / 10)
        svg.append(el("line", class_="rule", x1=_LEFT, y1=y, x2=right, y2=y))
        svg.append(el("text", f"{step / 10:.1f}", class_="soft", x=_LEFT - 8, y=y + 4, text_anchor="end"))
    for tick in _ticks(axes):
        x = axes.x(tick)
        svg.append(el("line", class_="rule", x1=x, y1=bottom, x2=x, y2=bottom + 5))
        svg.append(el("text", f"{tick:g}", class_="soft", x=x, y=bottom + 20, text_anchor="middle"))
    middle = (_LEFT + right) / 2
    label = "decode speed in tokens per second (logarithmic); circles grow with memory"
    svg.append(el("text", label, class_="soft", x=middle, y=_HEIGHT - 8, text_anchor="middle"))
    turn = f"rotate(-90 14 {(_TOP + bottom) / 2:.0f})"
    height = (_TOP + bottom) / 2
    svg.append(el("text", "expected quality", class_="soft", x=14, y=height, text_anchor="middle", transform=turn))


def _ticks(axes: _Axes) -> list[float]:
    first = math.floor(math.log10(axes.slow))
    ticks = [step * 10.0**power for power in range(first, first + 8) for step in _STEPS]
    return [tick for tick in ticks if axes.slow <= tick <= axes.fast]


def _dot(svg: Element, axes: _Axes, choice: Choice, most: int, *, is_best: bool) -> None:
    radius = max(_SMALLEST, _LARGEST * math.sqrt(choice.n_bytes / most))
    kind = "dot pick" if choice.number == 1 else "dot best" if is_best else "dot"
    x, y = axes.x(choice.tokens_per_s), axes.y(choice.quality)
    circle = el("circle", class_=kind, cx=x, cy=y, r=radius)
    circle.append(el("title", f"{choice.name}: {choice.tokens_per_s:.1f} tok/s, quality {choice.quality:.2f}"))
    svg.append(circle)
