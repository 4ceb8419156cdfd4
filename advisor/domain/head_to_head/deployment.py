"""Deployment: engines, where it would run here, and what happens beyond one machine."""

from __future__ import annotations

from advisor.domain.constraints import Constraints
from advisor.domain.head_to_head.edges import lowest
from advisor.domain.head_to_head.engines import engines_of
from advisor.domain.head_to_head.subjects import Subject
from advisor.domain.head_to_head.values import Figure, Line, Section, known, unknown
from advisor.domain.model import Model
from advisor.domain.replicas import plan_for
from advisor.domain.serving import expected_load
from advisor.units import counted


def deployment_section(subjects: tuple[Subject, ...], constraints: Constraints) -> Section:
    """Where and how it would run."""
    lines = (
        Line("engines", "runs in", tuple(_engines_figure(s.model) for s in subjects)),
        Line("place", "here", tuple(_place_figure(s) for s in subjects)),
        Line("requirements", "requirements", tuple(_requirements_figure(s) for s in subjects)),
        _scale_line(subjects, constraints),
    )
    return Section("deployment", "Deployment", lines, ("Engines are named only where a source names them.",))


def _engines_figure(model: Model) -> Figure:
    engines = engines_of(model)
    if not engines:
        return unknown("no source names one")
    sources = "; ".join(dict.fromkeys(source for _, source in engines))
    return known(", ".join(name for name, _ in engines), None, source=sources)


def _place_figure(subject: Subject) -> Figure:
    placed = subject.placed
    if placed is None:
        return unknown(subject.model.shape_reason or "llama.cpp cannot run it")
    if not subject.fits:
        return known("does not fit", False)
    placement = placed.fit.placement
    pairs = zip(placement.gpu_layers, placed.fit.pools[1:], strict=True)
    parts = [f"{counted(n, 'layer')} on {pool.name}" for n, pool in pairs if n]
    in_ram = (subject.model.shape.n_layers if subject.model.shape else 0) - sum(placement.gpu_layers)
    if in_ram:
        parts.append(f"{counted(in_ram, 'layer')} in RAM")
    if placement.experts_in_ram:
        parts.append("experts in RAM")
    return known(", ".join(parts), True)


def _requirements_figure(subject: Subject) -> Figure:
    if subject.usable:
        return known("passes all", True)
    words = [reason.line for reason in subject.reasons]
    where = f"in {subject.nearest}, the nearest: " if subject.nearest else ""
    return known(f"✗ {where}{'; '.join(words)}", False)


def _scale_line(subjects: tuple[Subject, ...], constraints: Constraints) -> Line:
    figures = tuple(_scale_figure(s, constraints) for s in subjects)
    counts = [figure.value if isinstance(figure.value, int) else None for figure in figures]
    edge = lowest(counts, lambda gap: f"{gap:.0f} fewer")
    return Line("scale", "for the asked users", figures, edge, unit="machines")


def _scale_figure(subject: Subject, constraints: Constraints) -> Figure:
    placed = subject.placed
    if placed is None or not subject.fits or placed.speed is None:
        return unknown("its speed here is unknown")
    load = expected_load(constraints)
    found = plan_for(placed, load, constraints)
    if found is None:
        return unknown("no number of machines like this meets the targets")
    requests = "one request at a time" if load.slots == 1 else f"{load.slots} requests at once at most"
    text = f"{found.replicas} × this machine at {found.utilisation:.0%} load, {requests}"
    text += f"; {found.note}" if found.replicas > 1 else ""
    return known(text, found.replicas, found.basis)
