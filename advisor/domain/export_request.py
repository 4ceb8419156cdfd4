"""What a user decides about files that serve a recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.domain.questions import Question, QuestionKind

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
class ExportOption:
    """A field of the request as front ends ask for it."""

    question: Question
    """Its key is the field."""
    flag: str
    metavar: str | None = None


def _option(
    key: str, kind: QuestionKind, title: str, about: str, metavar: str | None = None, *, flag: str | None = None,
    default: int | None = None, limits: tuple[int, int] | None = None,
) -> ExportOption:  # fmt: skip
    low, high = limits or (None, None)
    question = Question(key, kind, title, about, default, {}, low, high, None, default is None, False)
    return ExportOption(question, flag or f"--{key}", metavar)


EXPORT_OPTIONS: tuple[ExportOption, ...] = (
    _option(
        "node", "text", "Kind of machine", "Plan the load anew for this kind of machine (llm-advisor plan).", "NAME"
    ),
    _option(
        "quantization", "text", "Type of weights", "For vLLM: BF16, or FP8 made from it when it is loaded.", "TYPE",
        flag="--quant",
    ),
    _option("slots", "integer", "Requests at once", "Requests that one copy answers at once.", limits=(1, 4096)),
    _option("replicas", "integer", "Copies", "Copies to run.", limits=(1, 10_000)),
    _option("gguf", "text", "Weights", "Weights: owner/name/FILE.gguf on the Hub, or /PATH/FILE.gguf.", "FILE"),
    _option("port", "integer", "Port", "To listen on.", default=DEFAULT_PORT, limits=(1, 65535)),
    _option("image", "text", "Container image", "Container image, in place of the engine's own.", "IMAGE"),
)  # fmt: skip
"""What can be decided beside target and engine."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """One thing that a recommendation can be turned into, as a front end offers it."""

    target: str
    engine: str | None
    """None for the target's usual one, and for a report."""
    label: str
    """What it gives, in words."""
    options: tuple[ExportOption, ...] = ()
    """Those that change what it makes."""

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
