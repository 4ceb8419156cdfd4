"""The facade that both front ends call. It joins adapters and domain and holds no rules of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import __version__, paths
from advisor.asking import Asking
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import CpuSpec, GpuSpec, Machine
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import GgufFile, Model
from advisor.domain.pools import Figures, memory_pools
from advisor.domain.questions import Answer
from advisor.domain.recommend import Candidate, Recommendation, judge_licence, recommend
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.elsewhere import Elsewhere
from advisor.errors import InputError, nearest
from advisor.exporting import Exports
from advisor.files import write_atomically
from advisor.local_files.facade import DownloadOutcome, DownloadRequest, FilesHere
from advisor.own_entries import OwnEntries
from advisor.plain_documents import Documents
from advisor.scale import Scale
from advisor.second_look import SecondLook
from advisor.upkeep.facade import Upkeep

if TYPE_CHECKING:
    from advisor.diagnosis import Diagnosis
    from advisor.domain.coverage import Coverage
    from advisor.domain.head_to_head import HeadToHead
    from advisor.domain.sizing import SizeRequest, Sizing
    from advisor.domain.smoke_report import SmokeReport
    from advisor.domain.speed_report import SpeedReport
    from advisor.domain.verification import Verification
    from advisor.proof import OnEvent


@dataclass(frozen=True, slots=True)
class MachineChoice:
    """Which machine to advise for: this one, unless something is overridden."""

    gpu: str | None = None
    """A name from the hardware catalogue with an optional count, or `none`."""
    ram_bytes: int | None = None
    file: Path | None = None


__all__ = ["SCHEMAS", "Advisor", "DownloadOutcome", "DownloadRequest", "MachineChoice"]

SCHEMAS = ("recommendation", "constraints")
"""Files that have a JSON Schema."""


class Advisor(Asking, Elsewhere, OwnEntries, Upkeep, FilesHere, Documents, SecondLook, Scale, Exports):
    """One session: knowledge is read once, and only when something asks for it."""

    def __init__(self, knowledge: Path | None = None) -> None:
        self._knowledge = knowledge

    @cached_property
    def knowledge(self) -> Path:
        """The knowledge directory. Raises InputError when there is none."""
        return self._knowledge or paths.knowledge_dir()

    @cached_property
    def catalogue(self) -> Catalogue:
        """Models, licences and quantizations, with the user's own entries where they can be used."""
        from advisor.catalog.loader import load_catalogue

        return self.with_own_entries(load_catalogue(self.knowledge), self.knowledge)

    @cached_property
    def gpu_specs(self) -> tuple[GpuSpec, ...]:
        """The GPUs of the hardware catalogue."""
        from advisor.catalog.hardware import load_gpus

        return load_gpus(self.knowledge)

    @cached_property
    def _cpu_specs(self) -> tuple[CpuSpec, ...]:
        from advisor.catalog.hardware import load_cpus

        return load_cpus(self.knowledge)

    # ---------------------------------------------------------------- machine

    def machine(self, choice: MachineChoice = MachineChoice()) -> Machine:
        """One snapshot of this machine, or the simulated one that was chosen.

        Raises InputError for an unknown GPU or a machine file that cannot be used; probing itself never fails.
        """
        if choice.file is not None:
            from advisor.probe.machine_file import read_machine_file

            base: Machine = read_machine_file(choice.file)
        else:
            base = self._probe()
        if choice.gpu is None and choice.ram_bytes is None:
            return base
        return self._simulate(base, choice)

    def _probe(self) -> Machine:
        from advisor.engine.describe import describe_engine
        from advisor.probe.snapshot import probe_machine

        engine = describe_engine(cache_file=paths.cache_dir() / "engine.json")
        return probe_machine(engine, disk_path=paths.cache_dir())

    def _simulate(self, base: Machine, choice: MachineChoice) -> Machine:
        from advisor.catalog.hardware import find_gpu
        from advisor.probe.simulate import parse_gpu_argument, simulated_machine

        gpus: list[tuple[GpuSpec, int]] | None = None
        if choice.gpu is not None:
            name, count = parse_gpu_argument(choice.gpu)
            gpus = [(find_gpu(self.gpu_specs, name), count)] if name and count else []
        return simulated_machine(base, gpus=gpus, ram_bytes=choice.ram_bytes)

    def figures(self, machine: Machine) -> Figures:
        """Published figures of a machine's devices, where the hardware catalogue knows them."""
        from advisor.catalog.hardware import match_cpu, match_gpu

        name = machine.cpu.name.value
        gpus = tuple(match_gpu(self.gpu_specs, g.name.value or "", g.total_bytes.value) for g in machine.gpus)
        return Figures(cpu=match_cpu(self._cpu_specs, name) if name else None, gpus=gpus)

    # ---------------------------------------------------------------- advice

    def recommend(
        self,
        machine: Machine,
        constraints: Constraints,
        *,
        named: Iterable[str] = (),
        quantization: str | None = None,
        timings: Timings = NO_TIMINGS,
        before_each: Callable[[], None] | None = None,
    ) -> Recommendation:
        """Gate and score everything. Raises InputError for an unknown model or quantization name.

        `before_each` is called before each model and may raise to stop.
        """
        models = tuple(self.model(name).id for name in named)
        if quantization is not None:
            quantization = self.quantization_name(quantization)
        return recommend(
            machine,
            constraints,
            self.catalogue,
            self.figures(machine),
            named=models,
            quantization=quantization,
            timings=timings,
            before_each=before_each,
        )

    def model(self, name: str) -> Model:
        """A model by id or Hugging Face id. Raises InputError with the nearest id."""
        found = self.catalogue.model(name)
        if found is None:
            hint = nearest(name.lower(), [m.id for m in self.catalogue.models])
            raise InputError(f"unknown model {name!r}", hint=hint or "List them with: llm-advisor models")
        return found

    def quantization_name(self, name: str) -> str:
        """A file type's exact name. Raises InputError with the valid ones."""
        known = self.catalogue.quantizations
        wanted = name.upper()
        if wanted not in known:
            hint = nearest(wanted, known) or f"Known file types: {', '.join(known)}."
            raise InputError(f"unknown quantization {name!r}", hint=hint)
        return wanted

    def licence(self, model: Model, constraints: Constraints) -> LicenceFinding:
        """The verdict on one model for the described use."""
        return judge_licence(model, self.catalogue, constraints)

    def gguf_files(self, model: Model) -> tuple[GgufFile, ...]:
        """Published quantizations of a model."""
        return self.with_own_files(model, self.knowledge)

    def coverage(self) -> Coverage:
        """What the catalogue knows with a source, field by field, and why the rest is unknown."""
        from advisor.domain.coverage import coverage

        models = self.catalogue.models
        return coverage(models, {model.id: self.gguf_files(model) for model in models})

    def size(
        self, target: str, quantization: str, request: SizeRequest, choice: MachineChoice, *, use_engine: bool = False
    ) -> Sizing:
        """The footprint of a model, or of a local or remote GGUF file by its header, with the ladder around it.

        Raises InputError for an option that the model or the machine cannot have and for a file that is no model,
        NetworkError where a server does not answer, EngineError where llama.cpp is asked and refuses.
        """
        from advisor.domain.ladder import Machine as Memories
        from advisor.gguf.remote import is_url
        from advisor.sizer import Setting, size_catalogued, size_file

        machine = self.machine(choice)
        limits = self.constraints(self.questionnaire.defaults()).machine
        pools = memory_pools(machine, limits, self.figures(machine))
        setting = Setting(machine, Memories(pools, limits.allow_cpu), request, use_engine)
        if is_url(target) or target.lower().endswith(".gguf"):
            return size_file(target, self.catalogue.models, setting)
        offered = [q for q in self.catalogue.quantizations.values() if q.offered]
        return size_catalogued(self.model(target), self.quantization_name(quantization), offered, setting)

    def compare(self, names: Sequence[str], machine: Machine, constraints: Constraints) -> HeadToHead:
        """Two to four models (`MODEL` or `MODEL:QUANT`) or families (`mistral`, `llama`) side by side.

        Raises InputError for an unknown name, with the nearest.
        """
        from advisor.comparing import compare_names

        return compare_names(names, machine, constraints, self.catalogue, self.figures(machine), self.gpu_specs)

    # ---------------------------------------------------------------- documents and files

    def recommendation_text(
        self, found: Recommendation, answers: Mapping[str, Answer], smoke: SmokeReport | None = None
    ) -> str:
        """The recommendation as a commented TOML file. Raises NoCandidateError when there is no pick."""
        from datetime import UTC, datetime

        from advisor.domain.smoke_report import smoke_document
        from advisor.export.recommendation_toml import recommendation_toml

        return recommendation_toml(
            self.recommendation_document(found, answers),
            tool_version=__version__,
            engine_version=found.machine.engine.version.value,
            created=datetime.now(UTC).replace(microsecond=0).isoformat(),
            smoke=None if smoke is None else smoke_document(smoke),
            questionnaire=self.questionnaire,
        )

    def save_recommendation(self, path: Path, text: str, *, overwrite: bool = False) -> None:
        """Write the file whole or not at all. Raises InputError where it exists or cannot be written."""
        write_atomically(path, text, overwrite=overwrite)

    def schema(self, name: str) -> dict[str, Any]:
        """The JSON Schema of a file, by a name from SCHEMAS."""
        if name == "constraints":
            from advisor.export.constraints_schema import constraints_schema

            return constraints_schema(self.questionnaire)
        from advisor.export.recommendation_file import json_schema

        return json_schema()

    def verify(self, path: Path, choice: MachineChoice, *, recorded_machine: bool = False) -> Verification:
        """Derive a recorded recommendation again, here or on the recorded machine, and compare.

        Raises InputError for a file that is no recommendation.
        """
        from advisor.domain.verification import verify
        from advisor.export.machine_record import machine_from_record
        from advisor.export.recommendation_file import read_recommendation
        from advisor.export.verification import recorded_pick

        file = read_recommendation(path)
        constraints = self.constraints(self.answers(path))
        machine = machine_from_record(file.machine) if recorded_machine else self.machine(choice)
        recorded, request = recorded_pick(file), file.request
        known = [m for m in (recorded.model, *request.models) if self.catalogue.model(m) is not None]
        now = self.recommend(
            machine, constraints, named=[m for m in request.models if m in known], quantization=request.quantization
        )
        alone = self.recommend(machine, constraints, named=known, quantization=recorded.quantization)
        return verify(recorded, now, alone)

    def recorded_pick(self, path: Path) -> tuple[str, str]:
        """Model id and quantization of a recommendation file. Raises InputError for another file."""
        from advisor.export.recommendation_file import read_recommendation

        pick = read_recommendation(path).recommendation
        return pick.model, pick.quantization

    # ---------------------------------------------------------------- proof

    def smoke(
        self,
        candidate: Candidate,
        constraints: Constraints,
        *,
        folders: Iterable[Path] = (),
        on_event: OnEvent | None = None,
        cancel: threading.Event | None = None,
    ) -> SmokeReport:
        """Run the candidate for a moment: its file if it is here, else random weights in its shape; and judge it.

        Raises EngineError where llama.cpp is missing or the run was cancelled, InputError where the disk is full.
        """
        from advisor.proof import smoke_candidate

        here = self.file_here(candidate.model.id, candidate.quantization.name, folders)
        path = None if here is None else Path(here.path)
        return smoke_candidate(candidate, path, self.machine(), constraints, on_event, cancel)

    def smoke_file(
        self,
        path: Path,
        constraints: Constraints,
        *,
        on_event: OnEvent | None = None,
        cancel: threading.Event | None = None,
    ) -> SmokeReport:
        """Run a GGUF file on the processor and judge it. Raises InputError for a file that is no model."""
        from advisor.proof import smoke_file

        return smoke_file(path, self.machine(), constraints, on_event, cancel)

    # ---------------------------------------------------------------- speed

    def speed(
        self,
        name: str,
        quantization: str,
        machine: Machine,
        constraints: Constraints,
        *,
        prompt_tokens: int | None = None,
        depth_tokens: int | None = None,
        measured: bool = False,
        on_event: OnEvent | None = None,
        cancel: threading.Event | None = None,
    ) -> SpeedReport:
        """The speed of one model where it runs fastest: estimated, or measured with slices of it.

        Raises InputError for an unknown name and where the model does not fit, EngineError when cancelled.
        """
        from advisor.domain.speed_report import place_for_speed, speed_report

        pools = memory_pools(machine, constraints.machine, self.figures(machine))
        placed = place_for_speed(
            self.model(name),
            self.quantization_name(quantization),
            machine,
            pools,
            self.catalogue.speed,
            constraints,
            prompt_tokens=prompt_tokens,
            depth_tokens=depth_tokens,
        )
        if not measured:
            return speed_report(placed, None)
        from advisor.measuring import measure

        found = measure(placed.subject, machine, self.catalogue.speed, on_event, cancel)
        return speed_report(placed, found.speed, found.problem)

    def measure_finalists(
        self,
        found: Recommendation,
        *,
        on_event: OnEvent | None = None,
        on_ranking: Callable[[Recommendation], None] | None = None,
        cancel: threading.Event | None = None,
        only: str | None = None,
    ) -> tuple[Recommendation, tuple[str, ...]]:
        """Measure the best candidates, or that of id `only`, calibrate the others, and rank again, until all are known.

        `on_ranking` gets every intermediate ranking. Returns the last one, and why candidates could not be measured.
        Raises EngineError when cancelled.
        """
        from advisor.measuring import measure_finalists

        def again(timings: Timings) -> Recommendation:
            ranked = self.recommend(
                found.machine,
                found.constraints,
                named=found.named,
                quantization=found.only_quantization,
                timings=timings,
            )
            if on_ranking is not None:
                on_ranking(ranked)
            return ranked

        return measure_finalists(found, self.catalogue.speed, again, on_event, cancel, only)

    # ---------------------------------------------------------------- upkeep

    def diagnose(self) -> tuple[Diagnosis, ...]:
        """Check the installation, part by part. Never raises for what it finds."""
        from advisor.diagnosis import diagnose

        return diagnose(self.machine(), lambda: self.catalogue)
