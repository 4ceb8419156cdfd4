"""What to try after a failure."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.recommend import Candidate
from advisor.domain.smoke import SmokeCheck, SmokeVerdict
from advisor.domain.smoke_next import next_steps
from tests.builders import constraints
from tests.tui.pinned import RANKED

NEEDS = constraints()
assert RANKED[0].speed is not None
SPEED = RANKED[0].speed


def failing(id_: str, text: str = "too slow") -> SmokeVerdict:
    return SmokeVerdict("fail", (SmokeCheck(id_, False, True, text),))  # type: ignore[arg-type]


def with_rate(candidate: Candidate, rate: float) -> Candidate:
    assert candidate.speed is not None
    return replace(candidate, speed=replace(candidate.speed, decode_tokens_per_s=rate))


def test_nothing_is_advised_after_a_pass() -> None:
    for verdict in ("pass", "warn"):
        assert next_steps(RANKED[0], SmokeVerdict(verdict, ()), NEEDS, RANKED) == ()


def test_the_next_candidate_is_named_with_its_command() -> None:
    steps = next_steps(RANKED[0], failing("language"), NEEDS, RANKED)
    other = next(c for c in RANKED if c.model.id != RANKED[0].model.id)
    assert steps[-1].candidate == other.id
    assert steps[-1].command == f"llm-advisor smoke {other.model.id} --quant {other.quantization.name}"


def test_after_want_of_speed_a_faster_candidate_is_named() -> None:
    others = [c for c in RANKED if c.model.id != RANKED[0].model.id]
    slow, fast = with_rate(others[0], 1.0), with_rate(others[1], 1000.0)
    steps = next_steps(with_rate(RANKED[0], 10.0), failing("decode"), NEEDS, (RANKED[0], slow, fast))
    assert steps[-1].candidate == fast.id


def test_a_smaller_type_is_said_to_save_time_only_where_it_is_predicted_to() -> None:
    subject = with_rate(RANKED[0], 10.0)
    smaller = replace(
        subject.fit.footprint, devices=tuple(replace(d, weights_bytes=1) for d in subject.fit.footprint.devices)
    )
    other = replace(
        subject, quantization=replace(subject.quantization, name="Q2_K"), fit=replace(subject.fit, footprint=smaller)
    )
    slow, fast = with_rate(other, 9.0), replace(other, speed=replace(SPEED, decode_tokens_per_s=11.0, ttft_ms=1.0))

    def said(failed: str, candidate: Candidate) -> list[str]:
        steps = next_steps(subject, failing(failed, "memory"), NEEDS, (subject, candidate))
        return [step.text for step in steps if step.candidate == candidate.id]

    assert said("decode", slow) == []
    assert said("ttft", slow) == []
    assert said("decode", fast)[0].endswith("takes less memory and time")
    assert said("runs", slow)[0].endswith("takes less memory")


def test_want_of_memory_asks_for_a_smaller_context() -> None:
    verdict = failing("runs", "loading, the engine was killed by signal 9, perhaps because memory ran out")
    step = next_steps("./a model.gguf", verdict, NEEDS, ())[0]
    half = NEEDS.task.context_tokens // 2
    assert step.command == f"llm-advisor smoke './a model.gguf' --set task.context_tokens={half}"


def test_a_template_that_was_refused_asks_for_another_file() -> None:
    (step,) = next_steps("x.gguf", failing("template"), NEEDS, ())
    assert "another source" in step.text
