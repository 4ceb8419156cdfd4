"""How much of the catalogue somebody sourced, field by field, and why the rest is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from advisor.domain.model import GgufFile, Model

_NOT_READ = "no source was read for it"


@dataclass(frozen=True, slots=True)
class Gap:
    """A model of which a field is unknown."""

    model: str
    """Its id."""
    reason: str


@dataclass(frozen=True, slots=True)
class FieldCoverage:
    """One field over the models that it applies to."""

    field: str
    n_sourced: int
    gaps: tuple[Gap, ...]
    """In order of the models."""

    @property
    def n_models(self) -> int:
        return self.n_sourced + len(self.gaps)

    @property
    def share(self) -> float:
        """Sourced models among those that the field applies to; 1 where it applies to none."""
        return self.n_sourced / self.n_models if self.n_models else 1.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The catalogue's sources at a glance."""

    n_models: int
    fields: tuple[FieldCoverage, ...]

    @property
    def n_sourced(self) -> int:
        return sum(field.n_sourced for field in self.fields)

    @property
    def n_values(self) -> int:
        return sum(field.n_models for field in self.fields)

    @property
    def share(self) -> float:
        """Sourced values among all that apply."""
        return self.n_sourced / self.n_values if self.n_values else 1.0


Files = tuple[GgufFile, ...]
Judge = Callable[[Model, Files], str | None]
"""The reason why a field of a model is unknown; None where it is sourced."""


def coverage(models: Iterable[Model], files: Mapping[str, Files]) -> Coverage:
    """Count what is sourced. `files` are the published quantizations by id of their model."""
    listed = sorted(models, key=lambda model: model.id)
    return Coverage(len(listed), tuple(_fields(listed, files)))


def _fields(models: list[Model], files: Mapping[str, Files]) -> Iterator[FieldCoverage]:
    for name, judge in _JUDGES.items():
        applicable = [m for m in models if _APPLIES.get(name, _to_all)(m)]
        reasons = [(m, judge(m, files.get(m.id, ()))) for m in applicable]
        gaps = tuple(Gap(m.id, reason) for m, reason in reasons if reason is not None)
        yield FieldCoverage(name, len(reasons) - len(gaps), gaps)


def _sourced(field: str) -> Judge:
    def judge(model: Model, _: Files) -> str | None:
        if field in model.unknowns:
            return model.unknowns[field]
        return None if field in model.provenance else _NOT_READ

    return judge


def _named(field: str) -> Judge:
    """For a field in which the word `unknown` is a value."""

    def judge(model: Model, _: Files) -> str | None:
        if getattr(model, field) != "unknown":
            return None
        found = model.provenance.get(field)
        return (found.note if found else None) or _NOT_READ

    return judge


def _listed(field: str, of: Callable[[Model], tuple[object, ...]]) -> Judge:
    def judge(model: Model, _: Files) -> str | None:
        return None if of(model) else model.unknowns.get(field, _NOT_READ)

    return judge


def _shape(model: Model, _: Files) -> str | None:
    return None if model.shape is not None else model.shape_reason or _NOT_READ


def _file_sizes(model: Model, files: Files) -> str | None:
    if any(file.n_bytes for file in files):
        return None
    return "files are listed without their size" if files else _no_files(model)


def _file_hashes(model: Model, files: Files) -> str | None:
    if any(file.sha256 for file in files):
        return None
    return "files are listed without a hash" if files else _no_files(model)


def _no_files(model: Model) -> str:
    return model.unknowns.get("gguf_repos", "no list of the files was read")


_JUDGES: dict[str, Judge] = {
    "hf_id": _sourced("hf_id"),
    "release_date": _sourced("release_date"),
    "status": _named("status"),
    "licence": _named("licence"),
    "gated": _sourced("gated"),
    "modalities": _sourced("modalities"),
    "languages": _sourced("languages"),
    "total_params": _sourced("total_params"),
    "text_params": _sourced("text_params"),
    "active_params": _sourced("active_params"),
    "vision_params": _sourced("vision_params"),
    "shape": _shape,
    "max_context_tokens": _sourced("max_context_tokens"),
    "rope_theta": _sourced("rope_theta"),
    "benchmarks": _listed("benchmarks", lambda model: model.benchmarks),
    "ecosystem": _listed("ecosystem", lambda model: model.ecosystem.facts),
    "gguf_repos": _listed("gguf_repos", lambda model: model.ecosystem.gguf_repos),
    "gguf_sizes": _file_sizes,
    "gguf_hashes": _file_hashes,
}
"""Every field in the order of the table."""


def _to_all(_: Model) -> bool:
    return True


_APPLIES: dict[str, Callable[[Model], bool]] = {
    "vision_params": lambda model: "image" in model.modalities,
    "rope_theta": lambda model: model.shape is None or model.shape.state_space is None,
}
"""Which models a field applies to, where not to all."""


def coverage_rows(found: Coverage) -> list[tuple[str, str, str, str, str]]:
    """Field, models it applies to, sourced, unknown, share; the whole last."""
    rows = [_row(f.field, f.n_sourced, f.n_models) for f in found.fields]
    return [*rows, _row("all", found.n_sourced, found.n_values)]


def _row(name: str, n_sourced: int, n_models: int) -> tuple[str, str, str, str, str]:
    # Rounded down: 100 % is said only where nothing is missing.
    percent = 100 * n_sourced // n_models if n_models else 100
    return name, str(n_models), str(n_sourced), str(n_models - n_sourced), f"{percent} %"


def gap_rows(found: Coverage) -> list[tuple[str, str, str]]:
    """Field, model and reason of everything unknown."""
    return [(field.field, gap.model, gap.reason) for field in found.fields for gap in field.gaps]
