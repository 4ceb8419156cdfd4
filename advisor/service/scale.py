"""The part of the facade that plans for many users. What it needs is loaded when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor import paths
from advisor.domain.candidate import Candidate
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.model import Model
from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.domain.recommend import recommend
from advisor.service.core import Core

if TYPE_CHECKING:
    from advisor.domain.capacity.plan import Plans
    from advisor.domain.capacity.sweep import Sweep
    from advisor.domain.plan_options import PlanOptions

MOST_CURVES = 4
"""Candidates of which users against latency are shown: more curves cannot be told apart."""


class ManyUsers(Core):
    """The part of the facade that plans for many users."""

    def plan(
        self,
        machine: Machine,
        constraints: Constraints,
        options: PlanOptions,
    ) -> Plans:
        """Plans for a model, or for the pick on the machine at hand.

        Raises InputError for an unknown name, a trace that cannot be used and an engine that cannot run the file
        type; NoCandidateError where no model passes, or no machine meets the targets.
        """
        from advisor.service.planning import plan_serving, read_wishes

        wishes = read_wishes(options, self.quantization_name)
        return plan_serving(
            wishes.request(*self._subject(machine, constraints, options.name, wishes.file_type)),
            machine,
            self.figures(machine),
            constraints,
            self.catalogue,
            self.knowledge,
            self.gpu_specs,
            paths.config_dir(),
        )

    def sweep(
        self,
        machine: Machine,
        constraints: Constraints,
        *,
        name: str | None = None,
        quantization: str | None = None,
        ranked: Sequence[Candidate] = (),
        before_each: Callable[[], None] | None = None,
        on_curve: Callable[[Sweep], None] | None = None,
    ) -> Sweep:
        """Users against latency on this machine for a model, or for the first MOST_CURVES of a ranking, which is made
        unless it is given.

        `on_curve` gets the sweep so far with each curve; `before_each` is called before each point and may raise to
        stop. Raises InputError for an unknown name, NoCandidateError where no model passes.
        """
        from advisor.domain.capacity.load import traffic_of
        from advisor.domain.capacity.sweep import Sweep
        from advisor.domain.capacity.targets import targets_of
        from advisor.service.planning import sweep_here

        only = None if quantization is None else self.quantization_name(quantization)
        subjects = _distinct(ranked) if ranked else self._swept(machine, constraints, name, only)
        found = Sweep(traffic_of(constraints), targets_of(constraints), ())
        for one in sweep_here(
            subjects, machine, self.figures(machine), constraints, self.catalogue, self.knowledge, before_each
        ):
            found = replace(found, curves=(*found.curves, one))
            if on_curve is not None:
                on_curve(found)
        return found

    def _swept(
        self, machine: Machine, constraints: Constraints, name: str | None, only: str | None
    ) -> list[tuple[Model, str]]:
        from advisor.service.planning import file_type_of, nothing_passes

        if name is not None:
            model, file_type = self._subject(machine, constraints, name, file_type_of(only))
            return [(model, only or file_type)]

        found = recommend(machine, constraints, self.catalogue, self.figures(machine), quantization=only)
        if not found.ranked:
            raise nothing_passes(found)
        return _distinct(found.ranked)

    def _subject(
        self, machine: Machine, constraints: Constraints, name: str | None, only: str | None
    ) -> tuple[Model, str]:
        """The model to plan for and its file type: as named, else the one that is worth its machines most."""
        from advisor.service.planning import nothing_passes, pick_of, without_latency

        named = () if name is None else (self.model(name).id,)
        figures = self.figures(machine)
        for needs in (constraints, without_latency(constraints)):
            found = recommend(machine, needs, self.catalogue, figures, named=named, quantization=only)
            pick = pick_of(found, named)
            if pick is not None:
                return pick
        if named:
            return self.model(named[0]), only or DEFAULT_QUANTIZATION
        raise nothing_passes(found)


def _distinct(ranked: Sequence[Candidate]) -> list[tuple[Model, str]]:
    """The first of a ranking whose curves can differ: siblings of one shape have the same in one file type."""
    kinds = {(c.model.shape, c.quantization.name): c for c in reversed(ranked)}
    return [(c.model, c.quantization.name) for c in ranked if kinds[c.model.shape, c.quantization.name] is c][
        :MOST_CURVES
    ]
