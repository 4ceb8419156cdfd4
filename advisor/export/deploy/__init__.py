"""What a recommendation file can be turned into: one module a target, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from advisor.export.report.contents import Recorded


@dataclass(frozen=True, slots=True)
class Target:
    """A target's module has `files(recorded)`, which gives texts by file name."""

    module: str
    help: str
    endings: tuple[str, ...] = ()
    """Of a single file by which the target can be told, such as `.md`."""


TARGETS: Mapping[str, Target] = {
    "markdown": Target("markdown", "a report in Markdown, its charts beside it as SVG", (".md", ".markdown")),
    "html": Target("html", "a report in one HTML file that needs nothing else", (".html", ".htm")),
}
"""Targets in the order of help."""


def files_for(target: str, recorded: Recorded) -> dict[str, str]:
    """Texts by file name, the main one first; `target` is a key of TARGETS."""
    module = import_module(f"advisor.export.deploy.{TARGETS[target].module}")
    found: dict[str, str] = module.files(recorded)
    return found
