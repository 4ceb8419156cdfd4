"""Memory figures and tensor types out of llama.cpp's log lines.

The formats are those of llama.cpp as vendored by llama-cpp-python 0.3.36; tests compare the figures with real loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from advisor.domain.ggml import GGML_TYPES
from advisor.engine.messages import DeviceBytes, MemoryFigures
from advisor.units import MIB

_MIB, _WHOLE = r"\d{1,12}(?:\.\d{1,6})?", r"\d{1,12}"
_BUFFER = re.compile(rf"(?P<device>\S+) +(?P<kind>model|compute|output) buffer size = +(?P<mib>{_MIB}) MiB")
_CACHE = re.compile(
    rf"\bsize = +{_MIB} MiB \( *(?P<cells>{_WHOLE}) cells, +(?P<layers>{_WHOLE}) layers, "
    rf"+\d+(?:/(?P<streams>{_WHOLE}))? seqs.*?\)"
    rf", K \((?P<type_k>\w+)\): +(?P<k>{_MIB}) MiB, V \((?P<type_v>\w+)\): +(?P<v>{_MIB}) MiB"
)
_STATE = re.compile(
    rf"\bsize = +{_MIB} MiB \( *\d+ cells, +\d+ layers, "
    rf".*R \(\w+\): +(?P<r>{_MIB}) MiB, S \(\w+\): +(?P<s>{_MIB})"
)
_LAYER = re.compile(rf"\blayer +(?P<layer>{_WHOLE}) assigned to device (?P<device>[^,\s]+)")
_CACHE_LAYER = re.compile(rf"\blayer +(?P<layer>{_WHOLE}): dev = (?P<device>\S+)")
_FLASH = re.compile(r"Flash Attention (?:was )?(?P<state>enabled|disabled)|flash_attn += (?P<fixed>enabled|disabled)")
_QUANTIZED = re.compile(rf"\[ *\d+/ *\d+\] +(\S+) +- \[[^]]*\], type = +(\w+), +(?:[^>]*-> +{_MIB} MiB \((\w+)\))?")
_QUANT_SIZE = re.compile(rf"quant size += +(?P<mib>{_MIB}) MiB")

_ERROR_WORDS = ("error", "assert", "failed", "unable", "abort", "invalid")
_SOURCE_FOLDER = re.compile(r"\S*/(?=[\w.-]+\.(?:cpp|cu|c|h|m|mm):\d+)")
_MOST_CHARACTERS = 1000
"""The longest lines with figures have under 300."""
_ROUNDING = MIB // 200 + 1


def memory_figures(lines: Sequence[str], weights_bytes: int, n_vocab: int) -> MemoryFigures:
    """All that the lines of one load and one context say."""
    # A word of each pattern first: to search every line for every pattern would take longer than the rest of a dry run.
    buffers, cells = _with("buffer size", lines), _with("cells,", lines)
    return MemoryFigures(
        weights_bytes=weights_bytes,
        kv_cache_bytes=sum(_cache_bytes(match) for match in _matches(_CACHE, cells)),
        state_bytes=sum(_mib(match["r"]) + _mib(match["s"]) for match in _matches(_STATE, cells)),
        compute=_buffers(buffers, "compute", 1),
        output=_buffers(buffers, "output", 4 * n_vocab),  # rows of logits
        model_buffers=_buffers(buffers, "model", 1),
        layer_devices=_layers(_LAYER, _with("assigned to device", lines)),
        kv_layer_devices=_layers(_CACHE_LAYER, _with(": dev = ", lines)),
        flash_attention=_flash_attention(_with("lash", lines)),
    )


def quantized_types(lines: Iterable[str]) -> dict[str, str]:
    """The type of each tensor in a quantizer run; one that is kept has the type it had."""
    found = [match.groups() for match in _matches(_QUANTIZED, lines)]
    return {name: (chosen or kept).upper() for name, kept, chosen in found}


def quantized_bytes(lines: Iterable[str]) -> int | None:
    """The total that the quantizer printed, exact to 0.01 MiB; None where it printed none."""
    return next((_mib(match["mib"]) for match in _matches(_QUANT_SIZE, _with("quant size", lines))), None)


def first_error(lines: Sequence[str]) -> str | None:
    """The line with the cause of a refusal: the first that speaks of an error, else the last."""
    return _error(lines, lines)


def last_error(lines: Sequence[str]) -> str | None:
    """The line with the cause of a death: the last that speaks of an error, else the last."""
    return _error(lines, list(reversed(lines)))


def _error(lines: Sequence[str], candidates: Iterable[str]) -> str | None:
    bad = next((line for line in candidates if any(word in line.lower() for word in _ERROR_WORDS)), None)
    last = lines[-1] if lines else None
    return None if last is None else _SOURCE_FOLDER.sub("", _begin(bad or last)).strip()


def _with(words: str, lines: Iterable[str]) -> list[str]:
    return [line for line in lines if words in line]


def _matches(pattern: re.Pattern[str], lines: Iterable[str]) -> Iterable[re.Match[str]]:
    return (match for match in map(pattern.search, map(_begin, lines)) if match)


def _begin(line: str) -> str:
    """What of a line is looked at: a name out of a file may make it as long as it likes."""
    return line[:_MOST_CHARACTERS]


def _buffers(lines: Iterable[str], kind: str, unit: int) -> tuple[DeviceBytes, ...]:
    """Of each device the last figure: a context may reserve twice while it settles flash attention."""
    found = {m["device"]: _snapped(m["mib"], unit) for m in _matches(_BUFFER, lines) if m["kind"] == kind}
    return tuple([DeviceBytes(name, n_bytes) for name, n_bytes in found.items() if n_bytes])


def _cache_bytes(match: re.Match[str]) -> int:
    """A cache holds whole blocks of 32 elements per cell, layer and stream, which undoes the rounding of the log."""
    n_rows = int(match["cells"]) * int(match["layers"]) * int(match["streams"] or 1)
    return sum(_snapped(match[side], n_rows * _block_bytes(match[f"type_{side}"])) for side in "kv")


def _block_bytes(type_name: str) -> int:
    kind = GGML_TYPES.get(type_name.upper())
    return kind.n_bytes(32) if kind else 1


def _snapped(mib: str, unit: int) -> int:
    """The multiple of a unit that the log rounded to 0.01 MiB, or the rounded figure where none is near enough."""
    rounded = _mib(mib)
    whole = round(rounded / unit) * unit if unit else rounded
    return whole if abs(whole - rounded) <= _ROUNDING else rounded


def _mib(text: str) -> int:
    return round(float(text) * MIB)


def _layers(pattern: re.Pattern[str], lines: Iterable[str]) -> tuple[str, ...]:
    found = {int(match["layer"]): match["device"] for match in _matches(pattern, lines)}
    return tuple([found[layer] for layer in sorted(found)])


def _flash_attention(lines: Iterable[str]) -> bool | None:
    states = [match["state"] or match["fixed"] for match in _matches(_FLASH, lines)]
    return states[-1] == "enabled" if states else None
