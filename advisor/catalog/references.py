"""What the knowledge files say of one another: every name that one uses must be known to another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from advisor.catalog.hardware import check_names, load_cpus, load_gpus
from advisor.catalog.inspection import Inspected, Inspection, finding_of
from advisor.catalog.presets import load_presets
from advisor.catalog.questions import load_questionnaire
from advisor.catalog.serving import NODES, load_nodes
from advisor.domain.header import FILE_TYPES
from advisor.domain.tensor_types import DEFAULT_TYPE
from advisor.domain.upkeep.finding import Finding, Level
from advisor.errors import InputError, nearest

_LABEL = re.compile(r"(UD-)?(I?Q\d|TQ\d|MXFP4|NVFP4|BF16|F16|F32)\w*|mmproj|imatrix")
"""What a published file's quantization may be called, publishers' own mixtures included."""


def reference_findings(inspection: Inspection, directory: Path, overlay: Path) -> Iterator[Finding]:
    """Names in the sound files that lead nowhere, and names that two things claim; the user's nodes as well."""
    yield from _language_findings(inspection)
    yield from _licence_link_findings(inspection)
    yield from _quantization_findings(inspection)
    yield from _speed_findings(inspection)
    yield from _list_findings(inspection)
    yield from _hardware_findings(directory, inspection)
    yield from _node_findings(directory, inspection, overlay)
    yield from _question_findings(directory, inspection)
    yield from _preset_findings(directory, inspection)


def _language_findings(inspection: Inspection) -> Iterator[Finding]:
    """Languages that have no name on screen."""
    known: set[str] = set()
    for file in inspection.of("languages"):
        for row in file.document["language"]:
            if row["tag"] in known:
                yield Finding("error", file.name, f"language[{row['tag']}]", "the tag occurs twice", "Remove one.")
            known.add(row["tag"])
    for file in inspection.of("models"):
        # A user may speak a language that the shipped list does not name; its tag stands for it.
        level: Level = "warning" if file.is_own else "error"
        for table in file.document["model"]:
            for tag in table["languages"].get("value", ()):
                if tag not in known:
                    reason = f"languages.toml has no name for {tag!r}"
                    fix = nearest(tag, known) or "Add its name to languages.toml."
                    yield Finding(level, file.name, f"model[{table['id']}].languages", reason, fix)


def _licence_link_findings(inspection: Inspection) -> Iterator[Finding]:
    """Licences whose text cannot be looked up."""
    for file in inspection.of("licences"):
        document = file.document
        # A licence without any term stands for one that nobody established.
        if "url" not in document and document.get("grant") is not None:
            yield Finding("error", file.name, "url", "no link to the text", "Give the address of the licence text.")
        links = {"url": document.get("url")}
        links |= {f"sources.{key}.url": source["url"] for key, source in document.get("sources", {}).items()}
        for key, link in links.items():
            if link is not None and not _is_link(link):
                yield Finding("error", file.name, key, f"{link!r} is no web address", "Write https://host/path.")


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    is_clean = not any(character.isspace() for character in text)
    return parts.scheme == "https" and "." in host.strip(".") and is_clean


def _quantization_findings(inspection: Inspection) -> Iterator[Finding]:
    for file in inspection.of("quantizations"):
        seen: dict[int, str] = {}
        for row in file.document["quantization"]:
            name, number = row["name"], row["file_type"].get("value")
            place = f"quantization[{name}]"
            if name not in DEFAULT_TYPE:
                fix = nearest(name, DEFAULT_TYPE) or f"Known are {', '.join(DEFAULT_TYPE)}."
                yield Finding("error", file.name, f"{place}.name", f"there are no rules for {name!r}", fix)
            if number in seen:
                reason = f"{seen[number]} has the same number {number}"
                yield Finding("error", file.name, f"{place}.file_type", reason, "See enum llama_ftype in llama.h.")
            elif FILE_TYPES.get(number, name) != name:
                reason = f"{number} is {FILE_TYPES[number]} in llama.cpp"
                yield Finding("error", file.name, f"{place}.file_type", reason, "See enum llama_ftype in llama.h.")
            seen[number] = name


def _speed_findings(inspection: Inspection) -> Iterator[Finding]:
    """Back ends and types for which estimates would have to borrow the constants of others."""
    for file in inspection.of("speed"):
        backends = file.document["gpu"]
        for quantizations in inspection.of("quantizations"):
            offered = [row["name"] for row in quantizations.document["quantization"] if row["offered"]]
            kinds = sorted({DEFAULT_TYPE[name] for name in offered if name in DEFAULT_TYPE})
            yield from _rate_findings(file.name, file.document["cpu"], kinds)
        for gpus in inspection.of("gpus"):
            for backend in sorted({row["backend"] for row in gpus.document["gpu"]} - set(backends)):
                reason = f"no constants for {backend!r}, so those of vulkan stand in"
                yield Finding("warning", file.name, "gpu", reason, "Fit them: python -m benchmarks.fit_speed.")


