"""The exported llama.cpp application on a real cluster: plan and measurement side by side, and a replica killed."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from benchmarks.cluster_proof import SHORT, lines, prove
from benchmarks.local_ray import LocalCluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def proof(cluster: LocalCluster) -> dict[str, Any]:
    return prove(cluster, SHORT)


def test_the_application_is_deployed_from_the_exported_files_with_two_replicas(proof: dict[str, Any]) -> None:
    assert proof["promised"] == {"retries": 2, "replicas": 2, "max_queued_requests": 16}
    assert len(proof["replicas"]) == 2


def test_throughput_and_latency_stand_beside_the_plan(proof: dict[str, Any]) -> None:
    for run in proof["closed"]:
        assert run["run"]["answered"] == run["run"]["requests"]
        for figure in (run["requests_per_s"], run["latency_p50_s"]):
            assert figure["planned"] > 0
            assert figure["deviation"] == pytest.approx(figure["planned"] / figure["measured"] - 1)
    by_chance = proof["by_chance"]
    assert by_chance["run"]["answered"] == by_chance["run"]["requests"] == SHORT.arrivals
    first = by_chance["run"]["first_token_s"]
    assert 0 < first["p50"] <= first["p95"] <= first["p99"] < by_chance["run"]["latency_s"]["p99"]
    for source in ("engine", "application"):
        plan = by_chance[source]
        assert plan["first_token_p95_s"]["measured"] == first["p95"]
        assert plan["first_token_p95_s"]["planned"] >= plan["first_token_p50_s"]["planned"]
    table = "\n".join(lines(proof))
    assert table.count("| throughput |") == 3
    assert "given to another replica" in table


def test_requests_beyond_the_queue_are_refused_and_the_others_answered(proof: dict[str, Any]) -> None:
    run = proof["overloaded"]["run"]
    assert run["lost"] == 0
    assert run["refused"] > 0
    # At least those that the replicas and the queue hold were accepted.
    assert run["answered"] >= proof["promised"]["max_queued_requests"]


def test_no_accepted_request_is_lost_with_a_replica(proof: dict[str, Any]) -> None:
    killed = proof["killed"]
    run = killed["run"]
    assert run["requests"] == 5 * SHORT.killed_each
    assert (run["refused"], run["lost"], killed["errors"]) == (0, 0, [])
    assert run["answered"] == run["requests"]


def test_the_requests_of_the_killed_replica_went_to_the_other_one(proof: dict[str, Any]) -> None:
    """The replica held one request that it was answering and at most one at its door."""
    assert 1 <= proof["killed"]["given_to_another_replica"] <= 2 * proof["promised"]["retries"]


def test_a_new_replica_takes_the_place_of_the_killed_one(proof: dict[str, Any]) -> None:
    killed = proof["killed"]
    assert killed["killed_process"] in killed["replicas_before"]
    assert killed["killed_process"] not in killed["replicas_after"]
    assert len(killed["replicas_after"]) == 2


def test_the_server_speaks_like_openais(proof: dict[str, Any]) -> None:
    spoken = proof["spoken"]
    assert [model["object"] for model in spoken["models"]["data"]] == ["model"]
    assert spoken["whole"]["choices"][0]["message"]["role"] == "assistant"
    assert spoken["whole"]["usage"]["completion_tokens"] == 3
    events = [line.removeprefix("data: ") for line in spoken["stream"].split("\n\n") if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_what_it_cannot_answer_is_refused_with_a_reason(proof: dict[str, Any]) -> None:
    refusals = proof["spoken"]["refusals"]
    assert refusals["too long"][0] == 400
    assert "context window" in refusals["too long"][1]["error"]["message"]
    assert refusals["too long, streamed"] == refusals["too long"]
    assert refusals["unknown model"][0] == 404
    assert refusals["no messages"][0] == 422


def test_clients_that_leave_break_no_replica(proof: dict[str, Any]) -> None:
    """Two left before the requests of the other tests, one of them a stream."""
    assert proof["replicas"] == proof["killed"]["replicas_before"]


def test_nothing_listens_once_the_application_has_ended(proof: dict[str, Any]) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{proof['url']}/health", timeout=5)
