"""Which family of kernels a processor runs."""

from __future__ import annotations

import re

from advisor.domain.hardware import CpuFamily, CpuSpec, Machine

_X86 = frozenset({"x86_64", "amd64", "i386", "i686", "x86"})
_VENDORS: tuple[tuple[CpuFamily, re.Pattern[str]], ...] = (
    ("x86", re.compile(r"\b(intel|amd|xeon|epyc|ryzen|threadripper)\b", re.IGNORECASE)),
    ("arm", re.compile(r"\b(arm|apple|cortex|neoverse|graviton\d*|ampere|altra|snapdragon)\b", re.IGNORECASE)),
)
"""Vendors and product lines that make processors of one family only."""


def cpu_family(machine: Machine, spec: CpuSpec | None) -> CpuFamily:
    """By the platform, else by the instruction sets, else by the catalogue, else by the vendor in the name.

    Other architectures and machines that do not say are `unknown`.
    """
    architecture = machine.platform.rpartition("-")[2]
    if architecture in _X86:
        return "x86"
    if architecture.startswith(("arm", "aarch")):
        return "arm"
    if machine.platform != architecture:
        return "unknown"  # an architecture that is named and is neither
    sets = machine.cpu.instruction_sets.value or ()
    if any(name.startswith("avx") for name in sets):
        return "x86"
    if "neon" in sets:
        return "arm"
    if spec is not None:
        return spec.family
    return _by_vendor(machine.cpu.name.value or "")


def _by_vendor(name: str) -> CpuFamily:
    return next((family for family, pattern in _VENDORS if pattern.search(name)), "unknown")