def _rate_findings(file: str, families: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[Finding]:
    """Types that an offered quantization is made of and no family of processors has a rate for."""
    for family, rates in families.items():
        for table in ("core_read_bytes_per_s", "core_flops"):
            for kind in kinds:
                if kind not in rates[table]:
                    reason = f"no rate for {kind}, which an offered quantization is made of"
                    fix = "Fit it again: python -m benchmarks.fit_speed."
                    yield Finding("error", file, f"cpu.{family}.{table}", reason, fix)


def _list_findings(inspection: Inspection) -> Iterator[Finding]:
    """Published files of unknown models, listed twice, or of a quantization that nothing is called."""
    models = {table["id"] for file in inspection.of("models") for table in file.document["model"]}
    seen: dict[tuple[bool, str, str, str], str] = {}
    for file in inspection.of("gguf"):
        for row in file.document["file"]:
            place = f"file[{row['file']}]"
            if row["model"] not in models:
                fix = nearest(row["model"], models) or "Remove the row, or add the model."
                yield Finding("error", file.name, f"{place}.model", f"there is no model {row['model']!r}", fix)
            if _LABEL.fullmatch(row["quantization"]) is None:
                reason = f"{row['quantization']!r} is no name of a quantization"
                yield Finding("error", file.name, f"{place}.quantization", reason, "Write for example Q4_K_M.")
            key = (file.is_own, row["model"], row["repo"], row["file"])
            if key in seen:
                reason = f"listed in {seen[key]} too" if seen[key] != file.name else "listed twice"
                yield Finding("error", file.name, place, reason, "Remove one.")
            seen[key] = file.name


def _hardware_findings(directory: Path, inspection: Inspection) -> Iterator[Finding]:
    for kind, path in (("gpus", directory / "hardware/gpus.toml"), ("cpus", directory / "hardware/cpus.toml")):
        if not any(file.kind == kind for file in inspection.files):
            continue
        try:
            if kind == "gpus":
                check_names(load_gpus(directory))
            else:
                load_cpus(directory)
        except InputError as error:
            yield finding_of(error, path.relative_to(directory).as_posix(), path)
    for file in (*inspection.of("gpus"), *inspection.of("cpus")):
        yield from _repeated_names(file)


def _repeated_names(file: Inspected) -> Iterator[Finding]:
    table = "gpu" if file.kind == "gpus" else "cpu"
    seen: set[str] = set()
    for row in file.document[table]:
        if row["name"] in seen:
            yield Finding("error", file.name, f"{table}[{row['name']}].name", "the name is taken", "Remove one.")
        seen.add(row["name"])


def _node_findings(directory: Path, inspection: Inspection, overlay: Path) -> Iterator[Finding]:
    """Machines to plan with whose GPU nobody knows, or whose name is taken."""
    shipped = next(inspection.of("nodes"), None)
    if shipped is None or not any(inspection.of("gpus")):
        return
    gpus, own = load_gpus(directory), overlay / NODES
    try:
        load_nodes(directory, gpus)
    except InputError as error:
        yield finding_of(error, shipped.name, shipped.path)
        return
    try:
        load_nodes(directory, gpus, overlay)
    except InputError as error:
        yield finding_of(error, str(own), own)


def _question_findings(directory: Path, inspection: Inspection) -> Iterator[Finding]:
    for file in inspection.of("questions"):
        try:
            load_questionnaire(directory)
        except InputError as error:
            yield finding_of(error, file.name, file.path)


def _preset_findings(directory: Path, inspection: Inspection) -> Iterator[Finding]:
    """Presets that give a question an answer it cannot have."""
    for file in inspection.of("presets"):
        try:
            load_presets(directory, load_questionnaire(directory))
        except InputError as error:
            yield finding_of(error, file.name, file.path)


def succession_findings(successors: Mapping[str, str | None], files: Mapping[str, str]) -> Iterator[Finding]:
    """Models that are superseded by one another in a circle."""
    for model_id in successors:
        here, seen = successors.get(model_id), {model_id}
        while here is not None and here not in seen:
            seen.add(here)
            here = successors.get(here)
        if here == model_id:
            key = f"model[{model_id}].superseded_by"
            yield Finding("error", files[model_id], key, "the succession goes round in a circle", "Break it.")
