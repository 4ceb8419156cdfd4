from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from advisor.domain.basis import Basis
from advisor.domain.fit import ways_to_run
from advisor.domain.model import Shape
from advisor.domain.placement import cpu_placement
from advisor.domain.pools import memory_pools
from advisor.domain.speed import Speed, estimate_speed
from advisor.domain.speed.slicing import Timed
from advisor.domain.speed_report import Subject
from advisor.domain.weights import weights
from advisor.engine.client import EngineCancelled
from advisor.engine.slices import SliceRun
from advisor.errors import EngineError
from advisor.service import measuring
from advisor.service.measurement_cache import recall, remember
from advisor.units import GIB
from tests.builders import constraints, figures, machine, model
from tests.domain.speed.placing import constants

SHAPE = Shape("llama", 12, 256, 4, 2, 64, 512, 4096, tied_embeddings=False)
HERE = machine(24 * GIB, cores=2)


def subject(quantization: str = "Q4_K_M", *, prompt: int = 48) -> Subject:
    pools = memory_pools(HERE, constraints().machine, figures(HERE))
    base = cpu_placement(1024, threads=1)
    fit = ways_to_run(SHAPE, weights(SHAPE, quantization), base, pools, allow_cpu=True)[0]
    return Subject(model(shape=SHAPE), quantization, fit, prompt, prompt + 16)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests may be busy, which is judged in tests of its own."""
    monkeypatch.setattr(measuring, "BUSY_CORES", 1e9)
    monkeypatch.setattr(measuring, "WIDEST_INTERVAL", 1.0)


def as_remembered(speed: Speed) -> Speed:
    """The same figures, which say when they were timed."""
    return replace(speed, assumed=(*speed.assumed, f"timed on {datetime.now(UTC).date()}, not anew"))


@pytest.mark.usefixtures("quiet")
def test_a_model_that_is_not_here_is_measured_and_remembered(own_cache: Path) -> None:
    events: list[object] = []
    first = measuring.measure(subject(), HERE, constants(), events.append, budget_s=1.0)
    assert first.problem is None
    assert first.speed is not None
    assert first.speed.basis is Basis.MEASURED
    assert first.speed.low <= first.speed.decode_tokens_per_s <= first.speed.high
    assert events
    assert list((own_cache / "scratch").iterdir()) == []
    events.clear()
    again = measuring.measure(subject(), HERE, constants(), events.append, budget_s=1.0)
    assert again.speed == as_remembered(first.speed)
    assert events == []
    anew = measuring.measure(subject(), HERE, constants(), events.append, budget_s=1.0, cache_use="renew")
    assert events
    assert anew.speed is not None
    assert recall(subject(), HERE) == as_remembered(anew.speed)


@pytest.mark.usefixtures("quiet")
def test_cancelling_ends_a_measurement_and_leaves_nothing(own_cache: Path) -> None:
    cancel = threading.Event()

    def stop(event: object) -> None:
        if getattr(event, "payload", {}).get("stage") == "prefill":
            cancel.set()

    with pytest.raises(EngineCancelled):
        measuring.measure(subject(), HERE, constants(), stop, cancel, budget_s=60.0)
    assert list((own_cache / "scratch").iterdir()) == []
    assert recall(subject(), HERE) is None


def timed(**changes: float) -> Timed:
    base = Timed(100.0, 48, 10.0, 64, 0.02, 0.02, 5.0, 1 << 20, 0.0)
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "words"),
    [(timed(decode_half_width=0.4), "too noisy: ±40%"), (timed(others_cores=1.8), "kept 1.8 cores busy")],
)
def test_noise_gives_a_reason_and_no_number(monkeypatch: pytest.MonkeyPatch, found: Timed, words: str) -> None:
    monkeypatch.setattr(measuring, "time_slices", lambda *a, **k: found)
    outcome = measuring.measure(subject(), machine(24 * GIB, cores=1), constants())
    assert outcome.speed is None
    assert outcome.estimated is not None
    assert words in (outcome.problem or "")
    assert recall(subject(), HERE) is None


def test_a_dead_child_gives_a_reason_and_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*arguments: object, **named: object) -> Timed:
        raise EngineError("the engine was killed")

    monkeypatch.setattr(measuring, "time_slices", die)
    outcome = measuring.measure(subject(), HERE, constants())
    assert (outcome.speed, outcome.problem) == (None, "the engine was killed")
    assert outcome.estimated is not None


def test_too_little_memory_gives_a_reason() -> None:
    outcome = measuring.measure(subject(), machine(24 * GIB, available=1 << 20), constants())
    assert outcome.speed is None
    assert "not even the smallest slices" in (outcome.problem or "")


def test_nothing_is_timed_for_a_simulated_machine() -> None:
    outcome = measuring.measure(subject(), replace(HERE, simulated=True), constants())
    assert outcome.speed is None
    assert "simulated" in (outcome.problem or "")


def test_what_is_remembered_holds_for_one_machine_engine_placement_and_use() -> None:
    asked = subject()
    known = estimate_speed(asked.model, asked.weights, asked.fit, constants(), depth_tokens=64, prompt_tokens=48)
    assert known is not None
    remember(asked, HERE, known)
    assert recall(asked, HERE) == as_remembered(known)
    newer = replace(HERE, engine=replace(HERE.engine, version=replace(HERE.engine.version, value="0.3.99")))
    deeper = replace(asked, depth_tokens=65)
    moved = replace(asked, fit=replace(asked.fit, placement=replace(asked.fit.placement, threads=2)))
    assert recall(asked, newer) is None
    assert recall(asked, machine(24 * GIB, cores=4)) is None
    assert recall(subject("Q8_0"), HERE) is None
    assert recall(deeper, HERE) is None
    assert recall(moved, HERE) is None


def test_a_damaged_memory_is_none(own_cache: Path) -> None:
    asked = subject()
    known = estimate_speed(asked.model, asked.weights, asked.fit, constants(), depth_tokens=64, prompt_tokens=48)
    assert known is not None
    remember(asked, HERE, known)
    (path,) = (own_cache / "speed").iterdir()
    path.write_text('{"decode_tokens_per_s": ')
    assert recall(asked, HERE) is None


def test_a_long_prompt_is_cut_to_what_the_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def note(client: object, run: SliceRun, *rest: object) -> Timed:
        seen.append((run.n_prompt, run.depth_tokens))
        return timed(n_prompt=run.n_prompt, depth_tokens=run.depth_tokens)

    monkeypatch.setattr(measuring, "time_slices", note)
    outcome = measuring.measure(subject(prompt=100_000), HERE, constants(), budget_s=0.1)
    ((prompt, depth),) = seen
    assert 32 <= prompt < 100_000
    assert prompt <= depth < 100_016
    assert outcome.speed is not None
    assert outcome.speed.prompt_tokens == 100_000
    assert len(outcome.speed.assumed) == 2
