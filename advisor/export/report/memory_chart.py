"""Memory per device as bars: weights, KV cache, compute, and what stays free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from advisor.export.report.svg import chart, el
from advisor.units import format_bytes

_WIDTH, _BAR, _ROW, _TOP = 720, 26, 62, 46
_PARTS = (("weights", "weights"), ("KV cache", "kv"), ("compute and output", "compute"))


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What one device holds, in bytes."""

    name: str
    weights: int
    kv_cache: int
    compute: int
    capacity: int | None
    """All of its memory; None where nobody knows it."""

    @property
    def parts(self) -> tuple[int, int, int]:
        return self.weights, self.kv_cache, self.compute

    @property
    def used(self) -> int:
        return sum(self.parts)

    @property
    def text(self) -> str:
        """`9.1 GiB of 24 GiB`."""
        whole = "an unknown size" if self.capacity is None else format_bytes(self.capacity)
        return f"{format_bytes(self.used)} of {whole}"


def memory_text(devices: Sequence[DeviceMemory]) -> str:
    """The drawing in a sentence."""
    return "Memory: " + "; ".join(f"{d.name} {d.text}" for d in devices) + "."


def memory_chart(devices: Sequence[DeviceMemory]) -> Element:
    """One bar a device, each as long as the largest memory is to its own."""
    svg = chart(_WIDTH, _TOP + _ROW * len(devices), memory_text(devices))
    svg.append(_patterns())
    _legend(svg)
    longest = max((d.capacity or d.used for d in devices), default=1) or 1
    for i, device in enumerate(devices):
        _bar(svg, device, _TOP + _ROW * i, _WIDTH / longest)
    return svg


def _patterns() -> Element:
    defs = el("defs")
    for name, angle in (("kv", 45), ("compute", 0)):
        pattern = el(
            "pattern", id=f"hatch-{name}", width=6, height=6, patternUnits="userSpaceOnUse",
            patternTransform=f"rotate({angle})",
        )  # fmt: skip
        pattern.append(el("rect", class_=name, width=6, height=6))
        pattern.append(el("line", class_="hatch", x1=0, y1=0, x2=0 if name == "kv" else 6, y2=6 if name == "kv" else 0))
        defs.append(pattern)
    return defs


def _fill(kind: str) -> dict[str, str]:
    return {"class_": kind} if kind == "weights" else {"fill": f"url(#hatch-{kind})"}


def _legend(svg: Element) -> None:
    x = 0
    for label, kind in _PARTS:
        svg.append(el("rect", x=x, y=6, width=16, height=16, rx=2, **_fill(kind)))
        svg.append(el("text", label, x=x + 22, y=19))
        x += 48 + 8 * len(label)
    svg.append(el("rect", class_="frame", x=x + 0.5, y=6.5, width=15, height=15, rx=2))
    svg.append(el("text", "free", x=x + 22, y=19))


def _bar(svg: Element, device: DeviceMemory, top: float, scale: float) -> None:
    svg.append(el("text", device.name, class_="strong", x=0, y=top + 13))
    svg.append(el("text", device.text, class_="soft", x=_WIDTH, y=top + 13, text_anchor="end"))
    y, x = top + 20, 0.0
    whole = max(device.capacity or 0, device.used)
    svg.append(el("rect", class_="frame", x=0.5, y=y + 0.5, width=max(1.0, whole * scale - 1), height=_BAR - 1, rx=3))
    for (_, kind), n_bytes in zip(_PARTS, device.parts, strict=True):
        # What is used shows, however little it is.
        width = max(2.0, n_bytes * scale) if n_bytes else 0.0
        if width:
            svg.append(el("rect", x=x, y=y, width=width, height=_BAR, **_fill(kind)))
        x += width
