"""Random keys, text, mouse and terminal sizes: the same seed gives the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from advisor.tui.commands import COMMANDS

Kind = Literal["key", "text", "paste", "click", "double", "hover", "scroll", "resize", "focus", "wait"]

# What leaves the program or stops the process comes seldom, so that walks get long.
_RARE = ("q", "ctrl+q", "ctrl+z", "ctrl+c")
_MOVES = (
    "up", "down", "left", "right", "tab", "shift+tab", "enter", "space", "escape", "pageup", "pagedown", "home", "end",
    "backspace", "delete", "j", "k",
)  # fmt: skip
_EDITS = ("ctrl+p", "ctrl+u", "ctrl+a", "ctrl+e", "ctrl+k", "ctrl+w", "ctrl+x", "ctrl+v", "shift+left", "shift+end")
_KEYS = tuple(sorted({key for c in COMMANDS for key in c.keys.split(",")} - set(_RARE)))
# No slash, dot or tilde: what is typed as a file's name stays in the folder of the walk.
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz ,-_[]{}\"'\\äß€中🙂\u202e\u0301"
_PASTES = ("[b]bold[/b]", "99999999999999999999", "-1", "1e309", "nan", "a\nb\tc", "\x1b[31m", "", "fr, de", "x" * 3000)
SIZES = ((120, 36), (80, 24), (40, 12), (250, 80), (1, 1), (20, 5), (60, 20), (132, 10))

_WEIGHTS: dict[Kind, int] = {
    "key": 55, "text": 8, "paste": 2, "click": 15, "double": 2, "hover": 3, "scroll": 4, "resize": 4, "focus": 2,
    "wait": 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a user does."""

    kind: Kind
    text: str = ""
    """A key's name, or what is typed."""
    place: tuple[float, float] = (0.0, 0.0)
    """Share of width and height for the mouse; columns and rows for a size; seconds for a wait."""

    def __str__(self) -> str:
        return f"{self.kind} {self.text!r}" if self.text else f"{self.kind} {self.place}"


def steps(seed: int, count: int) -> Iterator[Step]:
    """So many steps, made of the seed alone."""
    rng = random.Random(seed)
    kinds = tuple(_WEIGHTS)
    for _ in range(count):
        yield _step(rng, rng.choices(kinds, tuple(_WEIGHTS.values()))[0])


def _step(rng: random.Random, kind: Kind) -> Step:
    match kind:
        case "key":
            return Step(kind, _key(rng))
        case "text":
            return Step(kind, "".join(rng.choices(_LETTERS, k=rng.randint(1, 6))))
        case "paste":
            return Step(kind, rng.choice(_PASTES))
        case "resize":
            columns, rows = rng.choice(SIZES)
            return Step(kind, place=(columns, rows))
        case "focus" | "scroll":
            return Step(kind, rng.choice(("in", "out")), (rng.random(), rng.random()))
        case "wait":
            return Step(kind, place=(rng.choice((0.02, 0.1, 0.3)), 0.0))
        case _:
            return Step(kind, place=(rng.random(), rng.random()))


def _key(rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.005:
        return rng.choice(_RARE)
    if chance < 0.40:
        return rng.choice(_MOVES)
    return rng.choice(_EDITS) if chance < 0.46 else rng.choice(_KEYS)
