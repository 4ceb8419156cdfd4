"""What a user decides about files that serve a recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_PORT = 8080
"""llama-server's own."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """None leaves the choice to the target, the recommendation or the plan."""

    engine: str | None = None
    node: str | None = None
    """A kind of machine of the list that plans are made over; the load is planned for it anew."""
    quantization: str | None = None
    """BF16 or FP8, for vLLM."""
    slots: int | None = None
    """Requests that one copy answers at once."""
    replicas: int | None = None
    gguf: str | None = None
    """Weights for llama.cpp: owner/name/FILE.gguf, or a path on the machine that serves."""
    port: int = DEFAULT_PORT
    image: str | None = None
    allow_simulated: bool = False
    """For a machine that was described and not probed."""


PLAIN = ExportRequest()
"""Everything as recommended."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """One thing that a recommendation can be turned into, as a front end offers it."""

    target: str
    engine: str | None
    """None for the target's usual one, and for a report."""
    label: str
    """What it gives, in words."""

    @property
    def key(self) -> str:
        """Differs from that of every other choice."""
        return self.target if self.engine is None else f"{self.target} {self.engine}"


@dataclass(frozen=True, slots=True)
class MadeFiles:
    """What a target made of a recommendation."""

    texts: Mapping[str, str]
    """By file name, the main one first."""
    duties: tuple[str, ...] = ()
    """The licence, its verdict for the described use, and what it asks for; empty for a report, which has it in it."""
    cautions: tuple[str, ...] = ()
    """What somebody must know before relying on the files: sentences with their stop."""
