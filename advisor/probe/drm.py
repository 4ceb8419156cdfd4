"""AMD GPUs that the Linux kernel lists, whether or not an engine can use them."""

from __future__ import annotations

import re
from pathlib import Path

from advisor.probe.cgroup import parse_number
from advisor.probe.readings import attempt, read_text
from advisor.values import value

AMD_VENDOR = "0x1002"
"""The PCI vendor id of AMD's graphics (ATI), as sysfs writes it."""

_CARD = re.compile(r"card(\d+)")


@value
class DrmCard:
    """One graphics card of /sys/class/drm."""

    name: str
    memory_bytes: int | None
    """What the amdgpu driver counts as the card's own memory; None with another driver."""


def amd_cards(root: Path = Path("/")) -> tuple[DrmCard, ...]:
    """Cards of AMD in the order of their numbers; empty where there are none or the kernel does not tell."""
    found = attempt("/sys/class/drm", lambda: _numbered(root / "sys/class/drm")).value or ()
    return tuple(_card(path) for path in found if _text(path / "device/vendor") == AMD_VENDOR)


def _numbered(directory: Path) -> tuple[Path, ...]:
    # Connectors such as card0-HDMI-A-1 lie beside the cards.
    numbers = {path: match[1] for path in directory.iterdir() if (match := _CARD.fullmatch(path.name))}
    return tuple(sorted(numbers, key=lambda path: int(numbers[path])))


def _card(path: Path) -> DrmCard:
    return DrmCard(path.name, parse_number(_text(path / "device/mem_info_vram_total") or ""))


def _text(path: Path) -> str | None:
    return attempt(str(path), lambda: read_text(path).strip()).value
