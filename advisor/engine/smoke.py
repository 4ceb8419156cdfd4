"""The smoke test of a file with real weights: questions put to it in the child, and what came of them.

The template of the file is rendered in a child of its own, which knows nothing of the model and is given up when it
takes too long. What was answered before a model's child dies is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from advisor.domain.smoke import SmokeMeasurement
from advisor.domain.smoke_answers import (
    NEEDLE,
    TOOL_SCHEMA,
    AnswerFacts,
    LanguageAnswer,
    LongAnswer,
    Structured,
    TemplateState,
)
from advisor.engine.client import (
    EngineCancelled,
    EngineClient,
    EngineRefused,
    EngineUnavailable,
    OnEvent,
)
from advisor.engine.codec import from_json
from advisor.engine.messages import ContextParams
from advisor.engine.operations import answer, identify
from advisor.engine.protocol import Event
from advisor.engine.rounds import half_width
from advisor.engine.smoke_messages import FILLER_MARK, Ask, AskParams, AskResult, Given, IdentifyParams, RenderParams
from advisor.engine.template_child import rendered, template_child
from advisor.errors import EngineError
from advisor.gguf.scratch import scratch_dir

CONTEXT_BUDGET_S = 60.0
"""Longest wait for the long prompt."""
BASE_TIMEOUT_S = 600.0
_PER_ASK_S = 120.0
_ANSWER_TOKENS = 96
_CALL_TOKENS = 120
_LONG_ANSWER_TOKENS = 24

_PASSAGE = (
    "The harbour was quiet in the early morning. Two fishing boats came back with nets full of silver herring, and "
    "a boy on the quay counted the boxes aloud while his sister wrote the numbers into a blue notebook. "
)
_TOKENS_PER_PASSAGE = 45
_LONG_QUESTION = "Retell the passage below in your own words.\n\n"
_STOP_QUESTION = "Answer in one word: what is the capital of France?"
_CALL_QUESTION = "What will the weather be in Lisbon over the next three days? Call the tool that answers it."
_FILLER = "Entry {n}: the harbour was quiet, and the boats came back with their nets half full.\n"
_NEEDLE_QUESTION = (
    f"{FILLER_MARK}Note: the number of the lighthouse is {NEEDLE}.\n{FILLER_MARK}\n"
    "What is the number of the lighthouse? Answer with the number alone."
)


@dataclass(frozen=True, slots=True)
class SmokePlan:
    """What to ask a file."""

    context: ContextParams
    layers: int
    template: str | None
    """The file's own, as it stands in its header."""
    bos: str = ""
    eos: str = ""
    prompt_tokens: int = 128
    """About so many in the prompt that is timed; never more than the context allows."""
    decode_tokens: int = 32
    questions: Mapping[str, str] = field(default_factory=dict)
    """One for each language to be tried."""
    required: frozenset[str] = frozenset()
    """Languages that must be answered in."""
    unasked: tuple[str, ...] = ()
    """Languages for which there is no question."""
    long_tokens: int = 0
    """Length of the long prompt; 0 for none."""
    long_budget_s: float = CONTEXT_BUDGET_S
    calls_tools: bool = False
    memory_limit_bytes: int | None = None
    scratch_root: Path | None = None


@dataclass(slots=True)
class _Kept:
    """What the child told so far."""

    on_event: OnEvent | None
    given: dict[str, Given] = field(default_factory=dict)
    doing: str = "loading"

    def __call__(self, event: Event) -> None:
        stage = event.payload.get("stage")
        if stage == "given":
            found = from_json(Given, event.payload["given"])
            self.given[found.id] = found
            return
        if stage == "ask":
            self.doing = _place(str(event.payload["id"]))
            event = Event(event.id, event.kind, {**event.payload, "stage": self.doing})
        if self.on_event is not None:
            self.on_event(event)


def run_file(client: EngineClient, path: Path, plan: SmokePlan, on_event: OnEvent | None = None) -> SmokeMeasurement:
    """Run it. A model that does not run, or dies on the way, is a measurement with an error.

    Raises EngineUnavailable where llama.cpp is missing, EngineCancelled when cancelled.
    """
    with scratch_dir(plan.scratch_root) as folder, template_child(folder) as helper:
        asks, state, reason = _rendered(helper, plan)
        kept = _Kept(on_event)
        timeout = BASE_TIMEOUT_S + _PER_ASK_S * len(asks)
        result: AskResult | None = None
        error: str | None = None
        try:
            params = AskParams(str(path), asks, plan.context)
            result = answer(client, params, timeout=timeout, on_event=kept)
        except (EngineUnavailable, EngineCancelled):
            raise
        except EngineRefused as refusal:
            error = str(refusal)
        except EngineError as death:
            error = f"{kept.doing}, {death}"
        languages = _languages(helper, plan, kept.given)
    return _measurement(plan, kept.given, result, error, _facts(plan, kept.given, state, reason, languages))


