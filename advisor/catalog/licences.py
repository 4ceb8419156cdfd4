"""Turns `knowledge/licences/*.toml` into the licences that the domain judges by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from advisor._toml import load_toml
from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.restrictions import (
    EuRestriction,
    FieldOfUse,
    RevenueThreshold,
    TrainingBan,
    UserThreshold,
)
from advisor.domain.licence.terms import Ambiguity, Duty, Standing, Term, TermKind, Verdict
from advisor.errors import InputError
from advisor.values import value

Table = dict[str, Any]


def read_validated(path: Path) -> Table:
    """The document in a licence file. Raises InputError as `file: key: message` when it breaks its schema."""
    # Pydantic is slow to import, and a reader that knows a file to be valid can do without.
    from advisor.catalog.licence_schema import validate_licence

    document = load_toml(path)
    validate_licence(document, path)
    return document


def load_licences(directory: Path, *, read: Callable[[Path], Table] = read_validated) -> dict[str, Licence]:
    """The licences under `directory/licences`, by id, in order of id. `read` must return valid documents.

    Raises InputError for a directory without licences, and what `read` raises.
    """
    paths = (directory / "licences").glob("*.toml")
    licences = [_Document(read(path)).licence() for path in paths]
    if not licences:
        raise InputError(f"{directory / 'licences'} holds no licence", hint="Install llm-advisor again.")
    return {licence.id: licence for licence in sorted(licences, key=lambda licence: licence.id)}


@value
class _Document:
    """One valid file on its way into the domain."""

    table: Table

    def licence(self) -> Licence:
        table = self.table
        return Licence(
            id=table["id"],
            name=table["name"],
            licensor=table.get("licensor"),
            url=table.get("url"),
            hf_tag=table.get("hf_tag"),
            spdx=table.get("spdx"),
            osi_approved=table.get("osi_approved"),
            released=table.get("released"),
            warning=table.get("warning"),
            missing=self._missing(),
            grant=self._optional("grant"),
            user_threshold=self._user_threshold(),
            revenue_threshold=self._revenue_threshold(),
            eu_restriction=self._eu_restriction(),
            field_of_use=self._field_of_use(),
            training_ban=self._training_ban(),
            separate_licence=self._optional("separate_licence"),
            duties=tuple(self._duty(duty) for duty in table.get("duty", [])),
            standing=tuple(Standing(t["id"], t["value"], self._term(t)) for t in table.get("standing", [])),
            ambiguities=tuple(_ambiguity(point) for point in table.get("ambiguity", [])),
            other_terms=tuple((name, self._term(term)) for name, term in table.get("terms", {}).items()),
        )

    def _missing(self) -> tuple[TermKind, ...]:
        """Points that the file neither gives nor denies."""
        keys: dict[TermKind, str] = {"duties": "duty"}
        denied = self.table.get("no_such_term", {})
        return tuple(k for k in get_args(TermKind) if k not in denied and not self.table.get(keys.get(k, k)))

    def _term(self, term: Table) -> Term:
        source = self.table["sources"][term["source"]]
        third_party = source.get("third_party", False)
        return Term(term["value"], term["clause"], term.get("phrase"), source["text"], source["url"], third_party)

    def _optional(self, key: str) -> Term | None:
        term = self.table.get(key)
        return None if term is None else self._term(term)

    def _user_threshold(self) -> UserThreshold | None:
        table = self.table.get("user_threshold")
        if table is None:
            return None
        return UserThreshold(
            term=self._term(table),
            verdict=Verdict(table["verdict"]),
            limit=table["limit"],
            operator=table["operator"],
            test_month=table["test_month"],
            exempt_clause=table.get("exempt_clause"),
        )

    def _revenue_threshold(self) -> RevenueThreshold | None:
        table = self.table.get("revenue_threshold")
        if table is None:
            return None
        return RevenueThreshold(self._term(table), Verdict(table["verdict"]), table["limit_usd"], table["operator"])

    def _eu_restriction(self) -> EuRestriction | None:
        table = self.table.get("eu_restriction")
        if table is None:
            return None
        verdict = Verdict(table["verdict"])
        return EuRestriction(self._term(table), verdict, table["multimodal_only"], table["end_users_exempt"])

    def _field_of_use(self) -> FieldOfUse | None:
        table = self.table.get("field_of_use")
        if table is None:
            return None
        return FieldOfUse(
            term=self._term(table),
            verdict=Verdict(table["verdict"]),
            commercial=table["commercial"],
            purposes=tuple(table.get("purposes", [])),
            entities=tuple(table.get("entities", [])),
            deployments=tuple(table.get("deployments", [])),
            redistributions=tuple(table.get("redistributions", [])),
        )

    def _training_ban(self) -> TrainingBan | None:
        table = self.table.get("training_ban")
        if table is None:
            return None
        return TrainingBan(self._term(table), Verdict(table["verdict"]), tuple(table["targets"]))

    def _duty(self, duty: Table) -> Duty:
        return Duty(duty["kind"], duty.get("exact"), duty["text"], tuple(duty["when"]), self._term(duty))


def _ambiguity(point: Table) -> Ambiguity:
    verdict = Verdict(point["verdict"]) if "verdict" in point else None
    return Ambiguity(point["id"], point["text"], tuple(point["when"]), verdict, tuple(point.get("duties", [])))
