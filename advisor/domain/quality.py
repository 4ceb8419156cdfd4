"""How good a quantized model is at a kind of task: a reading of the scale that was fitted to published results.

`benchmarks/fit_quality.py` says how the scale is fitted and how its intervals were held against results left out.
Abilities are in logits: one more turns odds of 1:1 on a question into 2.7:1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from advisor.domain.constraints import LanguageNeeds
from advisor.domain.model import Model
from advisor.domain.quantization import Quantization
from advisor.domain.quantization_loss import QuantizationLosses
from advisor.units import counted
from advisor.values import value

LEVEL = 0.9
"""Share of cases that a stated interval is meant to hold; in one case of twenty the truth lies below it."""
DEVIATIONS = 1.645
"""Standard deviations on either side of the middle that hold this share of a normal distribution."""

Ground = Literal["results", "base", "prior", "trial"]
"""What an ability rests on: results of the model itself, those of the model it was tuned from, size and age, or a
trial on the user's own tasks."""


@value
class Rating:
    """Expected share of right answers on a typical benchmark of the task, 0..1, with the interval of 90 %."""

    score: float
    low: float
    high: float
    n_results: int
    n_task_results: int
    """Results on benchmarks of the asked task."""
    ability: float = 0.0
    """Logits, after what quantization costs."""
    model_deviation: float = 0.0
    """Standard deviation of the unquantized model's ability, in logits."""
    loss: float = 0.0
    """Logits that quantization costs."""
    loss_deviation: float = 0.0
    ground: Ground = "results"
    notes: tuple[str, ...] = ()
    """What is unknown, and what was assumed in its place."""
    n_tried: int = 0
    """Tasks of the user's own trial that it was judged by."""
    trial_deviation: float = 0.0
    """Standard error of the trial alone, in logits."""
    tried_in: str | None = None
    """The quantization that was tried in place of this one; None where it was tried itself or not at all."""

    @property
    def deviation(self) -> float:
        """Standard deviation of the ability in logits."""
        return math.hypot(self.model_deviation, self.loss_deviation)

    @property
    def basis_text(self) -> str:
        """What the rating rests on, in one line."""
        results, of_task = counted(self.n_results, "published result"), self.n_task_results
        texts = {
            "results": f"{results}, {of_task} of them for this task",
            "base": f"the model it was tuned from ({results}), with room for what tuning changed",
            "prior": "no published result found; judged by size and age alone",
            "trial": f"your trial (n={self.n_tried})" + (f" of its {self.tried_in}" if self.tried_in else ""),
        }
        return "; ".join((texts[self.ground], *self.notes))


@value
class FittedAbility:
    """One model on the scale, by task."""

    ability: Mapping[str, float]
    """In English, in logits."""
    deviation: Mapping[str, float]
    foreign: Mapping[str, float]
    """In other languages: the task and answering in many languages count alike."""
    foreign_deviation: Mapping[str, float]
    n_results: int
    n_task_results: Mapping[str, int]
    n_multilingual: int
    """Results in other languages than English, averages over several included."""
    languages: frozenset[str]
    """BCP 47 tags of languages with results of their own."""


@value
class Prior:
    """What size and age alone tell. A model of mean size and age has the ability 0 at every task."""

    deviation: Mapping[str, float]
    """By task: the scatter of models of equal size and age, in logits."""
    per_log_param: float
    per_year: float
    mean_log_params: float
    """Of billions of parameters."""
    mean_years: float
    """Since January 2023."""
    tuning_deviation: float
    """How far tuning moves a model, as a standard deviation in logits: models of one base against each other."""
    language_deviation: float
    """How far models differ in a language more than elsewhere, as a standard deviation in logits."""


@value
class QualityScale:
    """The fitted scale."""

    models: Mapping[str, FittedAbility]
    prior: Prior
    typical_difficulty: Mapping[str, float]
    """By task: mean difficulty of the benchmarks that exercise it, in logits."""
    losses: QuantizationLosses

    def for_use(self, task: str, languages: LanguageNeeds) -> UseScale:
        """The scale as one use reads it: a task, and the languages it is done in."""
        asked = [tag.partition("-")[0].lower() for tag in (*languages.required, *languages.preferred)]
        return UseScale(self, task, tuple(dict.fromkeys(asked)))


