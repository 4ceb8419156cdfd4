"""Bytes, counts and rates, read from text and written for people.

GiB is 2^30 bytes everywhere; bytes stay integers until they are shown.
"""

from __future__ import annotations

import re
from decimal import Decimal

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40

_MOST_DIGITS = 6
"""After the point: what is closer than that counts as the same."""
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmgt]i?b?|b)?", re.IGNORECASE)
_FACTORS = {"b": 1, "k": KIB, "m": MIB, "g": GIB, "t": TIB}


def parse_size(text: str) -> int:
    """Bytes meant by `64GiB`, `64G`, `1.5 GiB`, `512MiB` or `1073741824`.

    Suffixes are binary whether or not the `i` is written, because memory is sold and reported so.
    Raises ValueError for anything else.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size; write for example 64GiB, 512MiB or a number of bytes")
    unit = (match["unit"] or "b")[0].lower()
    try:
        return round(float(match["number"]) * _FACTORS[unit])
    except OverflowError:
        raise ValueError(f"{text!r} is more than any machine has") from None


def format_bytes(n_bytes: int) -> str:
    """A size for people: `4.07 GiB`, `312 MiB`, `20 kB`-scale values as `20.0 KiB`."""
    for factor, name, digits in ((TIB, "TiB", 2), (GIB, "GiB", 2), (MIB, "MiB", 0), (KIB, "KiB", 1)):
        if abs(n_bytes) >= factor:
            return f"{n_bytes / factor:.{digits}f} {name}"
    return f"{n_bytes} B"


def counted(n: int, noun: str, several: str | None = None) -> str:
    """So many of something: `1 model`, `5,000 users`, `2 more were` with `several`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {several or f'{noun}s'}"


def format_count(n: int) -> str:
    """Parameters or users for people: `7.25B`, `109B`, `700M`, `512`."""
    for factor, suffix in ((10**12, "T"), (10**9, "B"), (10**6, "M")):
        # 999,600,000 is rounded to 1B.
        if n >= factor or (n >= 10**6 and n >= factor * 0.9995):
            return f"{format_figure(n / factor)}{suffix}"
    return f"{n:,}"


def format_figure(value: float, digits: int = 3) -> str:
    """A figure with so many significant digits, never with an exponent: `0.0123`, `1.5`, `231`, `1,390`."""
    return f"{Decimal(f'{value:.{digits}g}'):,f}"


def four_digits(value: float) -> float:
    """A figure of a model of load for a document: four significant digits, which is more than such a model knows."""
    return float(f"{value:.4g}")


def format_tokens(n: int) -> str:
    """A context length for people: `8K` for 8192, `128K`, `10M`, `1,000`."""
    if n >= 1 << 20 and n % (1 << 20) == 0:
        return f"{n >> 20}M"
    if n >= 1024 and n % 1024 == 0:
        return f"{n >> 10}K"
    return f"{n:,}"


def format_rate(tokens_per_s: float, beside: float | None = None) -> str:
    """A speed for people: `7.6 tok/s`, `131 tok/s`; with as many digits as show on which side of another speed it
    lies: `4.96 tok/s` beside 5."""
    digits = _digits_apart(tokens_per_s, beside, 0 if tokens_per_s >= 99.5 else 1)
    return f"{tokens_per_s:.{digits}f} tok/s"


def format_milliseconds(milliseconds: float, beside: float | None = None) -> str:
    """A duration for people: `180 ms`, `2.4 s`, `3 min 20 s`; with digits as `format_rate` has them."""
    if milliseconds < 1000:
        return f"{milliseconds:.{_digits_apart(milliseconds, beside, 0)}f} ms"
    seconds, limit = milliseconds / 1000, None if beside is None else beside / 1000
    if seconds < 100:
        return f"{seconds:.{_digits_apart(seconds, limit, 1)}f} s"
    digits = _digits_apart(seconds, limit, 0)
    minutes, rest = divmod(round(seconds, digits), 60)
    return f"{minutes:.0f} min {rest:.{digits}f} s"


def _digits_apart(value: float, limit: float | None, least: int) -> int:
    """Digits after the point with which a value still lies on its own side of a limit; `least` where it needs none."""
    if limit is None or value == limit:
        return least
    is_apart = (digits for digits in range(least, _MOST_DIGITS) if (round(value, digits) - limit) * (value - limit) > 0)
    return next(is_apart, _MOST_DIGITS)


def align_up(n: int, step: int) -> int:
    """The smallest multiple of `step` that is not below `n`."""
    return -(-n // step) * step
