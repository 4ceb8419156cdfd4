"""The facade that both front ends call. It joins adapters and domain and holds no rules of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import __version__
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import Model
from advisor.domain.pools import memory_pools
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation, judge_licence
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.trial.evidence import Evidence
from advisor.service.core import MachineChoice
from advisor.service.documents import Documents
from advisor.service.exporting import Exports
from advisor.service.fleets import Fleets
from advisor.service.hardware_options import HardwareOptions
from advisor.service.sensitivity import SensitivityAnalysis
from advisor.service.smoking import Smoking
from advisor.service.trials import Trials
from advisor.service.upkeep import Upkeep

if TYPE_CHECKING:
    from advisor.domain.coverage import Coverage
    from advisor.domain.head_to_head import HeadToHead
    from advisor.domain.sizing import SizeRequest, Sizing
    from advisor.domain.smoke_report import SmokeReport
    from advisor.domain.speed_report import SpeedReport
    from advisor.domain.verification import Verification
    from advisor.engine.client import OnEvent
    from advisor.service.diagnosis import Diagnosis


SCHEMAS = ("recommendation", "constraints")
"""Files that have a JSON Schema."""


class Advisor(HardwareOptions, Upkeep, Documents, SensitivityAnalysis, Fleets, Exports, Smoking, Trials):
    """One session: knowledge is read once, and only when something asks for it."""

    def licence(self, model: Model, constraints: Constraints) -> LicenceFinding:
        """The verdict on one model for the described use."""
        return judge_licence(model, self.catalogue, constraints)

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
        from advisor.domain.ladder import Memories
        from advisor.gguf.remote import is_url
        from advisor.service.sizing import Circumstances, size_catalogued, size_file

        machine = self.machine(choice)
        limits = self.constraints(self.questionnaire.defaults()).machine
        pools = memory_pools(machine, limits, self.figures(machine))
        given = Circumstances(machine, Memories(pools, limits.allow_cpu), request, use_engine)
        if is_url(target) or ("://" not in target and target.lower().endswith(".gguf")):
            return size_file(target, self.catalogue.models, given)
        offered = [q for q in self.catalogue.quantizations.values() if q.offered]
        return size_catalogued(self.model_no_file(target), self.quantization_name(quantization), offered, given)

    def compare(
        self,
        names: Sequence[str],
        machine: Machine,
        constraints: Constraints,
        timings: Timings = NO_TIMINGS,
        trial: Evidence | None = None,
    ) -> HeadToHead:
        """Two to four models (`MODEL` or `MODEL:QUANT`) or families (`mistral`, `llama`) side by side.

        `timings` is what was measured on the machine; `trial` is what the user's own tasks told.

        Raises InputError for an unknown name, with the nearest.
        """
        from advisor.service.comparing import compare_names

        return compare_names(
            names, machine, constraints, self.catalogue, self.figures(machine), self.gpu_specs, timings, trial
        )

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
        from advisor.export.verification import recorded_pick, recorded_trial

        file = read_recommendation(path)
        constraints = self.constraints(self.answers(path))
        machine = machine_from_record(file.machine) if recorded_machine else self.machine(choice)
        recorded, request = recorded_pick(file), file.request
        known = [m for m in (recorded.model, *request.models) if self.catalogue.model(m) is not None]
        now = self.recommend(
            machine,
            constraints,
            named=[m for m in request.models if m in known],
            quantization=request.quantization,
            trial=recorded_trial(file),
        )
        alone = self.recommend(machine, constraints, named=known, quantization=recorded.quantization)
        return verify(recorded, now, alone)

    def recorded_pick(self, path: Path) -> tuple[str, str]:
        """Model id and quantization of a recommendation file. Raises InputError for another file."""
        from advisor.export.recommendation_file import read_recommendation

        pick = read_recommendation(path).recommendation
        return pick.model, pick.quantization

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
        remeasure: bool = False,
        on_event: OnEvent | None = None,
        cancel: threading.Event | None = None,
    ) -> SpeedReport:
        """The speed of one model where it runs fastest: estimated, or measured with slices of it, with `remeasure`
        also where it was measured before.

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
        from advisor.service.measuring import CacheUse, measure

        cache_use: CacheUse = "renew" if remeasure else "use"
        found = measure(placed.subject, machine, self.catalogue.speed, on_event, cancel, cache_use=cache_use)
        return speed_report(placed, found.speed, found.problem)

    def measure_finalists(
        self,
        found: Recommendation,
        *,
        on_event: OnEvent | None = None,
        on_ranking: Callable[[Recommendation], None] | None = None,
        cancel: threading.Event | None = None,
        only: str | None = None,
        remeasure: bool = False,
        before_each: Callable[[], None] | None = None,
    ) -> tuple[Recommendation, tuple[str, ...]]:
        """Measure the best candidates, or that of id `only`, calibrate the others, and rank again, until all are known.

        `remeasure` measures also those that were measured before, as does asking again where all are measured.
        `on_ranking` gets every intermediate ranking, and `before_each` is called before each model that is ranked.
        Returns the last ranking, and why candidates could not be measured.
        Raises EngineError when cancelled.
        """
        from advisor.service.measuring import measure_finalists

        def again(timings: Timings) -> Recommendation:
            ranked = self.recommend_again(found, timings=timings, before_each=before_each)
            if on_ranking is not None:
                on_ranking(ranked)
            return ranked

        return measure_finalists(found, self.catalogue.speed, again, on_event, cancel, only, remeasure=remeasure)

    # ---------------------------------------------------------------- upkeep

    def diagnose(self) -> tuple[Diagnosis, ...]:
        """Check the installation, part by part. Never raises for what it finds."""
        from advisor.service.diagnosis import diagnose

        return diagnose(self.machine(), lambda: self.catalogue)
