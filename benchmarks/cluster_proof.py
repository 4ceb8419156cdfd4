"""The exported llama.cpp application on a real Ray cluster, beside its plan: `python -m benchmarks.cluster_proof`.

Two nodes on this machine's loopback, one replica with one thread on each, SmolLM2. The plan is that of
`advisor.domain.capacity`, fed with the speed of one request as the engine child measures it before the cluster starts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import httpx
import yaml

from advisor.domain.capacity.load import Traffic, arrivals
from advisor.domain.capacity.options import alone_requests_per_s
from advisor.domain.capacity.replica import Replica
from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.step import StepCosts, Unit
from advisor.domain.capacity.targets import REPORTED_REQUESTS, Metrics, Targets, run_at
from advisor.engine import operations as ops
from advisor.engine.client import EngineClient
from advisor.engine.messages import ContextParams, GenerateParams
from benchmarks.cluster_application import (
    CONTEXT_TOKENS,
    REPLICAS,
    deployed,
    export,
    free_port,
    wait_for_replicas,
)
from benchmarks.cluster_load import Sample, closed_loop, measured, open_loop, prompt
from benchmarks.local_ray import LocalCluster, NodeSpec
from benchmarks.shared import smollm2

NODES = (NodeSpec("left"), NodeSpec("right"))
BUSY = 0.6
"""Share of the planned capacity at which requests arrive by chance."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long the proof may take."""

    answer_tokens: int
    each: int
    """Requests of every client of a closed loop."""
    arrivals: int
    killed_each: int
    """Requests of every client while a replica is killed."""


FULL = Effort(answer_tokens=48, each=10, arrivals=80, killed_each=8)
SHORT = Effort(answer_tokens=16, each=2, arrivals=10, killed_each=4)


@dataclass(frozen=True, slots=True)
class Single:
    """One request that has an engine in one thread to itself."""

    prompt_tokens: int
    prompt_s: float
    token_s: float


def single_request(model: Path, answer_tokens: int) -> Single:
    """Medians over a few requests, by the engine child."""
    asked = GenerateParams(
        str(model), tuple(prompt(i) for i in range(4)), ContextParams(n_ctx=CONTEXT_TOKENS), max_tokens=answer_tokens
    )
    with EngineClient(threads=1) as client:
        timings = [answer.timing for answer in ops.generate(client, asked).answers][1:]
    return Single(
        prompt_tokens=round(median(t.n_prompt for t in timings)),
        prompt_s=median(t.ttft_ms for t in timings) / 1000,
        token_s=median(ms for t in timings for ms in t.token_ms) / 1000,
    )


def planned_replica(single: Single) -> Replica:
    """A replica of the exported application, with the measured speed of one request."""
    unit = Unit(
        decode_fixed_s=0.0,
        prefill_fixed_s=0.0,
        dense_s=single.token_s,
        experts_s=0.0,
        # A prompt reads the weights once too; the rest of its time goes into its tokens.
        prefill_dense_s=single.token_s,
        prefill_experts_s=0.0,
        token_s=0.0,
        prefill_token_s=max(0.0, single.prompt_s - single.token_s) / single.prompt_tokens,
        attention_s=0.0,
        kv_token_s=0.0,
    )
    limits = Limits(slots=1, cache_tokens=None, chunk_tokens=CONTEXT_TOKENS)
    return Replica(
        "llama.cpp", "one node", "Q4_1", 1, 1, CONTEXT_TOKENS, StepCosts((unit,)), limits, "engine", 0, 0, 0.0
    )


def traffic(samples: Sequence[Sample], prompt_tokens: int, requests_per_s: float) -> Traffic:
    """The load of these requests, with the lengths that they had; streamed ones do not say that of their prompts."""
    sizes = tuple((s.prompt_tokens or prompt_tokens, s.answer_tokens) for s in samples if s.is_answered)
    return Traffic(
        users=None,
        mean_requests_per_s=requests_per_s,
        peak_factor=1.0,
        prompt_tokens=fmean(asked for asked, _ in sizes),
        answer_tokens=fmean(answer for _, answer in sizes),
        sizes=sizes,
        concurrent=None,
        source="as measured",
    )


def compared(planned: float, found: float) -> dict[str, float]:
    """A planned figure beside a measured one; the deviation is that of the plan from what was measured."""
    return {"planned": planned, "measured": found, "deviation": planned / found - 1}


