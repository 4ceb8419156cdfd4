from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.speed.latency import (
    READING_TOKENS_PER_S,
    latency,
    latency_lines,
    reading_text,
)
from tests.builders import model
from tests.domain.speed.placing import best_speed

SPEED = replace(best_speed(model(), "Q4_K_M"), decode_tokens_per_s=10.0, ttft_ms=500.0)


def test_the_full_answer_is_the_first_token_and_the_others() -> None:
    found = latency(SPEED, 101)
    assert (found.ttft_ms, found.answer_ms) == (500.0, 10_500.0)
    assert found.reading_share == pytest.approx(10 / READING_TOKENS_PER_S)


@pytest.mark.parametrize(
    ("share", "words"),
    [(3.5, "3.5 times as fast as people read"), (1.0, "about as fast as people read"), (0.4, "at 40% of the speed")],
)
def test_words_say_whether_text_outruns_its_reader_and_what_reading_is_taken_to_be(share: float, words: str) -> None:
    assert reading_text(share).startswith(words)
    assert "5.3 tok/s, 238 words a minute" in reading_text(share)


def test_lines_name_the_prompt_the_answer_and_both_waits() -> None:
    lines = latency_lines(latency(SPEED, 101), 512, 101)
    assert lines[0] == "first token after 500 ms for a prompt of 512 tokens"
    assert lines[1] == "whole answer of 101 tokens after 10.5 s"
