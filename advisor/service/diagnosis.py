"""The doctor: every part that the advisor needs, tried once, with what would mend it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from advisor import paths
from advisor.domain.catalogue import Catalogue
from advisor.domain.hardware import Machine
from advisor.errors import AdvisorError

if TYPE_CHECKING:
    from advisor.engine.sandbox import Protection

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One check and how long it took."""

    id: str
    status: Status
    text: str
    hint: str | None
    ms: float


_Outcome = tuple[Status, str, str | None]


def diagnose(machine: Machine, load_catalogue: Callable[[], Catalogue]) -> tuple[Diagnosis, ...]:
    """Try everything in turn."""
    child = _Child()
    checks: list[tuple[str, Callable[[], _Outcome]]] = [
        ("knowledge", lambda: _knowledge(load_catalogue())),
        ("engine", lambda: _engine(machine)),
        ("engine child", child.starts),
        ("sandbox", child.sandbox),
        ("gpu", lambda: _gpu(machine)),
        ("cache directory", _cache),
    ]
    return tuple(_timed(name, check) for name, check in checks)


def _timed(name: str, check: Callable[[], _Outcome]) -> Diagnosis:
    start = time.perf_counter()
    try:
        status, text, hint = check()
    except AdvisorError as error:
        status, text, hint = "failed", error.what if error.why is None else f"{error.what}: {error.why}", error.hint
    return Diagnosis(name, status, text, hint, 1000 * (time.perf_counter() - start))


def _knowledge(catalogue: Catalogue) -> _Outcome:
    counts = f"{len(catalogue.models)} models, {len(catalogue.licences)} licences, {len(catalogue.quantizations)} types"
    return "ok", f"{counts}, checked {catalogue.version}", None


def _engine(machine: Machine) -> _Outcome:
    version = machine.engine.version
    if version.value is None:
        return "failed", f"llama-cpp-python: {version.reason}", version.hint
    return "ok", f"llama-cpp-python {version.value}", None


class _Child:
    """The engine child, started once for two checks."""

    def __init__(self) -> None:
        self._protections: tuple[Protection, ...] = ()

    def starts(self) -> _Outcome:
        from advisor.engine.client import EngineClient
        from advisor.engine.operations import describe

        with EngineClient() as client:
            found = describe(client)
            self._protections = client.protections
        return "ok", f"starts and lists {', '.join(d.name for d in found.devices)}", None

    def sandbox(self) -> _Outcome:
        """What model files and their templates cannot do here."""
        if not self._protections:
            return "warning", "unknown: the engine child does not start", None
        said = [f"{p.id}: {p.text}" if p.in_force else f"{p.id} not protected: {p.text}" for p in self._protections]
        if all(p.in_force for p in self._protections):
            return "ok", "; ".join(said), None
        return "warning", "; ".join(said), "Run model files from sources that you trust only, or on Linux 6.7 or later."


def _gpu(machine: Machine) -> _Outcome:
    warnings = [f for f in machine.findings if f.level == "warning"]
    if warnings:
        return "warning", warnings[0].text, warnings[0].hint
    if machine.gpus:
        names = ", ".join(g.name.value or "unnamed" for g in machine.gpus)
        offload = {True: "on", False: "off", None: "unknown"}[machine.engine.gpu_offload.value]
        return "ok", f"{names}, offload {offload}", None
    query = machine.gpu_query
    return "ok", "none" if query.value == 0 else f"none: {query.reason}", query.hint


def _cache() -> _Outcome:
    folder = paths.cache_dir()
    probe = folder / ".probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)  # another doctor may have been quicker
    except OSError as error:
        hint = "Point LLM_ADVISOR_CACHE_DIR at a directory that can be written."
        return "warning", f"{folder} cannot be written: {error.strerror}", hint
    return "ok", f"{folder} can be written", None
