"""Ecosystem: what the catalogue knows of who else builds on a model."""

from __future__ import annotations

from advisor.domain.basis import Basis
from advisor.domain.head_to_head.subjects import Scene, Subject
from advisor.domain.head_to_head.values import Figure, Line, Section, known, unknown
from advisor.domain.model import Model

_NAMED = 3


def ecosystem_section(subjects: tuple[Subject, ...], scene: Scene) -> Section:
    """Files, access, age and notes. Counts are of sources that were found, not of the world."""
    lines = (
        Line("publishers", "publishers of GGUF files", tuple(_publishers_figure(s.model) for s in subjects),
             unit="repositories"),
        Line("access", "download", tuple(_access_figure(s.model) for s in subjects)),
        Line("age", "released", tuple(_age_figure(s.model) for s in subjects)),
        Line("status", "status", tuple(_status_figure(s.model, scene) for s in subjects)),
        Line("facts", "who builds on it", tuple(_facts_figure(s.model) for s in subjects)),
        Line("notes", "notes", tuple(known(" ".join(s.model.notes) or "none") for s in subjects)),
    )  # fmt: skip
    return Section("ecosystem", "Ecosystem", lines, ("Publishers are those that the catalogue's sources name.",))


def _publishers_figure(model: Model) -> Figure:
    repos = model.ecosystem.gguf_repos
    if not repos:
        return unknown("none of the sources names one")
    more = f" and {len(repos) - _NAMED} more" if len(repos) > _NAMED else ""
    return known(
        f"{len(repos)}: {', '.join(repos[:_NAMED])}{more}", len(repos), Basis.PUBLISHED, _source(model, "gguf_repos")
    )


def _access_figure(model: Model) -> Figure:
    if model.gated is None:
        return unknown(model.unknowns.get("gated", "nobody sourced whether it is gated"))
    text = "behind an agreement on Hugging Face" if model.gated else "open on Hugging Face"
    return known(text, model.gated, Basis.PUBLISHED, _source(model, "gated"))


def _age_figure(model: Model) -> Figure:
    if model.release_date is None:
        return unknown(model.unknowns.get("release_date", "nobody sourced it"))
    return known(model.release_date, model.release_date, Basis.PUBLISHED, _source(model, "release_date"))


def _status_figure(model: Model, scene: Scene) -> Figure:
    found = model.provenance.get("status")
    note = f"; {found.note}" if found is not None and found.note else ""
    heir = scene.catalogue.model(model.superseded_by or "")
    successor = f", followed by {heir.name}" if heir is not None else ""
    return known(f"{model.status}{successor}{note}", model.status, source=None if found is None else found.source)


def _facts_figure(model: Model) -> Figure:
    facts = _facts(model)
    if not facts:
        return unknown("the catalogue has no facts on it")
    sources = "; ".join(dict.fromkeys(source for _, source in facts if source))
    return known(" ".join(text for text, _ in facts), len(facts), Basis.PUBLISHED if sources else None, sources or None)


def _facts(model: Model) -> list[tuple[str, str | None]]:
    return [(fact.text, fact.source) for fact in model.ecosystem.facts]


def _source(model: Model, field: str) -> str | None:
    found = model.provenance.get(field)
    return None if found is None else found.source
