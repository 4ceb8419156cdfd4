"""Clients that load a chat server, and what they measured."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from advisor.domain.capacity.targets import percentile

PATIENCE_S = 120.0
_WORDS = ["river", "stone", "winter", "engine", "garden", "letter", "mountain", "silver", "market", "window"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as its client saw it; seconds from when it was sent."""

    status: int
    first_s: float | None
    """To the first token; None for an answer that came whole."""
    end_s: float
    answer_tokens: int
    prompt_tokens: int | None
    error: str | None = None

    @property
    def is_answered(self) -> bool:
        return self.status == 200 and self.error is None and self.answer_tokens > 0


@dataclass(frozen=True, slots=True)
class Measured:
    """A run of requests."""

    name: str
    requests: int
    answered: int
    refused: int
    """With 429: never accepted."""
    lost: int
    """Accepted and not answered."""
    seconds: float
    requests_per_s: float
    answer_tokens_per_s: float
    latency_s: dict[str, float]
    first_token_s: dict[str, float] | None

    def document(self) -> dict[str, Any]:
        return asdict(self)


def measured(name: str, samples: Sequence[Sample], seconds: float) -> Measured:
    """The figures of a run."""
    answered = [s for s in samples if s.is_answered]
    refused = sum(1 for s in samples if s.status == 429)
    first = [s.first_s for s in answered if s.first_s is not None]
    return Measured(
        name=name,
        requests=len(samples),
        answered=len(answered),
        refused=refused,
        lost=len(samples) - len(answered) - refused,
        seconds=seconds,
        requests_per_s=len(answered) / seconds,
        answer_tokens_per_s=sum(s.answer_tokens for s in answered) / seconds,
        latency_s=spread([s.end_s for s in answered]),
        first_token_s=spread(first) if first else None,
    )


def spread(values: Sequence[float]) -> dict[str, float]:
    """Percentiles by nearest rank; empty without values."""
    ordered = sorted(values)
    return {f"p{p}": percentile(ordered, p / 100) for p in (50, 95, 99)} if ordered else {}


def prompt(i: int) -> str:
    """A question that differs from request to request and always has the same length in words."""
    chance = random.Random(i)
    words = " ".join(chance.choice(_WORDS) for _ in range(24))
    return f"Continue this list of words for as long as you can: {words}"


async def ask(client: httpx.AsyncClient, url: str, i: int, answer_tokens: int, *, stream: bool) -> Sample:
    """One request; what goes wrong is in the sample."""
    body = {
        "messages": [{"role": "user", "content": prompt(i)}],
        "max_tokens": answer_tokens,
        "temperature": 0.8,
        "seed": i,
        "stream": stream,
    }
    begin = time.perf_counter()
    try:
        if stream:
            return await _streamed(client, url, body, begin)
        response = await client.post(url, json=body)
        end = time.perf_counter() - begin
        if response.status_code != 200:
            return Sample(response.status_code, None, end, 0, None, response.text[:300])
        usage = response.json()["usage"]
        return Sample(200, None, end, usage["completion_tokens"], usage["prompt_tokens"])
    except httpx.HTTPError as error:
        return Sample(0, None, time.perf_counter() - begin, 0, None, f"{type(error).__name__}: {error}")


async def _streamed(client: httpx.AsyncClient, url: str, body: dict[str, Any], begin: float) -> Sample:
    first: float | None = None
    tokens = 0
    error: str | None = "the stream ended early"
    async with client.stream("POST", url, json=body) as response:
        if response.status_code != 200:
            text = (await response.aread()).decode("utf-8", "replace")
            return Sample(response.status_code, None, time.perf_counter() - begin, 0, None, text[:300])
        async for line in response.aiter_lines():
            if line == "data: [DONE]":
                error = None if error == "the stream ended early" else error
            elif line.startswith("data: "):
                chunk = json.loads(line.removeprefix("data: "))
                if "error" in chunk:
                    error = chunk["error"]["message"]
                elif chunk["choices"][0]["delta"].get("content"):
                    first = time.perf_counter() - begin if first is None else first
                    tokens += 1
    return Sample(200, first, time.perf_counter() - begin, tokens, None, error)


async def closed_loop(
    url: str, clients: int, each: int, answer_tokens: int, *, stream: bool
) -> tuple[list[Sample], float]:
    """Clients that send their next request when the one before is answered; the samples and the seconds it took."""
    begin = time.perf_counter()
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:

        async def one(k: int) -> list[Sample]:
            return [await ask(client, url, 1000 * k + j, answer_tokens, stream=stream) for j in range(each)]

        found = await asyncio.gather(*(one(k) for k in range(clients)))
    return [sample for samples in found for sample in samples], time.perf_counter() - begin


async def open_loop(url: str, starts: Sequence[float], answer_tokens: int) -> tuple[list[Sample], float]:
    """Requests sent at given seconds, whatever became of the ones before; streamed."""
    begin = time.perf_counter()
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:

        async def one(i: int, start: float) -> Sample:
            await asyncio.sleep(max(0.0, start - (time.perf_counter() - begin)))
            return await ask(client, url, 50_000 + i, answer_tokens, stream=True)

        samples = await asyncio.gather(*(one(i, start) for i, start in enumerate(starts)))
    return list(samples), time.perf_counter() - begin
