"""Continuous batching: what is conserved, what bounds hold, and cases that can be counted by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.capacity.bounds import requests_bound
from advisor.domain.capacity.load import arrivals
from advisor.domain.capacity.simulation import Limits, Request, _Replica, simulate
from tests.domain.capacity.making import toy_costs, traffic, vllm_replica

SLOW = toy_costs(decode_fixed_s=0.01, prefill_fixed_s=0.02, token_s=0.001, prefill_token_s=0.0005, kv_token_s=1e-6)
requests_st = st.lists(
    st.tuples(st.floats(0, 3), st.integers(1, 700), st.integers(1, 60)), min_size=1, max_size=40
).map(lambda rows: sorted((Request(gap * 2, p, a) for gap, p, a in rows), key=lambda r: r.arrival_s))
limits_st = st.builds(Limits, st.integers(1, 12), st.one_of(st.none(), st.integers(760, 5000)), st.integers(16, 2048))


def test_one_request_takes_its_prompt_and_a_step_for_each_further_token() -> None:
    costs = toy_costs(decode_fixed_s=0.01, prefill_fixed_s=0.02, prefill_token_s=0.001, kv_token_s=1e-4)
    run = simulate(costs, Limits(4, None, 2048), [Request(5.0, 100, 3)])
    (served,) = run.served
    assert served.ttft_s == pytest.approx(0.02 + 0.1)
    # Two steps more, with 101 and 102 tokens in the cache.
    assert served.end_s == pytest.approx(0.12 + 2 * 0.01 + 1e-4 * (101 + 102))
    assert served.tpot_s == pytest.approx((served.end_s - served.ttft_s) / 2)


def test_a_long_prompt_is_computed_in_chunks_that_decode_the_others_too() -> None:
    costs = toy_costs(decode_fixed_s=0.01, prefill_fixed_s=0.02, prefill_token_s=0.001)
    run = simulate(costs, Limits(2, None, 101), [Request(0.0, 10, 50), Request(0.03, 300, 1)])
    # The second waits for the decode step that is running, then needs 3 chunks of 100 beside one decoded token each.
    assert 3 * 0.12 <= run.served[1].ttft_s <= 3 * 0.12 + 0.01
    assert run.decoded_tokens == 51


def test_a_request_waits_for_a_slot_and_for_room_in_the_cache() -> None:
    both = [Request(0.0, 10, 10), Request(0.0, 10, 10)]
    by_slots = simulate(SLOW, Limits(1, None, 512), both)
    by_cache = simulate(SLOW, Limits(2, 30, 512), both)
    together = simulate(SLOW, Limits(2, 40, 512), both)
    for run in (by_slots, by_cache):
        assert run.served[1].wait_s == pytest.approx(run.served[0].end_s)
        assert run.most_in_flight == 1
        assert run.full_s == pytest.approx(run.served[0].end_s)
    assert together.served[1].wait_s == 0.0
    assert together.most_in_flight == 2


def test_a_request_that_never_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="a request of 200 tokens does not fit into a cache of 100"):
        simulate(SLOW, Limits(4, 100, 512), [Request(0.0, 100, 100)])


@settings(max_examples=150, deadline=None)
@given(requests_st, limits_st)
def test_requests_and_tokens_are_conserved_and_order_is_kept(requests: list[Request], limits: Limits) -> None:
    run = simulate(SLOW, limits, requests)
    assert len(run.served) == len(requests)
    assert run.decoded_tokens == sum(r.answer_tokens for r in requests)
    assert run.prompt_tokens == sum(r.prompt_tokens for r in requests)
    assert run.most_in_flight <= limits.slots
    assert run.busy_s <= run.end_s * (1 + 1e-9)
    starts = [r.arrival_s + s.wait_s for r, s in zip(requests, run.served, strict=True)]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(starts))
    for request, served in zip(requests, run.served, strict=True):
        assert 0 <= served.wait_s <= served.ttft_s <= served.end_s
        assert served.ttft_s - served.wait_s >= SLOW.prompt_s(request.prompt_tokens, limits.chunk_tokens) - 1e-9
        assert served.tpot_s >= (SLOW.decode_s(1) - 1e-12 if request.answer_tokens > 1 else 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 600), st.integers(2, 60), st.integers(1, 64), st.floats(0.2, 40))
def test_no_rate_makes_a_replica_exceed_its_bound(prompt: int, answer: int, slots: int, rate: float) -> None:
    replica = vllm_replica(slots=slots)
    asked = traffic(scale__prompt_tokens=prompt, scale__answer_tokens=answer)
    run = simulate(replica.costs, replica.limits, arrivals(asked.sizes, 400).at(rate))
    assert 400 / run.busy_s <= requests_bound(replica, asked) * (1 + 1e-9)


def test_ten_thousand_requests_take_few_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal steps are summed, not walked through: a few events a request, whatever the length of the answers."""
    replica = vllm_replica()
    events = 0
    passing = _Replica._pass

    def counted(self: _Replica, seconds: float) -> None:
        nonlocal events
        events += 1
        passing(self, seconds)

    monkeypatch.setattr(_Replica, "_pass", counted)
    run = simulate(replica.costs, replica.limits, arrivals(((512, 256),), 10_000).at(5.0))
    assert run.decoded_tokens == 2_560_000
    assert events < 5 * 10_000


def test_the_same_load_gives_the_same_run() -> None:
    replica = vllm_replica()
    first, second = (simulate(replica.costs, replica.limits, arrivals(((300, 80),), 500).at(3.0)) for _ in range(2))
    assert first == second


def test_more_load_never_makes_the_typical_wait_shorter() -> None:
    replica = vllm_replica(slots=16)
    waits = []
    for rate in (0.5, 2.0, 8.0, 32.0):
        run = simulate(replica.costs, replica.limits, arrivals(((512, 256),), 2000).at(rate))
        waits.append(sum(s.ttft_s for s in run.served))
    assert waits == sorted(waits)
