"""What a user decides about files that serve a recommendation."""

from __future__ import annotations

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
