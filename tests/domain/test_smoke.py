from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from advisor.domain.smoke import SmokeCheck, SmokeExpectation, SmokeMeasurement, extrapolate_ms, judge

GIB = 1 << 30
REAL = SmokeMeasurement(
    synthetic=False,
    layers_run=32,
    layers_total=32,
    error=None,
    prompt_tokens=250,
    ttft_ms=500.0,
    decode_tokens_per_s=20.0,
    full_ttft_ms=500.0,
    full_decode_tokens_per_s=20.0,
    peak_bytes=5 * GIB,
    weights_bytes=4 * GIB,
    load_ms=900.0,
    others_cores=0.0,
    texts=("Red, green and blue.",),
)
SLICE = replace(
    REAL,
    synthetic=True,
    layers_run=6,
    texts=(),
    decode_tokens_per_s=100.0,
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
        (name, True) for name in ("runs", "text", "decode", "ttft", "interval", "memory")
    ]


def test_nothing_expected_leaves_running_and_writing() -> None:
    assert set(checks(REAL, SmokeExpectation())) == {"runs", "text"}


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


def test_a_slice_alone_is_not_judged_for_speed_or_memory() -> None:
    found = checks(SLICE)
    assert found["decode"].passed is None
    assert found["ttft"].passed is None
    assert found["memory"].passed is None
    assert "interval" not in found
    assert "6 of 32 layers" in found["decode"].text
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


@given(
    layer=st.floats(0.01, 100),
    rest=st.floats(0, 100),
    drift=st.lists(st.floats(0.5, 3), min_size=1, max_size=9),
    small=st.integers(1, 10),
    more=st.integers(1, 20),
    total=st.integers(31, 200),
)
def test_a_linear_model_is_extrapolated_exactly_when_the_machine_is_steady(
    layer: float, rest: float, drift: list[float], small: int, more: int, total: int
) -> None:
    large = small + more
    steady = [1.0] * len(drift)
    predicted = extrapolate_ms(
        [rest + layer * small for _ in steady], [rest + layer * large for _ in steady], small, large, total
    )
    assert predicted == pytest.approx(rest + layer * total, rel=1e-6)


@given(st.lists(st.floats(1, 10), min_size=2, max_size=8), st.integers(1, 5))
def test_an_offset_common_to_a_pair_does_not_change_the_slope(offsets: list[float], layer: int) -> None:
    assume(max(offsets) > min(offsets))
    small = [offset + 2 * layer for offset in offsets]
    large = [offset + 6 * layer for offset in offsets]
    predicted = extrapolate_ms(small, large, 2, 6, 32)
    middle = extrapolate_ms(small, large, 2, 6, 6)
    assert predicted is not None
    assert middle is not None
    assert predicted - middle == pytest.approx(26 * layer)


def test_noise_and_nothing_are_not_extrapolated() -> None:
    assert extrapolate_ms([5.0, 5.0], [4.0, 4.5], 2, 6, 32) is None
    assert extrapolate_ms([], [], 2, 6, 32) is None
    assert extrapolate_ms([1.0], [2.0], 6, 6, 32) is None