class Proof:
    """The runs on one deployed application."""

    def __init__(self, cluster: LocalCluster, url: str, single: Single, effort: Effort, queued: int) -> None:
        self.cluster, self.single, self.effort = cluster, single, effort
        self.queued = queued
        """Requests that wait for a place, by the exported configuration."""
        self.base = url
        self.url = f"{url}/v1/chat/completions"
        self.replica = planned_replica(single)
        self.warm, _ = asyncio.run(closed_loop(self.url, REPLICAS, 2, effort.answer_tokens, stream=False))
        # The server's chat template may add a system prompt, so the engine child's count is not the server's.
        self.prompt_tokens = round(median(s.prompt_tokens or single.prompt_tokens for s in self.warm))

    def closed(self, clients: int) -> dict[str, Any]:
        """Clients that wait for their answers: what all replicas can do, or as many as there are clients."""
        effort = self.effort
        samples, seconds = asyncio.run(closed_loop(self.url, clients, effort.each, effort.answer_tokens, stream=False))
        found = measured(
            f"{clients} client{'' if clients == 1 else 's'}, one request after the other", samples, seconds
        )
        load = traffic(samples, self.prompt_tokens, found.requests_per_s)
        alone_s = 1 / alone_requests_per_s(self.replica, load)
        at_once = min(clients, REPLICAS)
        return {
            "run": found.document(),
            "requests_per_s": compared(at_once / alone_s, found.requests_per_s),
            "latency_p50_s": compared(alone_s * max(1.0, clients / REPLICAS), found.latency_s["p50"]),
        }

    def streamed_alone(self) -> Single:
        """One request at a time through the whole application: what Ray and Python add is in it."""
        effort = self.effort
        samples, _ = asyncio.run(closed_loop(self.url, 1, effort.each, effort.answer_tokens, stream=True))
        first = median(s.first_s for s in samples if s.first_s is not None)
        return Single(self.prompt_tokens, first, _token_s(samples))

    def by_chance(self) -> dict[str, Any]:
        """Requests of many users at a share of what the application can do, against the simulation that plans rest on:
        once with the engine's speed, once with that of the application."""
        alone = planned_replica(self.streamed_alone())
        per_replica = BUSY * alone_requests_per_s(alone, traffic(self.warm, self.prompt_tokens, 1.0))
        rate = REPLICAS * per_replica
        starts = [r.arrival_s for r in arrivals([(1, 1)], self.effort.arrivals).at(rate)]
        samples, seconds = asyncio.run(open_loop(self.url, starts, self.effort.answer_tokens))
        found = measured(f"{len(starts)} requests at {rate:.2f}/s by chance, streamed", samples, seconds)
        load = traffic(samples, self.prompt_tokens, rate)
        document: dict[str, Any] = {"run": found.document(), "rate": rate}
        for source, replica in (("engine", self.replica), ("application", alone)):
            plan = run_at(replica, load, per_replica, Targets(95, None, None), REPORTED_REQUESTS)
            document[source] = _percentiles(plan, found.first_token_s or {}, samples)
        return document

    def overloaded(self) -> dict[str, Any]:
        """More requests at once than the queue holds: those beyond it are refused, and no other is lost."""
        clients = 2 * (self.queued + 2 * REPLICAS)
        samples, seconds = asyncio.run(closed_loop(self.url, clients, 1, 2, stream=False))
        return {"run": measured(f"{clients} requests at once", samples, seconds).document()}

    def killed(self) -> dict[str, Any]:
        """A replica killed under load: every accepted request must be answered all the same."""
        before = self.cluster.replicas("LlamaReplica")
        samples, seconds, killed = asyncio.run(self._kill(before))
        begin = time.perf_counter()
        # Ray may not have noticed yet, and then says what was so before.
        health = wait_for_replicas(self.base, REPLICAS, also=lambda: self._is_replaced(killed))
        return {
            "run": measured("one of two replicas killed", samples, seconds).document(),
            "errors": sorted({s.error for s in samples if s.error}),
            "killed_process": killed,
            "replicas_before": before,
            "replicas_after": self.cluster.replicas("LlamaReplica"),
            "given_to_another_replica": health["retried"],
            "back_after_s": time.perf_counter() - begin,
        }

    def _is_replaced(self, killed: int) -> bool:
        """Whether as many replicas run as before, without the one that was killed."""
        pids = self.cluster.replicas("LlamaReplica")
        return len(pids) == REPLICAS and killed not in pids

    async def _kill(self, pids: Sequence[int]) -> tuple[list[Sample], float, int]:
        effort = self.effort
        answer_s = self.single.prompt_s + effort.answer_tokens * self.single.token_s

        async def kill() -> int:
            # In the middle of the second answers.
            await asyncio.sleep(3 * answer_s)
            os.kill(pids[0], signal.SIGKILL)
            return pids[0]

        (whole, seconds), (streamed, more), killed = await asyncio.gather(
            closed_loop(self.url, 3, effort.killed_each, effort.answer_tokens, stream=False),
            closed_loop(self.url, 2, effort.killed_each, effort.answer_tokens, stream=True),
            kill(),
        )
        return [*whole, *streamed], max(seconds, more), killed


def _percentiles(plan: Metrics, first: Mapping[str, float], samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "first_token_p50_s": compared(plan.ttft.p50, first["p50"]),
        "first_token_p95_s": compared(plan.ttft.p95, first["p95"]),
        "token_p50_s": compared(plan.tpot.p50, _token_s(samples)),
    }


