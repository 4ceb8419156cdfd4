"""The circumstances of a use on which duties and open questions depend."""

from __future__ import annotations

from collections.abc import Callable

from advisor.domain.constraints import Use
from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.restrictions import exceeds, is_in_eu, training_target
from advisor.domain.licence.terms import Trigger


def is_triggered(triggers: tuple[Trigger, ...], licence: Licence, use: Use, multimodal: bool) -> bool:
    """Whether any of the circumstances holds for this use of a model under the licence."""
    return any(_CIRCUMSTANCES[trigger](licence, use, multimodal) for trigger in triggers)


def cause(triggers: tuple[Trigger, ...], licence: Licence, use: Use, multimodal: bool) -> str:
    """The first circumstance that holds, as a clause that reads on from `because`."""
    return next(CAUSES[t] for t in triggers if _CIRCUMSTANCES[t](licence, use, multimodal))


def _serves_others(use: Use) -> bool:
    """Others get the model, or something that runs on it."""
    return use.deployment != "internal" or use.redistribute != "none"


def _hands_on(use: Use) -> bool:
    """Others get a copy of the model."""
    return use.deployment in ("embedded", "weights") or use.redistribute != "none"


def _is_modified(use: Use) -> bool:
    return use.fine_tune or use.redistribute == "derivative_weights"


def _hands_on_unmodified_weights(use: Use) -> bool:
    weights = use.redistribute == "weights" or (use.deployment == "weights" and use.redistribute == "none")
    return weights and not use.fine_tune


def _releases_trained(use: Use) -> bool:
    return use.train_other_models and use.trained_model_distributed


def _trains(use: Use, target: str) -> bool:
    return use.train_other_models and training_target(use) == target


def _users_today_above(licence: Licence, use: Use, multimodal: bool) -> bool:
    """Today's users pass a limit that the licence counts once, in an earlier month."""
    threshold = licence.user_threshold
    return (
        threshold is not None and not threshold.exempts(use) and exceeds(use.mau, threshold.operator, threshold.limit)
    )


def _revenue_above_no_company(licence: Licence, use: Use, multimodal: bool) -> bool:
    threshold = licence.revenue_threshold
    return threshold is not None and use.entity != "company" and threshold.bites(use, multimodal)


_CIRCUMSTANCES: dict[Trigger, Callable[[Licence, Use, bool], bool]] = {
    "always": lambda licence, use, multimodal: True,
    "service": lambda licence, use, multimodal: _serves_others(use),
    "distribution": lambda licence, use, multimodal: _hands_on(use),
    "modified_distribution": lambda licence, use, multimodal: _hands_on(use) and _is_modified(use),
    "modified_release": lambda licence, use, multimodal: _serves_others(use) and _is_modified(use),
    "unmodified_weights": lambda licence, use, multimodal: _hands_on_unmodified_weights(use),
    "trained_release": lambda licence, use, multimodal: _releases_trained(use),
    "trained_family_release": lambda licence, use, multimodal: (
        _releases_trained(use) and _trains(use, "same_licence_family")
    ),
    "training": lambda licence, use, multimodal: use.train_other_models,
    "training_family": lambda licence, use, multimodal: _trains(use, "same_licence_family"),
    "training_non_llm": lambda licence, use, multimodal: _trains(use, "non_llm"),
    "internal_staff": lambda licence, use, multimodal: (
        not _serves_others(use) and use.role == "developer" and use.entity != "individual"
    ),
    "company_testing": lambda licence, use, multimodal: use.entity == "company" and use.purpose != "production",
    "users_today_above": _users_today_above,
    "revenue_above_no_company": _revenue_above_no_company,
    "eu_multimodal_developer": lambda licence, use, multimodal: (
        multimodal and is_in_eu(use) and use.role == "developer"
    ),
    "eu_multimodal_end_user": lambda licence, use, multimodal: multimodal and is_in_eu(use) and use.role == "end_user",
}

CAUSES: dict[Trigger, str] = {
    "always": "every use calls for it",
    "service": "others get the model or something that runs on it",
    "distribution": "others get a copy of the model",
    "modified_distribution": "others get a modified copy of the model",
    "modified_release": "a modified model is made available to others",
    "unmodified_weights": "weights are handed on",
    "trained_release": "a model trained with it or its outputs is handed on",
    "trained_family_release": "a model of the same family, trained with it, is handed on",
    "training": "other models are trained with it or its outputs",
    "training_family": "models of the same family are trained with it or its outputs",
    "training_non_llm": "models that are no language models are trained with it or its outputs",
    "internal_staff": "staff use it",
    "company_testing": "a company tests it",
    "users_today_above": "today's users pass the limit",
    "revenue_above_no_company": "revenue passes the limit",
    "eu_multimodal_developer": "a multimodal model is used from the European Union",
    "eu_multimodal_end_user": "a multimodal model is used from the European Union",
}
