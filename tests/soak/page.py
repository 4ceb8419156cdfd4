"""The committed page of the soak: a line of samples for each figure, and what was found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "soak.md"
_ORDER = ("recommendations", "dry_runs", "smoke_tests", "pilot", "terminal")
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 48
_HEAD = """# Soak

Written by `python -m tests.soak page` from the samples in `results/` (`python -m tests.soak facade`, `pilot`,
`terminal`).
Each line goes from the first sample to the last, from 0 to its own highest figure, so that what is flat looks flat.
"""
_FIGURES: tuple[tuple[str, Callable[[dict[str, Any]], float], str], ...] = (
    ("memory", lambda s: s["rss_bytes"] / (1 << 20), "MiB"),
    ("descriptors", lambda s: s["n_files"], ""),
    ("threads", lambda s: s["n_threads"], ""),
    ("children", lambda s: s["n_children"], ""),
)


def write_page(results: Path) -> None:
    """Make soak.md of all results that are there."""
    lines = [_HEAD]
    for name in _ORDER:
        path = results / f"{name}.json"
        if path.exists():
            lines += _section(json.loads(path.read_text("utf-8")))
    found = results.parent / "found.md"
    if found.exists():
        lines.append(found.read_text("utf-8"))
    PAGE.write_text("\n".join(lines).rstrip() + "\n", "utf-8")


def _section(run: dict[str, Any]) -> list[str]:
    samples = run["samples"]
    lines = [f"## {run['what'][0].upper()}{run['what'][1:]}\n", *(f"{note}.\n" for note in run["notes"])]
    lines += ["| figure | first | middle | last | highest | curve |", "| --- | --- | --- | --- | --- | --- |"]
    for title, value, unit in _FIGURES:
        values = [value(sample) for sample in samples]
        picked = (values[0], values[len(values) // 2], values[-1], max(values))
        cells = [f"{one:.0f} {unit}".strip() for one in picked]
        lines.append(f"| {title} | {' | '.join(cells)} | `{_curve(values)}` |")
    seconds = f"{len(run['failures'])} failures" if run["failures"] else "No failure"
    return [*lines, f"\n{seconds}, {samples[-1]['done']:,} done.\n", *(f"- {text}" for text in run["failures"])]


def _curve(values: Sequence[float]) -> str:
    highest = max(values)
    count = min(_WIDTH, len(values))
    picked = [values[i * (len(values) - 1) // max(1, count - 1)] for i in range(count)]
    return "".join(_BARS[round(v / highest * (len(_BARS) - 1))] if highest else _BARS[0] for v in picked)
