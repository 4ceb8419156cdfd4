"""The processor's name and instruction sets, from the text of /proc/cpuinfo."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.values import value

INSTRUCTION_SETS = {
    **{name: name for name in ("avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni")},
    **{name: name for name in ("fma", "f16c", "amx_int8", "neon", "i8mm", "sve")},
    "asimd": "neon",
    "asimddp": "dotprod",
}
"""Kernel flags of the SIMD sets for which llama.cpp has kernels, with the names used here."""

_NAME_KEYS = ("model name", "cpu", "uarch", "cpu model", "Processor")
"""x86, POWER, RISC-V, MIPS and old ARM kernels name the processor under different keys."""

_ARM_PARTS = {
    0xD03: "Cortex-A53",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75",
    0xD05: "Cortex-A55",
    0xD0B: "Cortex-A76",
    0xD0C: "Neoverse-N1",
    0xD0D: "Cortex-A77",
    0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78",
    0xD42: "Cortex-A78AE",
    0xD44: "Cortex-X1",
    0xD47: "Cortex-A710",
    0xD48: "Cortex-X2",
    0xD49: "Neoverse-N2",
    0xD4D: "Cortex-A715",
    0xD4E: "Cortex-X3",
    0xD4F: "Neoverse-V2",
    0xD81: "Cortex-A720",
    0xD82: "Cortex-X4",
    0xD83: "Neoverse-V3AE",
    0xD84: "Neoverse-V3",
    0xD85: "Cortex-X925",
    0xD87: "Cortex-A725",
    0xD8E: "Neoverse-N3",
}
"""Part numbers of ARM's own cores (implementer 0x41): Linux, arch/arm64/include/asm/cputype.h."""

_ARM_IMPLEMENTER = "0x41"


@value
class CpuInfo:
    """What the kernel says about the processor."""

    name: str | None
    instruction_sets: tuple[str, ...] | None
    """Sets that every core has, sorted; None where the text lists no flags."""


def parse_cpuinfo(text: str) -> CpuInfo:
    """What a /proc/cpuinfo text says. Cores of several kinds give several names joined by ` + `."""
    fields = _distinct_fields(text)
    flags = fields.get("flags") or fields.get("Features") or ()
    return CpuInfo(_name(fields), common_sets(line.split() for line in flags) if flags else None)


def common_sets(cores: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The named instruction sets that all cores' kernel flags hold."""
    named = [{INSTRUCTION_SETS[flag] for flag in core if flag in INSTRUCTION_SETS} for core in cores]
    return tuple(sorted(set.intersection(*named))) if named else ()


def _distinct_fields(text: str) -> dict[str, dict[str, None]]:
    """Different values of each key in order of appearance; every core repeats the same lines."""
    fields: dict[str, dict[str, None]] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and value.strip():
            fields.setdefault(key.strip(), {})[" ".join(value.split())] = None
    return fields


def _name(fields: dict[str, dict[str, None]]) -> str | None:
    for key in _NAME_KEYS:
        if key in fields:
            return " + ".join(fields[key])
    return _arm_name(fields)


def _arm_name(fields: dict[str, dict[str, None]]) -> str | None:
    board = next(iter(fields.get("Hardware") or fields.get("Model") or ()), None)
    if list(fields.get("CPU implementer", ())) != [_ARM_IMPLEMENTER]:
        return board
    names = [_ARM_PARTS.get(number) for part in fields.get("CPU part", ()) if (number := _hex(part)) is not None]
    return " + ".join(f"ARM {name}" for name in names if name) or board


def _hex(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None