@value
class UseScale:
    """Ratings for one task and set of languages."""

    scale: QualityScale
    task: str
    languages: tuple[str, ...]
    """Languages asked for, without regions."""

    def rating(self, model: Model, quantization: Quantization) -> Rating:
        """The rating of a quantized model; a model that was never fitted gets a wide interval and says so."""
        fitted, ground = self._fitted(model)
        ability, deviation = self._by_size(model) if fitted is None else self._by_results(fitted, ground)
        language_deviation, notes = self._languages(fitted)
        loss = self.scale.losses.loss(quantization.name, effective_params(model), model.line)
        middle = ability - loss.logits
        model_deviation = math.hypot(deviation, language_deviation)
        spread = DEVIATIONS * math.hypot(model_deviation, loss.deviation)
        typical = self.scale.typical_difficulty[self.task]
        low, score, high = (_logistic(middle + by - typical) for by in (-spread, 0.0, spread))
        return Rating(
            score=score,
            low=low,
            high=high,
            n_results=fitted.n_results if fitted else 0,
            n_task_results=fitted.n_task_results[self.task] if fitted else 0,
            ability=middle,
            model_deviation=model_deviation,
            loss=loss.logits,
            loss_deviation=loss.deviation,
            ground=ground,
            notes=(*notes, *((loss.note,) if loss.note else ())),
        )

    @property
    def typical(self) -> float:
        """Difficulty of a typical benchmark of the task, in logits."""
        return self.scale.typical_difficulty[self.task]

    @property
    def foreign_share(self) -> float:
        """Share of the asked languages that are not English."""
        return sum(tag != "en" for tag in self.languages) / len(self.languages) if self.languages else 0.0

    def _fitted(self, model: Model) -> tuple[FittedAbility | None, Ground]:
        own = self.scale.models.get(model.id)
        if own is not None:
            return own, "results" if own.n_results else "prior"
        base = self.scale.models.get(model.base or "")
        return (base, "base") if base is not None and base.n_results else (None, "prior")

    def _by_results(self, fitted: FittedAbility, ground: Ground) -> tuple[float, float]:
        share, task = self.foreign_share, self.task
        ability = (1 - share) * fitted.ability[task] + share * fitted.foreign[task]
        # The two hang together closely, so their deviations add up as they are.
        deviation = (1 - share) * fitted.deviation[task] + share * fitted.foreign_deviation[task]
        return ability, math.hypot(deviation, self.scale.prior.tuning_deviation if ground == "base" else 0.0)

    def _by_size(self, model: Model) -> tuple[float, float]:
        prior, params, since = self.scale.prior, effective_params(model), years(model)
        ability, variance = 0.0, prior.deviation[self.task] ** 2
        # Where size or date is unknown, the catalogue's mean stands in, uncertain by a factor e or by a year.
        if params is None:
            variance += prior.per_log_param**2
        else:
            ability += prior.per_log_param * (math.log(params / 1e9) - prior.mean_log_params)
        if since is None:
            variance += prior.per_year**2
        else:
            ability += prior.per_year * (since - prior.mean_years)
        return ability, math.sqrt(variance)

    def _languages(self, fitted: FittedAbility | None) -> tuple[float, tuple[str, ...]]:
        """The deviation that languages without a result add, and a note that names them."""
        foreign = [tag for tag in self.languages if tag != "en"]
        unknown = [tag for tag in foreign if fitted is None or tag not in fitted.languages]
        if not unknown:
            return 0.0, ()
        deviation = self.scale.prior.language_deviation * len(unknown) / len(self.languages)
        if fitted is None or not fitted.n_multilingual:
            return deviation, ("no published result in any language but English",)
        return deviation, (f"no published result in {', '.join(unknown)} itself, only over several languages",)


def effective_params(model: Model) -> float | None:
    """Parameters that count for ability. A mixture of experts counts as the geometric mean of its total and active
    parameters: the field's rule of thumb, without a better source."""
    total = model.text_params or model.total_params or model.active_params
    return None if total is None else math.sqrt(total * (model.active_params or total))


def years(model: Model) -> float | None:
    """Years from January 2023 to the month of release."""
    if model.release_date is None:
        return None
    year, month = (int(part) for part in model.release_date.split("-")[:2])
    return year - 2023 + (month - 1) / 12


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
