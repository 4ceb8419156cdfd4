"""The whole catalogue looked over: schema, references, arithmetic, links and age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from advisor.catalog.inspection import Inspected, Inspection, checked_days, finding_of, inspect
from advisor.catalog.licences import load_licences
from advisor.catalog.models import read_gguf_files, read_models
from advisor.catalog.overlay import check_entry
from advisor.catalog.references import reference_findings, succession_findings
from advisor.domain.licence import Licence
from advisor.domain.model import Model
from advisor.domain.upkeep.arithmetic import arithmetic_findings, published_findings
from advisor.domain.upkeep.finding import Finding, in_order
from advisor.domain.upkeep.staleness import stale_findings
from advisor.errors import InputError


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, and the models that are sound enough to be tried by the engine."""

    findings: tuple[Finding, ...]
    models: tuple[tuple[Model, str], ...]
    """With the file that each stands in, in order of id."""
    n_files: int


def audit(directory: Path, overlay: Path, today: date) -> Audit:
    """Look over a knowledge directory and an overlay, which need not exist. Never raises for what is in them."""
    inspection = inspect(directory, overlay)
    findings = [*inspection.findings, *reference_findings(inspection, directory, overlay)]
    for file in inspection.files:
        # What a base brings along is checked where it stands.
        own = {key: day for key, day in checked_days(file.document).items() if "/" not in key}
        findings += stale_findings(file.name, own, today)
    placed, duplicates = _placed(inspection)
    findings += duplicates
    findings += _model_findings(placed, _licences(inspection))
    findings += _file_findings(inspection, placed)
    models = tuple((model, file.name) for model, file in sorted(placed.values(), key=lambda pair: pair[0].id))
    return Audit(in_order(findings), models, inspection.n_files)


Placed = dict[str, tuple[Model, Inspected]]


def _placed(inspection: Inspection) -> tuple[Placed, list[Finding]]:
    """Models by id with the file that counts; a user's entry stands in for the shipped one."""
    placed: Placed = {}
    findings = []
    for file in inspection.of("models"):
        for model in read_models(file.document, file.path):
            if file.is_own:
                model = replace(model, overlay=str(file.path), base=file.bases.get(model.id))
            other = placed.get(model.id)
            if other is not None and other[1].is_own == file.is_own:
                reason = f"the id is taken: it occurs in {other[1].name} too"
                findings.append(Finding("error", file.name, f"model[{model.id}].id", reason, "Choose another id."))
            placed[model.id] = (model, file)
    return placed, findings


def _licences(inspection: Inspection) -> dict[str, Licence]:
    files = {file.path: file.document for file in inspection.of("licences")}
    if not files:
        return {}
    directory = next(iter(files)).parent.parent
    # Broken ones are findings of their own; their ids still count as known.
    return load_licences(directory, read=lambda path: files.get(path) or _placeholder(path))


def _placeholder(path: Path) -> dict[str, object]:
    return {"schema_version": 1, "id": path.stem, "name": path.stem}


def _model_findings(placed: Placed, licences: dict[str, Licence]) -> Iterator[Finding]:
    models = {model.id: model for model, _ in placed.values()}
    for model, file in placed.values():
        try:
            check_entry(replace(model, overlay=str(file.path)), models, licences)
        except InputError as error:
            yield finding_of(error, file.name, file.path)
        yield from _place_findings(model, file)
        yield from _benchmark_findings(model, file)
        yield from arithmetic_findings(model, file.name)
    successors = {model.id: model.superseded_by for model in models.values()}
    yield from succession_findings(successors, {model_id: file.name for model_id, (_, file) in placed.items()})


def _place_findings(model: Model, file: Inspected) -> Iterator[Finding]:
    """A shipped entry stands in the file of its line, in the directory of its family."""
    if file.is_own or (file.path.parent.name, file.path.stem) == (model.family, model.line):
        return
    reason = f"an entry of {model.family}/{model.line} in another file"
    yield Finding("error", file.name, f"model[{model.id}].line", reason, "Move it, or correct family and line.")


def _benchmark_findings(model: Model, file: Inspected) -> Iterator[Finding]:
    seen = set()
    for row in model.benchmarks:
        if (row.name, row.setting) in seen:
            key = f"model[{model.id}].benchmark[{row.name}]"
            yield Finding("error", file.name, key, "listed twice in one setting", "Keep one, or tell the settings.")
        seen.add((row.name, row.setting))


def _file_findings(inspection: Inspection, placed: Placed) -> Iterator[Finding]:
    for file in inspection.of("gguf"):
        for model_id in sorted({row["model"] for row in file.document["file"]} & placed.keys()):
            for published in read_gguf_files(file.document, file.path, model_id):
                yield from published_findings(placed[model_id][0], published, file.name)
