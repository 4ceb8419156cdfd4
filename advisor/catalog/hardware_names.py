"""The names of GPUs and processors: as people type them, as drivers report them, and the row that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import takewhile

from advisor.domain.hardware import CpuSpec, GpuSpec
from advisor.errors import InputError
from advisor.units import GIB, format_bytes
from advisor.values import value

# A driver reports a few per cent less than the size a card is sold with; the next size is at least 15 % away.
_SIZE_TOLERANCE = 0.08

_NOISE = frozenset({"nvidia", "geforce", "tesla", "amd", "radeon", "instinct", "intel", "apple"})
_NOISE |= {"corporation", "generation", "graphics", "gpu", "igpu"}
_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s?g(?:i?b)?(?![a-z0-9])")
_MARK = re.compile(r"\((?:r|tm|c)\)|[®™©]")
_PIECE = re.compile(r"[()\[\],;]|\son\s")
_WORD = re.compile(r"[a-z0-9]+")
_WILDCARDS = re.compile(r"[?*]+")
_PREFIX = re.compile(r"^(?:rtx|gtx|rx)(?=a?\d)")


@value
class _Key:
    """A name without vendor words and separators, and the memory size in GiB that it states."""

    base: str
    gib: float | None


@value
class _Entry:
    """A row under one of its names."""

    gib: float | None
    spec: GpuSpec

    @property
    def size(self) -> float:
        return self.spec.memory_bytes / GIB if self.gib is None else self.gib

    def fits(self, gib: float) -> bool:
        """Whether a stated size can mean this row: about its own, or for unified memory any up to the largest."""
        if self.spec.unified_memory:
            return self.gib is None and gib * GIB <= self.spec.memory_bytes
        return abs(gib * GIB - self.spec.memory_bytes) <= _SIZE_TOLERANCE * self.spec.memory_bytes


def find_gpu(specs: tuple[GpuSpec, ...], text: str) -> GpuSpec:
    """The GPU that a person names, such as `RTX4090`, `rtx 3060 8gb` or `NVIDIA H100 PCIe`.

    Where memory is unified, a stated size replaces the row's largest. Raises InputError with the three
    nearest names, or with the sizes known where the name alone does not decide.
    """
    index = _index(specs)
    keys = list(_keys(text))
    stated = next((key.gib for key in keys if not key.base), None)
    for key in keys:
        if key.base in index:
            return _choose(index[key.base], stated if key.gib is None else key.gib, text)
    raise InputError(
        f"no GPU named {text!r} is known",
        hint=f"Nearest: {', '.join(_nearest_names(index, keys))}.",
    )


def match_gpu(specs: tuple[GpuSpec, ...], nvml_name: str, total_bytes: int | None) -> GpuSpec | None:
    """The row for a GPU as its driver names it, the nearest in size among rows of one name; None if unknown."""
    index = _index(specs)
    for key in _keys(nvml_name):
        entries = index.get(key.base, ())
        exact = [entry for entry in entries if key.gib is not None and entry.size == key.gib]
        candidates = exact or list(entries)
        if total_bytes is not None and candidates:
            gib = total_bytes / GIB
            return min(candidates, key=lambda entry: abs(entry.size - gib)).spec
        if len({entry.spec for entry in candidates}) == 1:
            return candidates[0].spec
    return None


def match_cpu(specs: tuple[CpuSpec, ...], model_name: str) -> CpuSpec | None:
    """The row whose pattern, the one with most literal characters, occurs in a processor's model name."""
    name = " ".join(word for word in _plain(model_name).split() if word != "cpu")
    weights = ((_weight(alias, name), spec) for spec in specs for alias in (spec.name, *spec.aliases))
    weight, best = max(weights, key=lambda pair: pair[0], default=(0, None))
    return best if weight else None


def check_names(specs: tuple[GpuSpec, ...]) -> None:
    """Raises InputError when one name, with the size it states, means two rows."""
    for entries in _index(specs).values():
        owners: dict[float | None, GpuSpec] = {}
        for entry in entries:
            other = owners.setdefault(entry.gib, entry.spec)
            if other is not entry.spec:
                raise InputError(f"one GPU name means both {other.name!r} and {entry.spec.name!r}")


@lru_cache(maxsize=4)
def _index(specs: tuple[GpuSpec, ...]) -> dict[str, tuple[_Entry, ...]]:
    index: dict[str, dict[_Entry, None]] = {}
    for spec in specs:
        for name in (spec.name, *spec.aliases):
            key = _key(_plain(name))
            entry = _Entry(key.gib, spec)
            index.setdefault(key.base, {})[entry] = None
            index.setdefault(_PREFIX.sub("", key.base), {})[entry] = None
    return {base: tuple(entries) for base, entries in index.items()}


def _keys(text: str) -> Iterator[_Key]:
    """The names in a text: itself, or the pieces between brackets, commas and the word `on`."""
    for piece in _PIECE.split(_plain(text)):
        key = _key(piece)
        if key.base or key.gib is not None:
            yield key


def _plain(text: str) -> str:
    return _MARK.sub(" ", text.casefold())


def _key(name: str) -> _Key:
    size = _SIZE.search(name)
    words = _WORD.findall(_SIZE.sub(" ", name))
    return _Key("".join(word for word in words if word not in _NOISE), float(size[1]) if size else None)


def _choose(entries: tuple[_Entry, ...], gib: float | None, text: str) -> GpuSpec:
    if gib is None:
        fitting = [entry for entry in entries if entry.gib is None] or list(entries)
    else:
        fitting = [entry for entry in entries if entry.gib == gib] or [e for e in entries if e.fits(gib)]
    chosen = list(dict.fromkeys(entry.spec for entry in fitting))
    if len(chosen) == 1:
        spec = chosen[0]
        if gib is None or not spec.unified_memory:
            return spec
        return replace(spec, memory_bytes=min(round(gib * GIB), spec.memory_bytes))
    known = dict.fromkeys(f"{entry.spec.name} ({format_bytes(entry.spec.memory_bytes)})" for entry in entries)
    raise InputError(
        f"{text!r} fits {'several GPUs' if chosen else 'no known memory size'}",
        hint=f"Known: {', '.join(known)}.",
    )


def _nearest_names(index: dict[str, tuple[_Entry, ...]], keys: list[_Key]) -> list[str]:
    word = max((key.base for key in keys), key=len, default="")
    near = sorted(index, key=lambda base: (-SequenceMatcher(None, word, base).ratio(), _lead(word, base)))
    return list(dict.fromkeys(index[base][0].spec.name for base in near[:24]))[:3]


def _lead(word: str, base: str) -> int:
    """Negated length of the common beginning, which decides between equally similar names."""
    return -sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, base, strict=False)))


def _weight(alias: str, name: str) -> int:
    """Literal characters of a processor's pattern where it occurs in the name, else 0."""
    pattern = alias.casefold()
    literals = _WILDCARDS.split(pattern)
    # Most patterns fail here, which costs less than compiling them.
    if not all(literal in name for literal in literals):
        return 0
    body = re.escape(pattern).replace(r"\?", "[a-z0-9]").replace(r"\*", "[a-z0-9+]*")
    occurs = re.search(rf"(?<![a-z0-9]){body}(?![a-z0-9])", name)
    return sum(map(len, literals)) if occurs else 0
