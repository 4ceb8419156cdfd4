"""Seconds of one step of a replica: every sequence in flight gets a token, and chunks of prompts are computed beside.

Each term is work over a rate and the terms add up, as in `advisor.domain.speed.roofline`, of which this is the form
for batches: weights are read once per step, whatever the number of sequences; a mixture reads the experts that the
tokens of the step visit together; the cache is read per token in it; multiplications are paid per token.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.speed.roofline import sent_tokens
from advisor.domain.speed.work import distinct_experts


@dataclass(frozen=True, slots=True)
class Unit:
    """One part of a replica that works while the others wait: a GPU, a group of GPUs, or the processor."""

    decode_fixed_s: float
    """Seconds per step without any prompt in it: starting kernels, waiting for each other."""
    prefill_fixed_s: float
    """Seconds per micro-batch of a step with prompt tokens."""
    dense_s: float
    """Seconds to read what every token needs, in a step without prompts."""
    experts_s: float
    """Seconds to read all routed experts."""
    prefill_dense_s: float
    prefill_experts_s: float
    token_s: float
    """Seconds of multiplications for one decoded token, once more than one is computed."""
    prefill_token_s: float
    attention_s: float
    """Seconds per prompt token and token that it looks back on."""
    kv_token_s: float
    """Seconds to read the cache of one token."""
    single_token_s: float = 0.0
    """Multiplications of a step with one sequence alone."""
    overlaps: bool = False
    """Reading and multiplying run at the same time, as on a processor; otherwise one after the other."""
    sent: Unit | None = None
    """What the same share costs in micro-batches that are large enough for its weights to be sent to a GPU, which
    multiplies them; None where they never are. Its `prefill_` figures hold for decoded tokens as well, and the cache is
    counted by the unit itself."""


@dataclass(frozen=True, slots=True)
class StepCosts:
    """What a step of one replica takes."""

    units: tuple[Unit, ...]
    """In the order in which a token passes them."""
    n_experts: int = 0
    n_experts_used: int = 0
    ubatch: int = 1 << 30
    """Tokens that are multiplied at once; more make the weights be read again."""
    sent_from_tokens: int = 1
    """Of a micro-batch, for the weights in system memory to be sent to a GPU."""
    stages: int = 1
    """Groups of machines that hold a share of the layers each and work on different sequences at the same time."""
    hop_s: float = 0.0
    """Seconds from one stage to the next."""

    @property
    def kv_token_s(self) -> float:
        """Seconds that a token in the cache adds to a step."""
        return sum([unit.kv_token_s for unit in self.units]) / self.stages

    def decode_s(self, n_sequences: int) -> float:
        """A step that decodes one token of each sequence, without reading the cache."""
        n = -(-n_sequences // self.stages)
        share = self.visited_share(n)
        seconds = (self.stages - 1) * self.hop_s
        for unit in self.units:
            if self._sent(unit, n):
                seconds += self._prompt_unit_s(unit, n, 0, 0.0)
                continue
            read = unit.dense_s + unit.experts_s * share
            work = max(unit.single_token_s, unit.token_s * n) if n > 1 else unit.single_token_s
            seconds += unit.decode_fixed_s + (max(read, work) if unit.overlaps else read + work)
        return seconds

    def mixed_s(self, n_sequences: int, prompt_tokens: int, looked_back: float) -> float:
        """The same with prompt tokens beside, which together look back on so many tokens; the cache not counted."""
        n = -(-n_sequences // self.stages)
        seconds = (self.stages - 1) * self.hop_s
        return seconds + sum([self._prompt_unit_s(unit, n, prompt_tokens, looked_back) for unit in self.units])

    def _sent(self, unit: Unit, tokens: int) -> int:
        """Of tokens that are computed together, those for which the unit's weights are sent to a GPU."""
        return 0 if unit.sent is None else sent_tokens(tokens, self.ubatch, self.sent_from_tokens)

    def _prompt_unit_s(self, unit: Unit, n: int, prompt_tokens: int, looked_back: float) -> float:
        """Seconds of one unit for decoded tokens and prompt tokens, where it lies or where it is sent to."""
        tokens = n + prompt_tokens
        n_sent = self._sent(unit, tokens)
        seconds = 0.0
        for own, taken in ((unit, tokens - n_sent), (unit.sent, n_sent)):
            if own is None or not taken:
                continue
            passes = -(-taken // self.ubatch)
            share = self.visited_share(min(taken, self.ubatch))
            read = passes * (own.prefill_dense_s + own.prefill_experts_s * share)
            work = own.token_s * n + own.prefill_token_s * prompt_tokens + own.attention_s * looked_back
            work *= taken / tokens
            seconds += passes * own.prefill_fixed_s + (max(read, work) if own.overlaps else read + work)
        return seconds

    def prompt_s(self, prompt_tokens: int, chunk_tokens: int) -> float:
        """A prompt that has the replica to itself, computed in chunks: no request can have its first token sooner."""
        seconds, done = 0.0, 0
        while done < prompt_tokens:
            chunk = min(chunk_tokens, prompt_tokens - done)
            seconds += self.mixed_s(0, chunk, chunk * (done + chunk / 2)) + self.kv_token_s * done
            done += chunk
        return seconds

    def token_s(self, n_sequences: int, depth_tokens: float) -> float:
        """Seconds between two tokens of a request, with so many sequences of that depth in flight."""
        return self.decode_s(n_sequences) + self.kv_token_s * n_sequences * depth_tokens

    def visited_share(self, n_tokens: int) -> float:
        """Share of the routed experts that so many tokens visit together; 0 without experts."""
        if not self.n_experts or not n_tokens:
            return 0.0
        return distinct_experts(self.n_experts, self.n_experts_used, n_tokens) / self.n_experts
