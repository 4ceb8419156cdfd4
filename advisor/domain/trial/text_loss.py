"""How likely a model holds a text, and how far one quantization's predictions are from another's.

Perplexity is the exponential of the mean negative log-likelihood of a token; bits per byte do not depend on the
tokenizer. The Kullback–Leibler divergence is taken over the reference's likeliest tokens, with all others as one more
outcome; by the data-processing inequality (Cover and Thomas, Elements of Information Theory, 2.8) that is a lower bound
of the whole divergence, and close to it where the likeliest tokens hold nearly all of the probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from advisor.domain.trial.statistics import Interval, bootstrap_mean, bootstrap_ratio

BLOCK_TOKENS = 64
"""Neighbours that are drawn together: how hard tokens of one passage are hangs together over some sentences."""
_LEAST = 1e-12
"""Of a probability that is left over; rounding can make it 0 or less."""


@dataclass(frozen=True, slots=True)
class TextScores:
    """One file's log-likelihoods of a text, token by token."""

    name: str
    sha256: str
    n_bytes_file: int
    log_likelihoods: tuple[float, ...]
    """Natural logarithms."""
    token_bytes: tuple[int, ...]
    agreed: tuple[bool, ...] = ()
    """Whether the likeliest token is the reference's; empty for the reference."""
    divergences: tuple[float, ...] = ()
    """From the reference, in nats; empty for the reference."""


@dataclass(frozen=True, slots=True)
class TextLoss:
    """What a file makes of the text."""

    name: str
    sha256: str
    n_bytes_file: int
    bits_per_byte: Interval
    perplexity: Interval
    log_likelihood_per_byte: float
    """Mean, in nats."""


@dataclass(frozen=True, slots=True)
class TextDifference:
    """How far a file is from the reference."""

    name: str
    reference: str
    bits_per_byte: Interval
    """Of the file less that of the reference, over the same tokens; more is worse."""
    ln_perplexity_ratio: Interval
    divergence: Interval
    """Mean Kullback–Leibler divergence in nats per token."""
    divergence_p99: float
    agreement: Interval
    """Share of places at which both hold the same token for the likeliest."""
    n_top: int

    @property
    def is_significant(self) -> bool:
        return self.bits_per_byte.low > 0 or self.bits_per_byte.high < 0

    @property
    def statement(self) -> str:
        """What can be said, in one sentence."""
        ratio = math.exp(self.ln_perplexity_ratio.middle)
        change = f"{abs(ratio - 1):.2%}"
        if not self.is_significant:
            return f"on this text {self.name} and {self.reference} cannot be told apart by perplexity"
        word = "higher" if ratio > 1 else "lower"
        return f"on this text {self.name} has a perplexity {change} {word} than {self.reference}"


@dataclass(frozen=True, slots=True)
class TextComparison:
    """The outcome for one file, or for a reference and another one."""

    text_name: str
    text_sha256: str
    n_bytes: int
    """That were scored."""
    n_tokens: int
    window_tokens: int
    losses: tuple[TextLoss, ...]
    difference: TextDifference | None
    notes: tuple[str, ...] = ()


def text_loss(scores: TextScores) -> TextLoss:
    """Bits per byte and perplexity with block-bootstrap intervals of 95 %."""
    surprises = [-value for value in scores.log_likelihoods]
    mean = bootstrap_mean(surprises, block=BLOCK_TOKENS)
    bits = bootstrap_ratio([s / math.log(2) for s in surprises], scores.token_bytes, block=BLOCK_TOKENS)
    perplexity = Interval(math.exp(mean.middle), math.exp(mean.low), math.exp(mean.high))
    return TextLoss(scores.name, scores.sha256, scores.n_bytes_file, bits, perplexity, -math.log(2) * bits.middle)


def text_difference(reference: TextScores, other: TextScores, n_top: int) -> TextDifference:
    """The other file against the reference, token by token."""
    gaps = [ours - theirs for ours, theirs in zip(reference.log_likelihoods, other.log_likelihoods, strict=True)]
    ordered = sorted(other.divergences)
    return TextDifference(
        name=other.name,
        reference=reference.name,
        bits_per_byte=bootstrap_ratio([g / math.log(2) for g in gaps], reference.token_bytes, block=BLOCK_TOKENS),
        ln_perplexity_ratio=bootstrap_mean(gaps, block=BLOCK_TOKENS),
        divergence=bootstrap_mean(other.divergences, block=BLOCK_TOKENS),
        divergence_p99=ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)],
        agreement=bootstrap_mean([float(same) for same in other.agreed], block=BLOCK_TOKENS),
        n_top=n_top,
    )


def divergence(reference: Sequence[float], other: Sequence[float]) -> float:
    """Kullback–Leibler divergence of one place in nats: log-probabilities of the reference's likeliest tokens by the
    reference and by the other, with the rest as one outcome. Never negative."""
    total = math.fsum(math.exp(p) * (p - q) for p, q in zip(reference, other, strict=True))
    rest = max(_LEAST, 1 - math.fsum(map(math.exp, reference)))
    other_rest = max(_LEAST, 1 - math.fsum(map(math.exp, other)))
    return max(0.0, total + rest * math.log(rest / other_rest))
