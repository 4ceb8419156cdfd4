"""The part of the facade that plans for many users. What it needs is loaded when somebody asks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from advisor import paths
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.model import Model
from advisor.domain.pools import Figures
from advisor.domain.recommend import recommend

if TYPE_CHECKING:
    from advisor.domain.capacity.plan import Plans


class Scale:
    """The part of the facade that plans for many users."""

    if TYPE_CHECKING:

        @property
        def knowledge(self) -> Path: ...

        @property
        def catalogue(self) -> Catalogue: ...

        @property
        def gpu_specs(self) -> tuple[GpuSpec, ...]: ...

        def figures(self, machine: Machine) -> Figures: ...

        def model(self, name: str) -> Model: ...

        def quantization_name(self, name: str) -> str: ...

    def plan(
        self,
        machine: Machine,
        constraints: Constraints,
        *,
        name: str | None = None,
        quantization: str | None = None,
        engine: str | None = None,
        trace: Path | None = None,
        survive: str | None = None,
    ) -> Plans:
        """Plans for a model, or for the pick on the machine at hand. `survive` says what may be lost: `replica`, which
        is the default, or `machine`.

        Raises InputError for an unknown name, a trace that cannot be used and an engine that cannot run the file
        type; NoCandidateError where no model passes, or no machine meets the targets.
        """
        from advisor.domain.capacity.vllm import PRECISIONS
        from advisor.planning import PlanRequest, engine_named, load_trace, plan_serving, survivor_named

        wanted, lost = engine_named(engine), survivor_named(survive)
        if quantization is not None and quantization.upper() not in PRECISIONS:
            quantization = self.quantization_name(quantization)
        given = quantization.upper() if quantization is not None else None
        recorded = load_trace(trace) if trace is not None else None
        model, file_type = self._subject(machine, constraints, name, given)
        request = PlanRequest(model, given or file_type, wanted, given is not None, lost, recorded)
        return plan_serving(
            request,
            machine,
            self.figures(machine),
            constraints,
            self.catalogue,
            self.knowledge,
            self.gpu_specs,
            paths.config_dir(),
        )

    def _subject(
        self, machine: Machine, constraints: Constraints, name: str | None, given: str | None
    ) -> tuple[Model, str]:
        """The model to plan for and its file type: as named, else the one that is worth its machines most."""
        from advisor.domain.capacity.vllm import PRECISIONS
        from advisor.planning import DEFAULT_FILE_TYPE, nothing_passes, pick_of, without_latency

        named = () if name is None else (self.model(name).id,)
        only = given if given is not None and given not in PRECISIONS else None
        figures = self.figures(machine)
        for needs in (constraints, without_latency(constraints)):
            found = recommend(machine, needs, self.catalogue, figures, named=named, quantization=only)
            pick = pick_of(found, named)
            if pick is not None:
                return pick
        if named:
            return self.model(named[0]), only or DEFAULT_FILE_TYPE
        raise nothing_passes(found)
