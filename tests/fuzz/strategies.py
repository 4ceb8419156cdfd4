"""What Hypothesis feeds to a harness: changed seeds, random bytes, and bytes behind a sound beginning."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from tests.fuzz.harness import Harness
from tests.fuzz.mutation import mutated, value
from tests.fuzz.pool import Pool


def inputs(harness: Harness, pool: Pool | None = None) -> st.SearchStrategy[bytes]:
    """Inputs for a harness, most of them nearly sound. Where a pool is given, what is in it is changed too."""
    seeds = list(harness.seeds())
    torn = st.builds(_torn, st.sampled_from(seeds), st.integers(0, 1 << 20), st.binary(max_size=40))
    if harness.codec is None:
        return st.one_of(torn, st.binary(max_size=400))
    made = st.builds(lambda rng: _made(harness, rng), st.randoms(use_true_random=False))
    # `one_of` takes a strategy that is there twice once, so each is made anew.
    changed = [_changed_seeds(harness, seeds) for _ in range(3 if pool is None else 1)]
    grown = [] if pool is None else [_grown_inputs(harness, pool) for _ in range(7)]
    return st.one_of(*changed, *grown, made, torn, st.binary(max_size=200))


def _changed_seeds(harness: Harness, seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    sound = st.sampled_from([raw for raw in seeds if _has_syntax(harness, raw)])
    return st.builds(lambda raw, rng: _changed(harness, raw, rng, seeds), sound, st.randoms(use_true_random=False))


def _grown_inputs(harness: Harness, pool: Pool) -> st.SearchStrategy[bytes]:
    # Hypothesis sees only the number it begins with: the pool changes between one input and the next.
    return st.builds(lambda begin: _grown(harness, pool, Random(begin)), st.integers(0, (1 << 64) - 1))


def _has_syntax(harness: Harness, raw: bytes) -> bool:
    assert harness.codec is not None
    try:
        harness.codec.decode(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _torn(raw: bytes, at: int, tail: bytes) -> bytes:
    at %= len(raw) + 1
    return raw[:at] + tail + raw[at + len(tail) :] if at % 2 else raw[:at] + tail


def _changed(harness: Harness, raw: bytes, rng: Random, seeds: list[bytes]) -> bytes:
    assert harness.codec is not None
    try:
        return mutated(raw, harness.codec, rng, harness.words, seeds)
    except (ValueError, RecursionError):
        return raw


def _grown(harness: Harness, pool: Pool, rng: Random) -> bytes:
    return _changed(harness, rng.choice(pool.inputs), rng, pool.inputs)


def _made(harness: Harness, rng: Random) -> bytes:
    assert harness.codec is not None
    try:
        return harness.codec.encode({word: value(rng, harness.words) for word in harness.words[: rng.randrange(1, 6)]})
    except (ValueError, RecursionError):
        return b""
