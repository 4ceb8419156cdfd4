from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.smoke import SmokeCheck, SmokeExpectation, SmokeMeasurement, judge
from advisor.domain.smoke_answers import AnswerFacts

GIB = 1 << 30
REAL = SmokeMeasurement(
    synthetic=False,
    layers_run=32,
    layers_total=32,
    error=None,
    prompt_tokens=250,
    full_ttft_ms=500.0,
    full_decode_tokens_per_s=20.0,
    peak_bytes=5 * GIB,
    weights_bytes=4 * GIB,
    load_ms=900.0,
    others_cores=0.0,
    texts=("Red, green and blue.",),
    answers=AnswerFacts("rendered", n_answers=1, n_ended=1, is_repeatable=True),
)
SLICE = replace(
    REAL,
    synthetic=True,
    layers_run=6,
    texts=(),
    answers=None,
    full_ttft_ms=None,
    full_decode_tokens_per_s=None,
)
EXPECTED = SmokeExpectation(
    min_decode_tokens_per_s=10.0,
    max_ttft_ms=1000.0,
    ttft_prompt_tokens=500,
    predicted_decode_tokens_per_s=18.0,
    decode_low=15.0,
    decode_high=22.0,
    predicted_ram_bytes=5 * GIB,
)


def checks(measured: SmokeMeasurement, expected: SmokeExpectation = EXPECTED) -> dict[str, SmokeCheck]:
    return {check.id: check for check in judge(measured, expected).checks}


def test_what_meets_everything_passes() -> None:
    verdict = judge(REAL, EXPECTED)
    assert verdict.verdict == "pass"
    assert [(c.id, c.passed) for c in verdict.checks] == [
        (name, True) for name in ("runs", "text", "template", "stop", "repeat", "decode", "ttft", "interval", "memory")
    ]


def test_nothing_expected_leaves_running_and_writing() -> None:
    assert set(checks(REAL, SmokeExpectation())) == {"runs", "text", "template", "stop", "repeat"}


@pytest.mark.parametrize(
    ("change", "failed", "verdict"),
    [
        ({"error": "llama.cpp aborted"}, "runs", "fail"),
        ({"texts": ("", " \n")}, "text", "fail"),
        ({"full_decode_tokens_per_s": 9.9}, "decode", "fail"),
        ({"full_ttft_ms": 501.0}, "ttft", "fail"),
        ({"full_decode_tokens_per_s": 14.9}, "interval", "warn"),
        ({"full_decode_tokens_per_s": 22.1}, "interval", "warn"),
        ({"peak_bytes": int(5.26 * GIB)}, "memory", "warn"),
        ({"others_cores": 1.0}, "quiet", "warn"),
    ],
)
def test_each_shortfall_has_its_check_and_weight(change: dict[str, object], failed: str, verdict: str) -> None:
    measured = replace(REAL, **change)  # type: ignore[arg-type]  # one field of any type
    assert checks(measured)[failed].passed is False
    assert judge(measured, EXPECTED).verdict == verdict


def test_memory_may_exceed_the_prediction_by_five_per_cent() -> None:
    assert checks(replace(REAL, peak_bytes=int(5.24 * GIB)))["memory"].passed is True


def test_what_did_not_run_is_judged_by_nothing_else() -> None:
    assert set(checks(SmokeMeasurement(False, 0, 0, "cannot load"))) == {"runs"}


def test_what_was_measured_before_a_death_is_judged_too() -> None:
    died = replace(REAL, error="answering in fr, the engine was killed by signal 9", peak_bytes=None)
    found = checks(died)
    assert found["runs"].text == "did not run to the end: answering in fr, the engine was killed by signal 9"
    assert judge(died, EXPECTED).verdict == "fail"
    assert found["decode"].passed
    assert "memory" not in found


def test_the_interval_of_the_decode_speed_is_told() -> None:
    sure = replace(REAL, decode_low=19.0, decode_high=21.0)
    assert "20.0 tok/s (19.0 to 21.0, measured)" in checks(sure)["decode"].text


def test_limits_are_inclusive() -> None:
    exact = replace(REAL, full_decode_tokens_per_s=10.0, full_ttft_ms=500.0)
    assert checks(exact)["decode"].passed
    assert checks(exact)["ttft"].passed


def test_the_first_token_is_judged_for_the_prompt_of_the_limit() -> None:
    text = checks(REAL)["ttft"].text
    assert "1.0 s for a prompt of 500 tokens (measured with 250 tokens)" in text
    assert checks(REAL, replace(EXPECTED, ttft_prompt_tokens=None))["ttft"].text.startswith("first token after 500 ms")


def test_texts_name_the_predicted_and_the_measured() -> None:
    found = checks(REAL)
    assert "20.0 tok/s" in found["interval"].text
    assert "18.0 tok/s" in found["interval"].text
    assert "5.00 GiB" in found["memory"].text


def test_a_speed_outside_its_interval_is_written_outside_of_it() -> None:
    below = checks(replace(REAL, full_decode_tokens_per_s=14.98))["interval"]
    assert below.passed is False
    assert below.text == "decodes 14.98 tok/s, predicted 18.0 tok/s, 15.0 tok/s to 22.0 tok/s"
    above = checks(replace(REAL, full_decode_tokens_per_s=22.04))["interval"]
    assert above.text == "decodes 22.04 tok/s, predicted 18.0 tok/s, 15.0 tok/s to 22.0 tok/s"


def test_a_slice_alone_is_not_judged_for_speed_or_memory() -> None:
    found = checks(SLICE)
    assert found["decode"].passed is None
    assert found["ttft"].passed is None
    assert found["memory"].passed is None
    assert "interval" not in found
    assert "6 of 32 layers" in found["memory"].text
    assert "too noisy" in checks(replace(SLICE, unjudged="the machine is too noisy"))["decode"].text
    assert judge(SLICE, replace(EXPECTED, min_decode_tokens_per_s=1e9)).verdict == "pass"


def test_two_slices_are_judged_and_called_extrapolated() -> None:
    two = replace(SLICE, full_decode_tokens_per_s=20.0, full_ttft_ms=400.0)
    found = checks(two)
    assert found["decode"].passed
    assert "extrapolated" in found["decode"].text
    assert "extrapolated" in found["ttft"].text
    assert judge(replace(two, full_decode_tokens_per_s=2.0), EXPECTED).verdict == "fail"


def test_no_check_speaks_of_quality() -> None:
    for measured in (REAL, SLICE, replace(REAL, texts=("",)), replace(REAL, error="x")):
        assert not any("quality" in check.text.lower() for check in judge(measured, EXPECTED).checks)
