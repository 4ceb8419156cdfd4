"""What a user says of a plan for many users, in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Each None leaves the choice to the ranking or to the default."""

    name: str | None = None
    """Of the model, else the pick is planned."""
    quantization: str | None = None
    """A GGUF file type for llama.cpp, or BF16 or FP8 for the original weights."""
    engine: str | None = None
    """The one engine to plan, else every engine."""
    trace: Path | None = None
    """A file with a recorded load, in place of users and rate."""
    survive: str | None = None
    """What may be lost while the targets hold: `replica`, which is the default, or `machine`."""
