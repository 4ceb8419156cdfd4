"""Changes to trees: what somebody could have written instead.

The random source is Python's own under atheris, and Hypothesis's under Hypothesis, which can then shrink.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.fuzz.codecs import Codec, Tree
from tests.fuzz.gentle import nudged, slots

INTEGERS = (
    0, 1, -1, 2, 3, 7, 8, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 1023, 1024, 4096, 4299, 65535, 65536, 131072,
    10**6, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 53) + 1, 1 << 60, (1 << 63) - 1, 1 << 63,
    (1 << 64) - 1, 1 << 64, -(1 << 31), -(1 << 63), 10**30, 10**400,
)  # fmt: skip
FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, 1e-320, 1e-9, 3.4e38, 1e300, 1.7976931348623157e308, float("inf"), float("nan"))
TEXTS = (
    "", " ", "\n", "a\nb", "\r\n", "\t", "\0", "\x1b[2J", "\x1b]8;;http://x\x07", "\u202e", "\ufeff", "\x7f", "\x85",
    "\u2028", "é", "日本語", "🦙", "\ud800", "../../etc/passwd", "/etc/passwd", "C:\\x", "a/b", "..", ".", "~",
    "-", "--",
    "none", "None", "null", "true", "nan", "inf", "1e999", "0x10", "1_000", "٣", "²", "64GiB", "1008 GB/s", "-1GiB",
    "1e400GiB", "[bold]x[/bold]", "{{7*7}}", "${HOME}", "$(id)", "`id`", "' OR 1=1", '"', "'", "\\", "%s%n", "<b>",
    "http://127.0.0.1/", "https://user:secret@example.com/", "file:///etc/passwd", "(a+)+$", "(?P<x>", "a" * 300,
    "2026-11-28", "9999-99-99", "x" * 5000, "9" * 400, "9" * 5000, "9" * 400 + "GiB",
)  # fmt: skip

_DIGITS = re.compile(r"\d+")
_EDITS = (1, 1, 1, 1, 2, 2, 3, 5)
_MOST_TEXT = 20_000
_SHARE_BOLD = 0.3
"""Of the inputs, with changes that no parser need read; the others may be read and lead further in."""


def mutated(raw: bytes, codec: Codec, rng: random.Random, words: Sequence[str], others: Sequence[bytes] = ()) -> bytes:
    """The input with a few changes. Raises ValueError where it has not the codec's syntax."""
    tree = codec.decode(raw)
    is_bold = rng.random() < _SHARE_BOLD
    for _ in range(rng.choice(_EDITS)):
        tree = _edited(tree, rng, words) if is_bold else nudged(tree, rng, lambda: _another(codec, rng, others))
    return codec.encode(tree)


def _another(codec: Codec, rng: random.Random, others: Sequence[bytes]) -> Tree:
    try:
        return codec.decode(rng.choice(others)) if others else {}
    except ValueError:
        return {}


def _edited(tree: Tree, rng: random.Random, words: Sequence[str]) -> Tree:
    places = slots(tree)
    if not places:
        return value(rng, words)
    holder, key = rng.choice(places)
    if isinstance(holder, dict) and holder and rng.random() < 0.3:
        _edit_table(holder, key, rng, words)
    elif isinstance(holder, list) and rng.random() < 0.3:
        _edit_list(holder, key, rng, words)
    else:
        holder[key] = _changed(holder[key], rng, words)
    return tree


def _edit_table(holder: dict[Any, Any], key: Any, rng: random.Random, words: Sequence[str]) -> None:
    how = rng.randrange(4)
    if how == 0:
        del holder[key]
    elif how == 1:
        holder[_word(rng, words)] = holder.pop(key)
    elif how == 2:
        holder[_word(rng, words)] = value(rng, words)
    else:
        holder[_word(rng, words)] = holder[key]


def _edit_list(holder: list[Any], key: int, rng: random.Random, words: Sequence[str]) -> None:
    how = rng.randrange(4)
    if how == 0:
        del holder[key]
    elif how == 1:
        holder[key:key] = [holder[key]] * rng.choice((1, 1, 2, 30))
    elif how == 2:
        holder.insert(key, value(rng, words))
    else:
        holder.reverse()


def _changed(old: Tree, rng: random.Random, words: Sequence[str]) -> Tree:
    """A value in the place of another, which it often resembles."""
    if rng.random() < 0.3:
        return value(rng, words)
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return rng.choice(
            (old + 1, old - 1, -old, old * 2, old << 16, old // 2, float(min(abs(old), 1 << 64)), str(old))
        )
    if isinstance(old, float):
        return rng.choice((old * 2, -old, old * 1e200, 0.0, rng.choice(FLOATS), int(old) if abs(old) < 1e18 else 0))
    if isinstance(old, str):
        return _changed_text(old, rng, words)
    if isinstance(old, dict | list) and rng.random() < 0.3:
        return _nested(old, rng)
    return value(rng, words)


def _changed_text(old: str, rng: random.Random, words: Sequence[str]) -> str:
    cut = rng.randrange(len(old) + 1)
    piece = rng.choice(TEXTS) if rng.random() < 0.6 else _word(rng, words)
    changes: tuple[Callable[[], str], ...] = (
        lambda: old[:cut] + piece + old[cut:],
        lambda: old[:cut],
        lambda: old[cut:],
        lambda: piece + old,
        lambda: old + piece,
        lambda: old.upper(),
        lambda: old[:cut] + chr(rng.randrange(0x300)) + old[cut + 1 :],
        lambda: old * rng.choice((2, 3, 50)),
        lambda: _DIGITS.sub(rng.choice(("9" * 20, "9" * 400, "9" * 5000, "0", "²")), old, count=rng.randrange(2)),
    )
    return rng.choice(changes)()[:_MOST_TEXT]


def _nested(old: Tree, rng: random.Random) -> Tree:
    for _ in range(rng.choice((1, 2, 60, 150))):
        old = [old] if rng.random() < 0.5 else {"a": old}
    return old


def _word(rng: random.Random, words: Sequence[str]) -> str:
    return rng.choice(words) if words and rng.random() < 0.8 else rng.choice(TEXTS)


def value(rng: random.Random, words: Sequence[str], depth: int = 0) -> Tree:
    """Any value, small or at an edge."""
    how = rng.randrange(10 if depth < 3 else 7)
    if how == 0:
        return rng.choice((None, True, False))
    if how <= 2:
        return rng.choice(INTEGERS)
    if how == 3:
        return rng.choice(FLOATS)
    if how == 4:
        return rng.choice(TEXTS)
    if how <= 6:
        return _word(rng, words)
    if how == 7:
        return {_word(rng, words): value(rng, words, depth + 1) for _ in range(rng.randrange(4))}
    return [value(rng, words, depth + 1) for _ in range(rng.randrange(4))]
