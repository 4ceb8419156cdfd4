"""The shape of a file under `knowledge/licences`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from advisor.catalog.validation import MOST
from advisor.domain.constraints import Deployment, Entity, Purpose, Redistribution, TrainTarget
from advisor.domain.licence.restrictions import Operator
from advisor.domain.licence.terms import DutyKind, StandingId, TermKind, Trigger
from advisor.errors import InputError, nearest

Text = Annotated[str, Field(min_length=1)]
Fault = tuple[str, str, str | None]
"""Key, message and hint."""
Restricting = Literal["forbidden", "needs_separate_licence"]


class _Entry(BaseModel):
    # Only the whole file is ever validated; building a validator for each part would double the time of the import.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class SourceEntry(_Entry):
    """A text that somebody read."""

    text: Text
    url: Annotated[str, Field(pattern=r"^https://")]
    checked: date
    third_party: bool = False
    """Somebody else's copy or account of the text."""


class TermEntry(_Entry):
    """What the licence says on one point, in plain words."""

    value: Text
    clause: Text
    source: Text
    """Key of a table under `sources`."""
    phrase: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    """A short quotation."""


class UserThresholdEntry(TermEntry):
    verdict: Restricting
    limit: Annotated[int, Field(gt=0, le=MOST)]
    operator: Operator
    test_month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    exempt_clause: Text | None = None


class RevenueThresholdEntry(TermEntry):
    verdict: Restricting
    limit_usd: Annotated[int, Field(gt=0, le=MOST)]
    operator: Operator


class EuRestrictionEntry(TermEntry):
    verdict: Restricting
    multimodal_only: bool
    end_users_exempt: bool


class FieldOfUseEntry(TermEntry):
    """Empty lists allow everything."""

    verdict: Restricting
    commercial: bool
    purposes: list[Purpose] = []
    entities: list[Entity] = []
    deployments: list[Deployment] = []
    redistributions: list[Redistribution] = []


class TrainingBanEntry(TermEntry):
    verdict: Restricting
    targets: Annotated[list[TrainTarget], Field(min_length=1)]


class DutyEntry(TermEntry):
    kind: DutyKind
    exact: Text | None = None
    text: Text
    when: Annotated[list[Trigger], Field(min_length=1)]


class StandingEntry(TermEntry):
    id: StandingId


class AmbiguityEntry(_Entry):
    id: Annotated[str, Field(pattern=r"^A\d{1,2}$")]
    text: Text
    when: Annotated[list[Trigger], Field(min_length=1)]
    verdict: Restricting | None = None
    duties: list[DutyKind] = []


class LicenceFile(_Entry):
    """A licence. A point is a table, or named under `no_such_term` with the source that is silent on it, or missing."""

    model_config = ConfigDict(defer_build=False)

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    name: Text
    licensor: Text | None = None
    url: Annotated[str, Field(pattern=r"^https://")] | None = None
    hf_tag: Text | None = None
    spdx: Text | None = None
    osi_approved: bool | None = None
    released: Text | None = None
    warning: Text | None = None
    no_such_term: dict[TermKind, str] = {}
    sources: dict[str, SourceEntry] = {}
    grant: TermEntry | None = None
    user_threshold: UserThresholdEntry | None = None
    revenue_threshold: RevenueThresholdEntry | None = None
    eu_restriction: EuRestrictionEntry | None = None
    field_of_use: FieldOfUseEntry | None = None
    training_ban: TrainingBanEntry | None = None
    separate_licence: TermEntry | None = None
    duty: list[DutyEntry] = []
    standing: list[StandingEntry] = []
    ambiguity: list[AmbiguityEntry] = []
    terms: dict[str, TermEntry] = {}


def validate_licence(document: dict[str, Any], path: Path) -> None:
    """Hold a document against the schema. Raises InputError as `file: key: message`, with the nearest valid key."""
    for key, message, hint in licence_faults(document, path):
        raise InputError(f"{path}: {key}: {message}", hint=hint)


def licence_faults(document: dict[str, Any], path: Path) -> Iterator[Fault]:
    """Everything that breaks the schema; contradictions are looked for only where nothing does."""
    try:
        entry = LicenceFile.model_validate(document)
    except ValidationError as error:
        yield from map(_explained, error.errors(include_url=False))
        return
    yield from _wrong_sources(entry)
    yield from _contradictions(entry, path)


def _wrong_sources(entry: LicenceFile) -> Iterator[Fault]:
    """Names of sources that the file does not have."""
    named = {f"no_such_term.{kind}": source for kind, source in entry.no_such_term.items()}
    named |= {f"{key}.source": term.source for key, term in _terms(entry)}
    for key, source in named.items():
        if source not in entry.sources:
            yield key, f"{source!r} is not among the sources", nearest(source, entry.sources)


def _terms(entry: LicenceFile) -> Iterator[tuple[str, TermEntry]]:
    for key in LicenceFile.model_fields:
        value = getattr(entry, key)
        if isinstance(value, TermEntry):
            yield key, value
    yield from ((f"duty[{i}]", duty) for i, duty in enumerate(entry.duty))
    yield from ((f"standing[{i}]", standing) for i, standing in enumerate(entry.standing))
    yield from ((f"terms.{name}", term) for name, term in entry.terms.items())


def _contradictions(entry: LicenceFile, path: Path) -> Iterator[Fault]:
    """Keys that disagree with each other or with the file's name."""
    if path.stem != entry.id:
        yield "id", f"{entry.id!r} is not the file's name", None
    for kind in entry.no_such_term:
        if getattr(entry, "duty" if kind == "duties" else kind):
            yield f"no_such_term.{kind}", "the file has such a term", None
    for i, duty in enumerate(entry.duty):
        if duty.exact is None and duty.kind in ("DISPLAY", "NAME_PREFIX"):
            yield f"duty[{i}].exact", f"a duty of kind {duty.kind} needs the exact words", None
        if duty.exact is not None and duty.exact not in duty.text:
            yield f"duty[{i}].text", f"does not contain the exact words {duty.exact!r}", None
    kinds = {duty.kind for duty in entry.duty}
    for i, point in enumerate(entry.ambiguity):
        for kind_named in point.duties:
            if kind_named not in kinds:
                yield f"ambiguity[{i}].duties", f"the licence has no duty of kind {kind_named}", None


def _explained(fault: ErrorDetails) -> Fault:
    """One fault that the schema found."""
    is_key = fault["loc"][-1] == "[key]"  # how pydantic marks a fault in the key of a mapping
    location = fault["loc"][:-1] if is_key else fault["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if is_key:
        return key, "unknown key", nearest(str(location[-1]), get_args(TermKind))
    if fault["type"] == "extra_forbidden":
        return key, "unknown key", nearest(str(location[-1]), _valid_keys(location[:-1]))
    return key, _uncapitalised(fault["msg"]), None


def _uncapitalised(message: str) -> str:
    return message[:1].lower() + message[1:]


def _valid_keys(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Keys of the table at a location of the file."""
    model: type[BaseModel] = LicenceFile
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return tuple(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that an annotation such as `list[DutyEntry]` or `TermEntry | None` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)
