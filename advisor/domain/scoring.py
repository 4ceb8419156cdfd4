"""Soft criteria: how the candidates that pass every gate are put in order."""

from __future__ import annotations

import math

from advisor.domain.constraints import Weights
from advisor.domain.fit import Fit
from advisor.domain.languages import LanguageFinding
from advisor.domain.licence import LicenceFinding, Verdict
from advisor.domain.model import Model
from advisor.domain.quality import Rating
from advisor.domain.speed import Speed
from advisor.units import counted
from advisor.values import value

CRITERIA = ("quality", "speed", "headroom", "ecosystem", "licence")

COMFORTABLE_TOKENS_PER_S = 40.0
"""Beyond this a person notices no difference: several times the speed of reading."""
COMFORTABLE_HEADROOM = 0.2
"""Share of the fullest memory beyond which more free memory is of no use: contexts are already paid for."""
ECOSYSTEM_FULL_REPOS = 6
"""Publishers of quantized files from which on more make no difference."""
DUTY_COST = 0.15
"""What each licence duty takes off the licence score."""
LEAST_LICENCE_VALUE = 0.4
"""What is left of it however many duties there are: the use is allowed all the same."""

ROUNDING = 9
"""Digits to which totals are compared, so that the order of a sum decides nothing."""
CLOSE_CALL = 0.02
"""Scores nearer than this are no reason to prefer one model: evidence on quality is not that fine."""


@value
class Term:
    """One criterion's part in a score."""

    criterion: str
    value: float
    """0..1, more is better."""
    weight: float
    """Share of this criterion in the whole, 0..1."""
    why: str

    @property
    def contribution(self) -> float:
        return self.value * self.weight


@value
class Score:
    """The weighted sum of the criteria."""

    terms: tuple[Term, ...]

    @property
    def total(self) -> float:
        """0..1."""
        return sum(term.contribution for term in self.terms)


def score(
    model: Model,
    fit: Fit,
    speed: Speed | None,
    rating: Rating,
    licence: LicenceFinding,
    languages: LanguageFinding,
    weights: Weights,
) -> Score:
    """Weigh the criteria. Quality counts by its lower bound, so that thin evidence earns no luck."""
    values = {
        "quality": (rating.low * languages.preferred_share, rating.basis_text),
        "speed": _speed_value(speed),
        "headroom": _headroom_value(fit),
        "ecosystem": _ecosystem_value(model),
        "licence": _licence_value(licence),
    }
    given = dict(zip(CRITERIA, weights_of(weights), strict=True))
    total = sum(given.values())
    return Score(tuple(Term(name, *_swap(values[name], given[name] / total)) for name in CRITERIA))


def weights_of(weights: Weights) -> tuple[float, ...]:
    """The weights as they were given, in the order of the criteria."""
    return tuple([getattr(weights, name) for name in CRITERIA])


def rank_key(total: float, candidate_id: str) -> tuple[float, str]:
    """Sorts the highest total first; candidates that are level go by their id."""
    return -round(total, ROUNDING), candidate_id


def _swap(pair: tuple[float, str], weight: float) -> tuple[float, float, str]:
    return pair[0], weight, pair[1]


def _speed_value(speed: Speed | None) -> tuple[float, str]:
    """Logarithmic from 1 token per second to comfortable."""
    if speed is None:
        return 0.0, "unknown"
    rate = max(1.0, speed.decode_tokens_per_s)
    value = min(1.0, math.log(rate) / math.log(COMFORTABLE_TOKENS_PER_S))
    return value, f"{speed.decode_tokens_per_s:.1f} tok/s {speed.basis.value}"


def _headroom_value(fit: Fit) -> tuple[float, str]:
    return min(1.0, fit.headroom / COMFORTABLE_HEADROOM), f"{fit.headroom:.0%} of the fullest memory stays free"


def _ecosystem_value(model: Model) -> tuple[float, str]:
    n = len(model.ecosystem.gguf_repos)
    value = min(1.0, math.log1p(n) / math.log1p(ECOSYSTEM_FULL_REPOS))
    return value, counted(n, "known publisher of GGUF files", "known publishers of GGUF files")


def _licence_value(finding: LicenceFinding) -> tuple[float, str]:
    if finding.verdict is Verdict.ALLOWED:
        return 1.0, "allowed without duties"
    n = len(finding.obligations)
    value = max(LEAST_LICENCE_VALUE, 1.0 - DUTY_COST * max(1, n))
    return value, f"allowed with {counted(n, 'duty', 'duties')}"
