"""Timing several models in turn, in the child, until a weighted sum of their times is known well enough."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from typing import Any

from advisor.engine.loading import Loaded, open_model
from advisor.engine.memory import OthersMeter, baseline_rss_bytes, peak_rss_bytes
from advisor.engine.messages import MeasureParams, MeasureResult, Series
from advisor.engine.native import Native, NativeError
from advisor.engine.running import Clocked, Emit, clear, evaluate

LEAST_PROMPTS = 2
LEAST_TOKENS = 5
"""Rounds below which no interval is trusted."""

_TO_SIGMA = 1.4826
"""Standard deviation over median absolute deviation, for a normal distribution."""
_MEDIAN_ERROR = 1.2533
"""Standard error of a median over that of a mean: the square root of pi/2."""
_NORMAL_95 = 1.96


def measure(native: Native, params: MeasureParams, emit: Emit) -> MeasureResult:
    """Time all models. Raises NativeError where one cannot be loaded or run."""
    counts = {len(params.model_paths), len(params.prefill_factors), len(params.decode_factors)}
    if not params.model_paths or len(counts) > 1 or params.n_prompt < 1:
        raise NativeError("request", "nothing to time")
    if max(params.n_prompt, params.depth_tokens) + 1 > params.context.slot_tokens:
        raise NativeError("request", f"{max(params.n_prompt, params.depth_tokens)} tokens exceed the context")
    baseline, meter = baseline_rss_bytes(), OthersMeter()
    with ExitStack() as stack:
        runners = []
        for index, path in enumerate(params.model_paths):
            emit("progress", {"stage": "load", "run": index, "share": index / len(params.model_paths)})
            runners.append(_Runner(native.lib, stack.enter_context(open_model(native, path, params.context)), params))
        for runner in runners:
            runner.warm_up()
        started = perf_counter()
        prefill = _Rounds(params, emit, "prefill", LEAST_PROMPTS, 0.5).run(
            [r.prompt for r in runners], params.prefill_factors
        )
        for runner in runners:
            runner.fill()
        spent = (perf_counter() - started) / params.budget_s
        decode = _Rounds(params, emit, "decode", LEAST_TOKENS, max(0.1, 1.0 - spent)).run(
            [r.token for r in runners], params.decode_factors
        )
        return MeasureResult(
            prefill=prefill,
            decode=decode,
            memory=tuple([runner.loaded.memory for runner in runners]),
            seconds=perf_counter() - started,
            baseline_rss_bytes=baseline,
            peak_rss_bytes=peak_rss_bytes(),
            others_cores=meter.cores(),
        )


class _Runner(Clocked):
    """One loaded model."""

    def __init__(self, lib: Any, loaded: Loaded, params: MeasureParams) -> None:
        super().__init__(lib, loaded, params.seed)
        self._params = params

    def warm_up(self) -> None:
        """Touch all weights once for a token and once for a batch."""
        evaluate(self._lib, self.loaded, self.tokens(1))
        evaluate(self._lib, self.loaded, self.tokens(min(8, self._params.n_prompt)))
        clear(self._lib, self.loaded)

    def prompt(self) -> float:
        """Milliseconds for the prompt, from an empty cache."""
        clear(self._lib, self.loaded)
        return self.timed_ms(self.tokens(self._params.n_prompt))

    def fill(self) -> None:
        """Bring the cache to the depth, and the first token out of the way."""
        self._cut(self._params.depth_tokens)
        missing = self._params.depth_tokens - self._params.n_prompt
        if missing > 0:
            evaluate(self._lib, self.loaded, self.tokens(missing))
        self.token()

    def token(self) -> float:
        """Milliseconds for one token at the depth, which is taken back afterwards."""
        milliseconds = self.timed_ms(self.tokens(1))
        self._cut(self._params.depth_tokens)
        return milliseconds

    def _cut(self, depth: int) -> None:
        """Take back the tokens beyond a depth; recurrent states refuse that, and cost the same at any depth."""
        self._lib.llama_memory_seq_rm(self._lib.llama_get_memory(self.loaded.context), 0, depth, -1)


class _Rounds:
    """Rounds of one kind, within a share of the time."""

    def __init__(self, params: MeasureParams, emit: Emit, stage: str, least: int, share: float) -> None:
        self._params = params
        self._emit = emit
        self._stage = stage
        self._least = least
        self._limit_s = params.budget_s * share

    def run(self, steps: Sequence[Any], factors: Sequence[float]) -> Series:
        """Time all steps in turn until the sum is known, or the time is over and the fewest rounds are done."""
        rounds: list[list[float]] = []
        started = perf_counter()
        while True:
            rounds.append(_in_turn(steps, len(rounds)))
            found = _series(rounds, factors)
            elapsed = perf_counter() - started
            self._tell(found, elapsed)
            if len(rounds) < self._least:
                continue
            # A round that would end beyond the limit is not begun.
            if found.half_width < self._params.precision or elapsed * (1 + 1 / len(rounds)) > self._limit_s:
                return found

    def _tell(self, found: Series, elapsed: float) -> None:
        share = min(1.0, elapsed / self._limit_s)
        payload = {"stage": self._stage, "share": share, "rounds": found.n_rounds, "half_width": found.half_width}
        self._emit("progress", payload)


def _in_turn(steps: Sequence[Any], number: int) -> list[float]:
    """One round, which begins with another step each time: a step suffers from what the one before left in caches."""
    found = [0.0] * len(steps)
    for place in range(len(steps)):
        index = (number + place) % len(steps)
        found[index] = steps[index]()
    return found


def _series(rounds: Sequence[Sequence[float]], factors: Sequence[float]) -> Series:
    sums = [sum(f * ms for f, ms in zip(factors, times, strict=True)) for times in rounds]
    middle = median(sums)
    return Series(middle, half_width(sums), len(rounds), tuple([median(own) for own in zip(*rounds, strict=True)]))


def half_width(samples: Sequence[float]) -> float:
    """Half of an interval of 95 % around the median, as a share of it; 1 where that cannot be told."""
    middle = median(samples)
    if len(samples) < LEAST_PROMPTS or middle <= 0:
        return 1.0
    if len(samples) < LEAST_TOKENS:
        # So few say no more than how far apart they are.
        return min(1.0, (max(samples) - min(samples)) / middle)
    sigma = _TO_SIGMA * median([abs(sample - middle) for sample in samples])
    return min(1.0, float(_NORMAL_95 * _MEDIAN_ERROR * sigma / len(samples) ** 0.5 / middle))
