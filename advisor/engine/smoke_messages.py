"""What the child is asked for a smoke test: templates to render, questions to answer, languages to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from advisor.engine.messages import ContextParams, MemoryFigures, ModelFacts, Template
from advisor.engine.trial_messages import Turn

FILLER_MARK = "\N{SYMBOL FOR SUBSTITUTE}"
"""Stands in a prompt where filler goes."""

Ending = Literal["end", "length", "context", "time"]
_CONTEXT = ContextParams()


@dataclass(frozen=True, slots=True)
class RenderParams:
    """A file's chat template, and single user messages to be put into it. All of it is foreign."""

    template: str
    prompts: tuple[str, ...]
    bos: str = ""
    eos: str = ""
    conversation: tuple[Turn, ...] = ()
    """A conversation whose last turn is the user's, put into the template after the messages."""


@dataclass(frozen=True, slots=True)
class RenderResult:
    """The text that goes into the model, for each message and then for the conversation."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, answered from an empty cache by the likeliest token each time."""

    id: str
    prompt: str
    is_rendered: bool = False
    """Whether the chat template was applied already; otherwise the one is applied that llama.cpp recognises."""
    max_tokens: int = 64
    timed_tokens: int = 0
    """Decode at least so many for the timing, past the end of an answer that is shorter."""
    repeats: int = 1
    json_schema: str = ""
    """The answer follows this schema, by a grammar."""
    filler: str = ""
    """Put in place of the marks again and again, `{n}` counting, until the prompt has about `fill_tokens`."""
    fill_tokens: int = 0
    fill_budget_s: float = 0.0
    """Filler that is not read by then is left out."""
    limit_s: float = 60.0
    """The answer is cut after so long."""


@dataclass(frozen=True, slots=True)
class AskParams:
    """Questions for one model, which is loaded once."""

    model_path: str
    asks: tuple[Ask, ...]
    context: ContextParams = _CONTEXT


@dataclass(frozen=True, slots=True)
class Given:
    """What came of one question."""

    id: str
    text: str
    n_tokens: int
    ending: Ending
    template: Template
    n_prompt: int
    prompt_ms: tuple[float, ...]
    """To the first token, of each repeat."""
    token_ms: tuple[float, ...]
    """Of every following token of all repeats; the first after a prompt is left out."""
    is_same: bool | None = None
    """Whether all repeats gave the same tokens; None for one alone."""
    fill_seconds: float | None = None
    """What reading as many tokens as were asked for would take, by the speed up to where it was cut; None for all."""
    problem: str | None = None
    """Why it could not be asked; all figures are then 0."""


@dataclass(frozen=True, slots=True)
class AskResult:
    """The answers to all questions."""

    model: ModelFacts
    memory: MemoryFigures
    load_ms: float
    given: tuple[Given, ...]
    baseline_rss_bytes: int
    peak_rss_bytes: int
    others_cores: float


@dataclass(frozen=True, slots=True)
class IdentifyParams:
    """Texts whose language is to be told."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identified:
    """The likeliest language of a text, as a code of ISO 639-1, and its probability among 97 languages."""

    tag: str
    probability: float


@dataclass(frozen=True, slots=True)
class IdentifyResult:
    """One for each text."""

    languages: tuple[Identified, ...]
