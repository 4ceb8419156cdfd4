"""The kinds of terms that can withhold a licence. Each knows when it bites, why, and what would lift it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal, Protocol

from advisor.domain.constraints import Deployment, Entity, Purpose, Redistribution, TrainTarget, Use
from advisor.domain.licence.terms import Term, Verdict
from advisor.values import value

Operator = Literal[">", ">="]

EU_COUNTRIES = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    "AX", "EL", "GF", "GP", "MF", "MQ", "RE", "YT",
})  # fmt: skip
"""ISO 3166 codes of the European Union since 2020-02-01 (https://european-union.europa.eu): its member states, the
outermost regions that have a code of their own and Åland, where the Treaties apply (Article 355 (1) and (4) of the
Treaty on the Functioning of the European Union), and EL, which the institutions write for Greece.
"""

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WHY: dict[Purpose, str] = {
    "production": "production",
    "evaluation": "evaluation",
    "research": "research",
    "personal": "personal use",
}
_WHO: dict[Entity, str] = {
    "company": "a company",
    "individual": "an individual",
    "university": "a university",
    "non_profit": "a non-profit",
    "public_body": "a public body",
}
_WHERE: dict[Deployment, str] = {
    "internal": "kept inside the organisation",
    "saas": "offered as a hosted service",
    "embedded": "built into a product",
    "weights": "published as weights",
}
_HANDED: dict[Redistribution, str] = {
    "none": "with nothing handed on",
    "weights": "with weights handed on",
    "derivative_weights": "with modified weights handed on",
    "product": "with a product handed on that holds the model",
}


@value
class Fix:
    """The smallest change of a use that a restriction lets through."""

    phrase: str
    """Stands before a colon and the outcome, such as `At or below 20,000,000 USD of revenue: it would be allowed.`"""
    use: Use


class Restriction(Protocol):
    """A term that can withhold the licence."""

    @property
    def term(self) -> Term: ...

    @property
    def verdict(self) -> Verdict: ...

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of a use that it reads."""
        ...

    def bites(self, use: Use, multimodal: bool) -> bool:
        """Whether it withholds the licence from this use of a model."""
        ...

    def reason(self, use: Use) -> str:
        """Why it bites, as one sentence."""
        ...

    def pass_reason(self, use: Use, multimodal: bool) -> str:
        """Why it does not bite, as one sentence."""
        ...

    def fixes(self, use: Use) -> tuple[Fix, ...]:
        """Uses nearest to this one that it lets through."""
        ...


def is_in_eu(use: Use) -> bool:
    """Whether the use is domiciled, or has its principal place of business, in the European Union."""
    return use.eu_based or use.country.upper() in EU_COUNTRIES


def exceeds(value: int, operator: Operator, limit: int) -> bool:
    """Whether a figure is on the far side of a limit, which itself is inside for `>`."""
    return value > limit if operator == ">" else value >= limit


def _within(operator: Operator, limit: int) -> int:
    return limit if operator == ">" else limit - 1


def _listed(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _users_at_release(use: Use) -> int:
    return use.mau_at_release + use.affiliates_mau_at_release


@value
class UserThreshold:
    """No rights above a number of monthly active users, counted once in the month before the release."""

    term: Term
    verdict: Verdict
    limit: int
    operator: Operator
    test_month: str
    """`2024-06`."""
    exempt_clause: str | None
    """Clause that frees whoever got the model inside an integrated end user product."""
    fields: ClassVar[tuple[str, ...]] = (
        "mau_at_release", "affiliates_mau_at_release", "received_in_end_user_product",
    )  # fmt: skip

    @property
    def month(self) -> str:
        """`June 2024`."""
        year, month = self.test_month.split("-")
        return f"{_MONTHS[int(month) - 1]} {year}"

    def exempts(self, use: Use) -> bool:
        """Whether the licence frees this use from the limit."""
        return self.exempt_clause is not None and use.received_in_end_user_product

    def bites(self, use: Use, multimodal: bool) -> bool:
        return exceeds(_users_at_release(use), self.operator, self.limit) and not self.exempts(use)

    def reason(self, use: Use) -> str:
        return (
            f"{_users_at_release(use):,} monthly active users in {self.month}, affiliates included, pass the limit of "
            f"{self.limit:,} in clause {self.term.clause}, above which the licence grants nothing."
        )

    def pass_reason(self, use: Use, multimodal: bool) -> str:
        if self.exempts(use):
            return f"Clause {self.exempt_clause} lifts the limit on users for a model received inside a product."
        return (
            f"{_users_at_release(use):,} monthly active users in {self.month} are within the limit of {self.limit:,}."
        )

    def fixes(self, use: Use) -> tuple[Fix, ...]:
        most = _within(self.operator, self.limit)
        at_most = replace(use, mau_at_release=min(use.mau_at_release, most), affiliates_mau_at_release=0)
        return (Fix(f"at or below {most:,} monthly users in {self.month}, affiliates included", at_most),)


@value
class RevenueThreshold:
    """No rights in a month that follows one with more revenue than the limit."""

    term: Term
    verdict: Verdict
    limit_usd: int
    operator: Operator
    fields: ClassVar[tuple[str, ...]] = ("revenue_usd_month",)

    def bites(self, use: Use, multimodal: bool) -> bool:
        return exceeds(use.revenue_usd_month, self.operator, self.limit_usd)

    def reason(self, use: Use) -> str:
        return (
            f"Revenue of {use.revenue_usd_month:,} USD in the preceding month passes the limit of "
            f"{self.limit_usd:,} USD in clause {self.term.clause}, above which the licence grants nothing."
        )

    def pass_reason(self, use: Use, multimodal: bool) -> str:
        return (
            f"Revenue of {use.revenue_usd_month:,} USD in the preceding month is within the limit of "
            f"{self.limit_usd:,} USD."
        )

    def fixes(self, use: Use) -> tuple[Fix, ...]:
        most = _within(self.operator, self.limit_usd)
        phrase = f"at or below {most:,} USD of worldwide revenue in the preceding month"
        return (Fix(phrase, replace(use, revenue_usd_month=most)),)


@value
class EuRestriction:
    """No rights for licensees in the European Union."""

    term: Term
    verdict: Verdict
    multimodal_only: bool
    end_users_exempt: bool
    fields: ClassVar[tuple[str, ...]] = ("eu_based", "country", "role")

    def bites(self, use: Use, multimodal: bool) -> bool:
        if self.multimodal_only and not multimodal:
            return False
        return is_in_eu(use) and not (self.end_users_exempt and use.role == "end_user")

    def reason(self, use: Use) -> str:
        place = "the European Union"
        if use.country.upper() in EU_COUNTRIES:
            place = f"{use.country.upper()}, in the European Union"
        models = "this multimodal model" if self.multimodal_only else "this model"
        return f"The licensee sits in {place}, and the licence withholds {models} there, whatever it is used for."

    def pass_reason(self, use: Use, multimodal: bool) -> str:
        if not is_in_eu(use):
            return "The restriction for the European Union does not reach a licensee outside it."
        if self.multimodal_only and not multimodal:
            return "The restriction for the European Union covers multimodal models, and this one is text-only."
        return "The restriction for the European Union exempts end users of a product or service."

    def fixes(self, use: Use) -> tuple[Fix, ...]:
        outside = replace(use, eu_based=False, country="" if use.country.upper() in EU_COUNTRIES else use.country)
        found = [Fix("with domicile or principal place of business outside the European Union", outside)]
        if self.end_users_exempt:
            phrase = "as an end user of a product or service that somebody else builds on the model"
            found.append(Fix(phrase, replace(use, role="end_user")))
        return tuple(found)


@value
class FieldOfUse:
    """Rights for some purposes only. An empty tuple of allowed values allows all; the first is the narrowest."""

    term: Term
    verdict: Verdict
    commercial: bool
    """Whether commercial use is inside."""
    purposes: tuple[Purpose, ...]
    entities: tuple[Entity, ...]
    deployments: tuple[Deployment, ...]
    redistributions: tuple[Redistribution, ...]
    fields: ClassVar[tuple[str, ...]] = ("commercial", "purpose", "entity", "deployment", "redistribute")

    def bites(self, use: Use, multimodal: bool) -> bool:
        return (
            (use.commercial and not self.commercial)
            or _outside(use.purpose, self.purposes)
            or _outside(use.entity, self.entities)
            or _outside(use.deployment, self.deployments)
            or _outside(use.redistribute, self.redistributions)
        )

    def reason(self, use: Use) -> str:
        objections = _listed(list(self._objections(use)))
        return f"The licence allows only {self.term.value} ({self.term.clause}); this use is {objections}."

    def pass_reason(self, use: Use, multimodal: bool) -> str:
        return f"The use stays within what the licence allows: {self.term.value} ({self.term.clause})."

    def fixes(self, use: Use) -> tuple[Fix, ...]:
        phrases: list[str] = []
        changed = use
        if use.commercial and not self.commercial:
            phrases.append("without commercial aim")
            changed = replace(changed, commercial=False)
        if _outside(use.purpose, self.purposes):
            phrases.append(f"for {_listed([_WHY[purpose] for purpose in self.purposes], 'or')}")
            changed = replace(changed, purpose=self.purposes[0])
        if _outside(use.entity, self.entities):
            phrases.append(f"by {_listed([_WHO[entity] for entity in self.entities], 'or')}")
            changed = replace(changed, entity=self.entities[0])
        if _outside(use.deployment, self.deployments):
            phrases.append(_WHERE[self.deployments[0]])
            changed = replace(changed, deployment=self.deployments[0])
        if _outside(use.redistribute, self.redistributions):
            phrases.append(_HANDED[self.redistributions[0]])
            changed = replace(changed, redistribute=self.redistributions[0])
        return (Fix(_listed(phrases), changed),) if phrases else ()

    def _objections(self, use: Use) -> Iterator[str]:
        if use.commercial and not self.commercial:
            yield "commercial"
        if _outside(use.purpose, self.purposes):
            yield f"for {_WHY[use.purpose]}"
        if _outside(use.entity, self.entities):
            yield f"by {_WHO[use.entity]}"
        if _outside(use.deployment, self.deployments):
            yield _WHERE[use.deployment]
        if _outside(use.redistribute, self.redistributions):
            yield _HANDED[use.redistribute]


def _outside(value: str, allowed: tuple[str, ...]) -> bool:
    return bool(allowed) and value not in allowed


@value
class TrainingBan:
    """No use of the model or its outputs to improve some other models."""

    term: Term
    verdict: Verdict
    targets: tuple[TrainTarget, ...]
    """Kinds of models that must not be trained. A target that is not stated counts as another language model."""
    fields: ClassVar[tuple[str, ...]] = ("train_other_models", "train_target")

    def bites(self, use: Use, multimodal: bool) -> bool:
        return use.train_other_models and training_target(use) in self.targets

    def reason(self, use: Use) -> str:
        stated = " (the model to be trained is not stated)" if use.train_target == "none" else ""
        return f"Clause {self.term.clause} bars training other language models with the model or its outputs{stated}."

    def pass_reason(self, use: Use, multimodal: bool) -> str:
        if not use.train_other_models:
            return f"Nothing else is trained with the model, so clause {self.term.clause} is not touched."
        return f"The words of clause {self.term.clause} do not reach the kind of model that is trained."

    def fixes(self, use: Use) -> tuple[Fix, ...]:
        phrase = "without training other language models with it or its outputs"
        return (Fix(phrase, replace(use, train_other_models=False)),)


def training_target(use: Use) -> TrainTarget:
    """What is trained; another language model where the user trains something and does not say what."""
    return "other_llm" if use.train_target == "none" else use.train_target