def _token_s(samples: Sequence[Sample]) -> float:
    """Median seconds between two tokens of a streamed answer."""
    return median(
        (s.end_s - s.first_s) / (s.answer_tokens - 1)
        for s in samples
        if s.is_answered and s.first_s is not None and s.answer_tokens > 1
    )


def prove(cluster: LocalCluster, effort: Effort) -> dict[str, Any]:
    """Every run, as a document."""
    model = smollm2()
    single = single_request(model, effort.answer_tokens)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = export(Path(folder), port, model)
        promised = yaml.safe_load(config.read_text("utf-8"))["applications"][0]
        url = f"http://127.0.0.1:{port}"
        with deployed(cluster, config, url) as ready_s:
            proof = Proof(cluster, url, single, effort, promised["deployments"][1]["max_queued_requests"])
            return {
                "url": url,
                "replicas": cluster.replicas("LlamaReplica"),
                "spoken": spoken(url, promised["args"]["model"]),
                "single": {
                    "prompt_tokens": single.prompt_tokens,
                    "prompt_s": single.prompt_s,
                    "token_s": single.token_s,
                },
                "ready_s": ready_s,
                "answer_tokens": effort.answer_tokens,
                "promised": {
                    "retries": promised["args"]["retries"],
                    "replicas": promised["deployments"][1]["num_replicas"],
                    "max_queued_requests": promised["deployments"][1]["max_queued_requests"],
                },
                "closed": [proof.closed(clients) for clients in (1, 2, 4)],
                "by_chance": proof.by_chance(),
                "overloaded": proof.overloaded(),
                "killed": proof.killed(),
            }


def spoken(url: str, model: str) -> dict[str, Any]:
    """What the server says to requests of each kind, good and bad."""
    chat = f"{url}/v1/chat/completions"
    said = {"messages": [{"role": "user", "content": "Count to ten."}], "max_tokens": 3}
    long = {"messages": [{"role": "user", "content": "word " * 2 * CONTEXT_TOKENS}]}
    bad = {
        "too long": long,
        "too long, streamed": {**long, "stream": True},
        "unknown model": {**said, "model": f"no-{model}"},
        "no messages": {"messages": []},
    }
    with httpx.Client(timeout=60) as client:
        for stream in (False, True):
            # Clients that leave: whoever comes next must not meet what is left of their requests.
            with suppress(httpx.TimeoutException):
                client.post(chat, json={**said, "max_tokens": 200, "stream": stream}, timeout=0.5)
        refused = {name: client.post(chat, json=body) for name, body in bad.items()}
        return {
            "models": client.get(f"{url}/v1/models").json(),
            "whole": client.post(chat, json={**said, "model": model}).json(),
            "stream": client.post(chat, json={**said, "stream": True}).text,
            "refusals": {name: (response.status_code, response.json()) for name, response in refused.items()},
        }


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The comparison as a table in Markdown."""
    yield "| run | figure | planned with the speed of | planned | measured | plan against measured |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for run in document["closed"]:
        yield from _rows(run["run"]["name"], "the engine", run)
    for source in ("engine", "application"):
        yield from _rows(document["by_chance"]["run"]["name"], f"the {source}", document["by_chance"][source])
    yield ""
    over = document["overloaded"]["run"]
    yield (
        f"{over['requests']} requests at once, more than the queue holds: {over['answered']} answered, "
        f"{over['refused']} refused with 429, {over['lost']} lost."
    )
    yield ""
    killed = document["killed"]
    run = killed["run"]
    yield (
        f"One of two replicas was killed under load: {run['requests']} requests, {run['answered']} answered, "
        f"{run['lost']} lost, {killed['given_to_another_replica']} given to another replica "
        f"(promised: up to {document['promised']['retries']} times each); the longest took "
        f"{run['latency_s']['p99']:.1f} s; {killed['back_after_s']:.1f} s after the last answer two replicas ran again."
    )


def _rows(name: str, source: str, figures: Mapping[str, Any]) -> Iterator[str]:
    for key, value in figures.items():
        if isinstance(value, dict) and "planned" in value:
            unit = "requests/s" if key == "requests_per_s" else "s"
            figure = key.removesuffix("_s").replace("_", " ") if unit == "s" else "throughput"
            yield (
                f"| {name} | {figure} | {source} | {value['planned']:.3g} {unit} | {value['measured']:.3g} {unit} "
                f"| {value['deviation']:+.0%} |"
            )


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="few requests, for a test")
    parser.add_argument("--json", action="store_true", help="the whole document")
    given = parser.parse_args()
    cluster = LocalCluster(NODES)
    with cluster:
        document = prove(cluster, SHORT if given.short else FULL)
    document["left_behind"] = cluster.left
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if given.json else "\n".join(lines(document)) + "\n")


if __name__ == "__main__":
    main()
