from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from advisor.engine import operations as ops
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.messages import ContextParams, MeasureParams
from advisor.engine.protocol import Event
from advisor.engine.rounds import LEAST_PROMPTS, LEAST_TOKENS, half_width
from advisor.engine.synthetic import BlockPools
from advisor.gguf.writer import write_synthetic
from tests.gguf.making import llama_blueprint


@pytest.fixture(scope="module")
def pair(shared: EngineClient, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The same model with one and with three layers."""
    folder, pools, paths = tmp_path_factory.mktemp("pair"), BlockPools(shared), []
    for n in (1, 3):
        path = folder / f"{n}.gguf"
        write_synthetic(llama_blueprint(layers=n), path, pools)
        paths.append(str(path))
    return paths[0], paths[1]


QUICK = MeasureParams(
    ("-", "-"), (0.0, 1.0), (0.0, 1.0), ContextParams(n_ctx=512), n_prompt=32, depth_tokens=48, budget_s=0.5
)


def test_a_wider_interval_for_wilder_samples_and_fewer_of_them() -> None:
    draw = random.Random(3)
    calm = [draw.gauss(100, 1) for _ in range(100)]
    wild = [draw.gauss(100, 10) for _ in range(100)]
    assert half_width(calm) < half_width(wild) < half_width(wild[:20])
    assert half_width([5.0]) == 1.0
    assert half_width([-1.0, 1.0, -1.0]) == 1.0


def test_the_interval_covers_the_true_median_as_often_as_it_says() -> None:
    draw = random.Random(5)
    hits = 0
    for _ in range(400):
        samples = [draw.gauss(100, 8) for _ in range(40)]
        middle = median(samples)
        hits += abs(middle - 100) <= half_width(samples) * middle
    assert 0.90 < hits / 400 <= 1


def test_rounds_end_when_the_time_is_over(shared: EngineClient, pair: tuple[str, str]) -> None:
    events: list[Event] = []
    asked = replace(QUICK, model_paths=pair, precision=0.0)
    result = ops.measure(shared, asked, on_event=events.append)
    assert result.prefill.n_rounds >= LEAST_PROMPTS
    assert result.decode.n_rounds > LEAST_TOKENS
    assert result.seconds < 3 * asked.budget_s
    shown = [event.payload for event in events]
    assert [p["rounds"] for p in shown if p["stage"] == "decode"] == list(range(1, result.decode.n_rounds + 1))
    assert {p["stage"] for p in shown} == {"load", "prefill", "decode"}
    assert all(0 <= p["share"] <= 1 for p in shown)


def test_rounds_end_when_enough_is_known(shared: EngineClient, pair: tuple[str, str]) -> None:
    result = ops.measure(shared, replace(QUICK, model_paths=pair, precision=1.1, budget_s=30.0))
    assert result.prefill.n_rounds == LEAST_PROMPTS
    assert result.decode.n_rounds == LEAST_TOKENS


def test_the_sum_is_weighted(shared: EngineClient, pair: tuple[str, str]) -> None:
    result = ops.measure(
        shared, replace(QUICK, model_paths=pair, decode_factors=(0.0, 2.0), prefill_factors=(3.0, 0.0))
    )
    assert result.decode.median_ms == pytest.approx(2 * result.decode.model_ms[1])
    assert result.prefill.median_ms == pytest.approx(3 * result.prefill.model_ms[0])
    assert all(ms > 0 and math.isfinite(ms) for ms in (*result.decode.model_ms, *result.prefill.model_ms))
    assert result.memory[0].weights_bytes < result.memory[1].weights_bytes


def test_the_cache_stays_at_its_depth(shared: EngineClient, pair: tuple[str, str]) -> None:
    """Many more tokens are decoded than fit, so each must be taken back."""
    context = ContextParams(n_ctx=256)
    asked = replace(QUICK, model_paths=pair, context=context, depth_tokens=250, precision=0.0, budget_s=1.0)
    assert ops.measure(shared, asked).decode.n_rounds > 12


@pytest.mark.parametrize(
    "asked",
    [
        replace(QUICK, model_paths=()),
        replace(QUICK, prefill_factors=(1.0,)),
        replace(QUICK, decode_factors=(1.0,)),
        replace(QUICK, n_prompt=0),
        replace(QUICK, depth_tokens=512),
        replace(QUICK, n_prompt=600),
    ],
)
def test_senseless_requests_are_refused(shared: EngineClient, asked: MeasureParams) -> None:
    with pytest.raises(EngineRefused) as caught:
        ops.measure(shared, asked)
    assert caught.value.kind == "request"


def test_a_broken_file_is_told(shared: EngineClient, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    with pytest.raises(EngineRefused):
        ops.measure(shared, replace(QUICK, model_paths=(str(broken),), prefill_factors=(1.0,), decode_factors=(1.0,)))
