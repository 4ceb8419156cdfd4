"""What hardware would make a model possible, in words and as plain values."""

from __future__ import annotations

from typing import Any

from advisor.domain.candidate import Candidate
from advisor.domain.hardware_options import HardwareAnswer, HardwareOption
from advisor.domain.presentation import Paragraph
from advisor.domain.wording import speed_text
from advisor.units import format_bytes

Row = tuple[str, ...]

OPTION_COLUMNS = ("hardware", "quant", "memory", "speed", "flags")


def option_rows(found: HardwareAnswer) -> list[Row]:
    """One row for each option: hardware, quantization, memory, speed, and the flags that simulate it."""
    if found.here is not None:
        return [("this machine as it is", *_figures(found.here), "")]
    return [(o.hardware.text, *_figures(o.candidate), _arguments(o)) for o in found.options]


def _figures(candidate: Candidate) -> Row:
    total = format_bytes(candidate.fit.footprint.total_bytes)
    return candidate.quantization.name, total, speed_text(candidate.speed)


def _arguments(option: HardwareOption) -> str:
    gpu, ram = option.hardware.gpu_argument, option.hardware.ram_argument
    return " ".join(([f'--gpu "{gpu}"'] if gpu else []) + ([f"--ram {ram}"] if ram else []))


def hardware_paragraph(found: HardwareAnswer) -> Paragraph:
    """The answer as a titled paragraph: the options, or why there are none."""
    title = f"What hardware would make {found.model.name} possible"
    if found.here is not None:
        quant, memory, speed = _figures(found.here)
        return Paragraph(title, (f"✓ it passes on this machine: {quant}, {memory}, {speed}",))
    if found.obstacles:
        return Paragraph(title, ("✗ none: no hardware removes this", *(f"✗ {r.text}" for r in found.obstacles)))
    if not found.options:
        return Paragraph(title, ("✗ nothing in the hardware catalogue, not even eight GPUs of a kind",))
    return Paragraph(title, tuple(f"{o.hardware.text}: {', '.join(_figures(o.candidate))}" for o in found.options))


def hardware_document(found: HardwareAnswer) -> dict[str, Any]:
    """The answer as plain values; bytes are integers, speeds tokens per second."""
    return {
        "model": found.model.id,
        "possible_here": found.here is not None,
        "obstacles": [{"code": r.code, "text": r.text, "fix": r.fix} for r in found.obstacles],
        "options": [_option_document(option) for option in found.options],
    }


def _option_document(option: HardwareOption) -> dict[str, Any]:
    hardware, candidate = option.hardware, option.candidate
    speed = candidate.speed
    return {
        "gpu": None if hardware.gpu is None else hardware.gpu.name,
        # Without a name the machine keeps its own, however many they are.
        "gpu_count": None if hardware.gpu is None and hardware.count else hardware.count,
        "ram_bytes": hardware.ram_bytes,
        "arguments": {"gpu": hardware.gpu_argument, "ram": hardware.ram_argument},
        "quantization": candidate.quantization.name,
        "total_bytes": candidate.fit.footprint.total_bytes,
        "decode_tokens_per_s": None if speed is None else speed.decode_tokens_per_s,
        "basis": None if speed is None else speed.basis.value,
    }
