"""What to try after a smoke test failed: another candidate, a smaller context, another quantization or file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence, Set
from dataclasses import dataclass

from advisor.domain.constraints import Constraints
from advisor.domain.recommend import Candidate
from advisor.domain.smoke import SmokeVerdict

_SMALLEST_CONTEXT = 2048
"""Tokens. Below that a prompt with its answer hardly fits."""
_OF_SPEED = frozenset({"decode", "ttft"})
"""Ids of the checks that other figures of speed can mend."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to try, and how."""

    text: str
    command: str | None = None
    candidate: str | None = None
    """The id of a candidate to be tested next."""


def next_steps(
    subject: Candidate | str, verdict: SmokeVerdict, constraints: Constraints, ranked: Sequence[Candidate]
) -> tuple[NextStep, ...]:
    """What may mend a failure, the likeliest remedy first; nothing after a pass.

    `subject` is the candidate that was run, or the path of a file; `ranked` are all candidates that pass, best first.
    """
    if verdict.verdict != "fail":
        return ()
    failed: set[str] = {check.id for check in verdict.checks if check.passed is False and check.required}
    steps = []
    if failed & {"runs", "context"} and any("memory" in c.text for c in verdict.checks if c.passed is False):
        steps += _smaller_context(subject, constraints)
    if "template" in failed:
        steps.append(NextStep("take the file from another source: its chat template must not be trusted"))
    steps += _smaller_type(subject, failed, ranked)
    steps += _next_candidate(subject, failed, ranked)
    return tuple(steps)


def _smaller_context(subject: Candidate | str, constraints: Constraints) -> list[NextStep]:
    half = constraints.task.context_tokens // 2
    if half < _SMALLEST_CONTEXT:
        return []
    command = f"llm-advisor smoke {_named(subject)} --set task.context_tokens={half}"
    return [NextStep(f"a smaller context, {half:,} tokens", command)]


def _smaller_type(subject: Candidate | str, failed: set[str], ranked: Sequence[Candidate]) -> list[NextStep]:
    """The same model with fewer bits, where speed or memory was the reason; where it was speed, one that is predicted
    to be faster."""
    if isinstance(subject, str) or not failed & {"decode", "ttft", "runs", "context"}:
        return []
    size = subject.fit.footprint.total_bytes
    others = [c for c in ranked if c.model.id == subject.model.id and c.fit.footprint.total_bytes < size]
    if failed & _OF_SPEED:
        others = [c for c in others if _is_faster(c, subject, failed)]
    if not others:
        return []
    best = others[0]
    gain = "less memory and time" if _is_faster(best, subject, _OF_SPEED) else "less memory"
    text = f"{best.model.name} in {best.quantization.name}, which takes {gain}"
    return [NextStep(text, f"llm-advisor smoke {_named(best)}", best.id)]


def _next_candidate(subject: Candidate | str, failed: set[str], ranked: Sequence[Candidate]) -> list[NextStep]:
    """The best of the other models; where speed was the reason, the best that is predicted to be faster."""
    if isinstance(subject, str):
        return []
    others = [c for c in ranked if c.model.id != subject.model.id]
    if failed & _OF_SPEED:
        others = [c for c in others if _is_faster(c, subject, failed)] or others
    if not others:
        return []
    best = others[0]
    text = f"the next candidate, {best.model.name} in {best.quantization.name}"
    return [NextStep(text, f"llm-advisor smoke {_named(best)}", best.id)]


def _is_faster(one: Candidate, other: Candidate, checks: Set[str]) -> bool:
    """Whether it is predicted to do better in the checks of speed among these; an unknown speed claims nothing."""
    if one.speed is None or other.speed is None:
        return False
    decodes = "decode" not in checks or one.speed.decode_tokens_per_s > other.speed.decode_tokens_per_s
    return decodes and ("ttft" not in checks or one.speed.ttft_ms < other.speed.ttft_ms)


def _named(subject: Candidate | str) -> str:
    if isinstance(subject, str):
        return shlex.quote(subject)
    return f"{shlex.quote(subject.model.id)} --quant {subject.quantization.name}"