def _asks(plan: SmokePlan) -> list[Ask]:
    room = plan.context.slot_tokens - plan.decode_tokens
    n_passages = max(1, min(plan.prompt_tokens, room // 2) // _TOKENS_PER_PASSAGE)
    n = plan.decode_tokens
    asks = [
        Ask("speed", _LONG_QUESTION + _PASSAGE * n_passages, max_tokens=n, timed_tokens=n, repeats=2),
        Ask("stop", _STOP_QUESTION, max_tokens=_ANSWER_TOKENS),
    ]
    asks += [Ask(f"language:{tag}", text, max_tokens=_ANSWER_TOKENS) for tag, text in plan.questions.items()]
    if plan.calls_tools:
        asks.append(Ask("call", _CALL_QUESTION, max_tokens=_CALL_TOKENS, json_schema=TOOL_SCHEMA))
    if plan.long_tokens:
        asks.append(
            Ask(
                "long",
                _NEEDLE_QUESTION,
                max_tokens=_LONG_ANSWER_TOKENS,
                filler=_FILLER,
                fill_tokens=plan.long_tokens - _LONG_ANSWER_TOKENS,
                fill_budget_s=plan.long_budget_s,
            )
        )
    return asks


def _rendered(helper: EngineClient, plan: SmokePlan) -> tuple[tuple[Ask, ...], TemplateState, str | None]:
    """The questions in the file's own template, or as they are with the reason why not."""
    asks = _asks(plan)
    if not plan.template:
        return tuple(asks), "missing", None
    params = RenderParams(plan.template, tuple([ask.prompt for ask in asks]), plan.bos, plan.eos)
    texts, refusal = rendered(helper, params)
    if texts is None:
        return tuple(asks), "refused", refusal
    put = [replace(ask, prompt=text, is_rendered=True) for ask, text in zip(asks, texts, strict=True)]
    return tuple(put), "rendered", None


def _languages(helper: EngineClient, plan: SmokePlan, given: Mapping[str, Given]) -> tuple[LanguageAnswer, ...]:
    """The answers in each language, as far as they were given, and the language each is written in."""
    answers = [(tag, given[f"language:{tag}"]) for tag in plan.questions if f"language:{tag}" in given]
    if not answers:
        return ()
    try:
        found = identify(helper, IdentifyParams(tuple([each.text for _, each in answers]))).languages
    except (EngineUnavailable, EngineCancelled):
        raise
    except EngineError as error:
        return tuple([_language(plan, tag, each, problem=error.what) for tag, each in answers])
    pairs = zip(answers, found, strict=True)
    return tuple([_language(plan, tag, each, one.tag, one.probability) for (tag, each), one in pairs])


def _language(
    plan: SmokePlan, tag: str, given: Given, found: str | None = None, probability: float = 0.0, problem: str = ""
) -> LanguageAnswer:
    why = given.problem or problem or None
    return LanguageAnswer(tag, tag in plan.required, given.text, found, probability, why)


def _facts(
    plan: SmokePlan,
    given: Mapping[str, Given],
    state: TemplateState,
    reason: str | None,
    languages: tuple[LanguageAnswer, ...],
) -> AnswerFacts | None:
    if not given and state != "refused":
        return None
    free = [g for name, g in given.items() if name == "stop" or name.startswith("language:") if g.problem is None]
    call, long, speed = given.get("call"), given.get("long"), given.get("speed")
    return AnswerFacts(
        template=state,
        template_reason=reason,
        n_answers=len(free),
        n_ended=sum(each.ending == "end" for each in free),
        longest_tokens=max((each.n_tokens for each in free), default=0),
        is_repeatable=None if speed is None else speed.is_same,
        languages=languages,
        unasked=plan.unasked,
        long=None if long is None else _long(plan, long),
        structured=None if call is None else Structured(call.text, call.problem),
    )


def _long(plan: SmokePlan, given: Given) -> LongAnswer:
    return LongAnswer(plan.long_tokens, given.n_prompt, given.text, given.fill_seconds, given.problem)


def _measurement(
    plan: SmokePlan,
    given: Mapping[str, Given],
    result: AskResult | None,
    error: str | None,
    facts: AnswerFacts | None,
) -> SmokeMeasurement:
    speed = given.get("speed")
    times: Sequence[float] = () if speed is None or speed.problem else speed.token_ms
    prompts = () if speed is None else speed.prompt_ms
    width = half_width(times) if times else 1.0
    middle = median(times) if times else None
    rates = [1000 * speed.n_prompt / ms for ms in prompts] if speed is not None else []
    ran = plan.layers if result is not None or given else 0
    return SmokeMeasurement(
        synthetic=False,
        layers_run=ran,
        layers_total=plan.layers,
        error=error,
        prompt_tokens=0 if speed is None else speed.n_prompt,
        full_ttft_ms=min(prompts, default=None),
        full_decode_tokens_per_s=1000 / middle if middle else None,
        decode_low=1000 / (middle * (1 + width)) if middle and width < 1 else None,
        decode_high=1000 / (middle * (1 - width)) if middle and width < 1 else None,
        prefill_tokens_per_s=max(rates, default=None),
        prefill_low=min(rates, default=None),
        prefill_high=max(rates, default=None),
        peak_bytes=None if result is None else result.peak_rss_bytes - result.baseline_rss_bytes,
        weights_bytes=None if result is None else result.memory.weights_bytes,
        load_ms=None if result is None else result.load_ms,
        others_cores=None if result is None else result.others_cores,
        texts=tuple([each.text for each in given.values() if each.text]),
        answers=facts,
    )


def _place(ask: str) -> str:
    """Where in the test a question stands, for people."""
    kind, _, tag = ask.partition(":")
    words = {
        "speed": "timing a prompt", "stop": "answering a short question", "call": "calling a tool",
        "long": "reading the long prompt", "language": f"answering in {tag}",
    }  # fmt: skip
    return words.get(kind, ask)
