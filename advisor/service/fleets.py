"""The part of the facade that knows machines which serve together. What it needs is loaded when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import paths
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.model import Model
from advisor.domain.pools import Figures, memory_pools, threads_for
from advisor.errors import NetworkError, NoCandidateError
from advisor.service.scale import ManyUsers
from advisor.units import counted, format_bytes
from advisor.values import value

if TYPE_CHECKING:
    from advisor.domain.capacity.fleet import FleetPlans, Site
    from advisor.domain.fleet import Fleet, FleetNode
    from advisor.domain.placement import Pool
    from advisor.domain.plan_options import PlanOptions
    from advisor.domain.recommend import Recommendation
    from advisor.service.planning import PlanRequest


@value
class FleetAdvice:
    """A model placed on a fleet."""

    fleet: Fleet
    plans: FleetPlans
    picked_on: FleetNode | None
    """The machine on which the model is in rank; None where the user named the model to plan for."""

    @property
    def machine(self) -> Machine:
        """That machine, or the first of the fleet."""
        return (self.picked_on or self.fleet.nodes[0]).machine

    @property
    def node_name(self) -> str:
        """Its name."""
        return (self.picked_on or self.fleet.nodes[0]).name


MOST_TRIED = 8
"""Models that are placed before the one that carries most is taken: each takes about a second."""


class Fleets(ManyUsers):
    """The part of the facade that knows machines which serve together."""

    # ---------------------------------------------------------------- what a fleet is

    def probe_cluster(self, address: str) -> Fleet:
        """One snapshot of every node of a Ray cluster, each probed by itself.

        Raises InputError where the extra is missing, NetworkError where no cluster answers at the address or none of
        its nodes could be probed.
        """
        from pydantic import ValidationError

        from advisor.cluster.probing import ask_cluster
        from advisor.domain.fleet import Fleet, FleetNode, NodeFailure
        from advisor.export.machine_record import MachineTable, machine_from_record

        nodes, failures = [], []
        for answer in ask_cluster(address):
            if answer.machine is None:
                failures.append(NodeFailure(answer.name, answer.reason or "it gave no answer", answer.hint))
                continue
            document = {key: value for key, value in answer.machine.items() if key != "schema_version"}
            try:
                nodes.append(FleetNode(answer.name, machine_from_record(MachineTable.model_validate(document))))
            except ValidationError as error:
                place = ".".join(str(step) for step in error.errors()[0]["loc"])
                reason = f"its probe answers in another form (at {place or 'the document'})"
                hint = "Run the same version of llm-advisor on every node."
                failures.append(NodeFailure(answer.name, reason, hint))
        if not nodes:
            first = failures[0]
            why = f"{first.name}: {first.reason}"
            asked = counted(len(failures), "node")
            raise NetworkError(f"none of {asked} at {address} could be probed", why=why, hint=first.hint)
        return Fleet(f"Ray cluster at {address}", tuple(nodes), tuple(failures))

    def fleet_of_file(self, path: Path) -> Fleet:
        """The machines of a fleet file. Raises InputError for another file."""
        from advisor.probe.fleet_file import read_fleet_file

        return read_fleet_file(path)

    def is_fleet_file(self, path: Path) -> bool:
        """Whether a file describes several machines. Raises InputError where it cannot be read."""
        from advisor.probe.fleet_file import is_fleet_file

        return is_fleet_file(path)

    def fleet_file_text(self, fleet: Fleet) -> str:
        """The snapshot as a fleet file."""
        from advisor.probe.fleet_file import fleet_file_text

        return fleet_file_text(fleet)

    def fleet_document(self, fleet: Fleet) -> dict[str, Any]:
        """The snapshot as plain values."""
        from advisor.export.fleet import fleet_document

        return fleet_document(fleet)

    def fleet_advice_document(self, advice: FleetAdvice) -> dict[str, Any]:
        """The placement as plain values."""
        from advisor.domain.capacity.fleet_report import fleet_plans_document

        picked = None if advice.picked_on is None else advice.picked_on.name
        return {"source": advice.fleet.source, "picked_on": picked, **fleet_plans_document(advice.plans, advice.fleet)}

    # ---------------------------------------------------------------- what serves on it

    def plan_fleet(
        self,
        fleet: Fleet,
        constraints: Constraints,
        options: PlanOptions,
    ) -> FleetAdvice:
        """Replicas of a model on the machines of a fleet, which is planned for the loss of its fastest replica.

        Without a name, the candidates of the largest machine are placed in the order of their rank, then those of
        smaller ones, until the fleet carries the load. Where none is enough, the placement that carries most comes
        back. Raises InputError as `plan` does, NoCandidateError where no model passes on any machine.
        """
        from advisor.service.planning import read_wishes

        wishes, name = read_wishes(options, self.quantization_name), options.name

        def picked(machine: Machine) -> tuple[Model, str]:
            return self._subject(machine, constraints, name, wishes.file_type)

        if name is not None:
            largest = _by_size(fleet, self.figures, constraints)[0]
            plans = self._place(fleet, constraints, wishes.request(*picked(largest.machine)))
            return FleetAdvice(fleet, plans, None)

        def ranked(machine: Machine) -> list[tuple[Model, str]]:
            first = picked(machine)
            found = self.recommend(machine, _for_one_user(constraints), quantization=wishes.file_type)
            return [first, *_candidates(found)]

        return self._first_enough(fleet, constraints, ranked, wishes.request)

    def recommend_on_fleet(
        self,
        fleet: Fleet,
        constraints: Constraints,
        *,
        named: tuple[str, ...] = (),
        quantization: str | None = None,
    ) -> FleetAdvice:
        """The first in rank on the largest machine with which the fleet carries the load, placed on all of them.

        Raises like `plan_fleet`.
        """
        from advisor.service.planning import PlanRequest, nothing_passes

        def ranked(machine: Machine) -> list[tuple[Model, str]]:
            found = self.recommend(machine, constraints, named=named, quantization=quantization)
            if found.pick is None:
                raise nothing_passes(found)
            return _candidates(found)

        def request(model: Model, file_type: str) -> PlanRequest:
            return PlanRequest(model, file_type, "llama.cpp", True)

        return self._first_enough(fleet, constraints, ranked, request)

    def _first_enough(
        self,
        fleet: Fleet,
        constraints: Constraints,
        ranked: Callable[[Machine], list[tuple[Model, str]]],
        request: Callable[[Model, str], PlanRequest],
    ) -> FleetAdvice:
        """The first placement that is enough, from the largest machine down; else the one that carries most."""
        _require_memory(fleet)
        best: FleetAdvice | None = None
        error: NoCandidateError | None = None
        tried: set[tuple[str, str]] = set()
        for node in _different(_by_size(fleet, self.figures, constraints)):
            if len(tried) == MOST_TRIED:
                break
            try:
                candidates = ranked(node.machine)
            except NoCandidateError as found:
                error = error or found
                continue
            for model, file_type in candidates:
                if (model.id, file_type) in tried or len(tried) == MOST_TRIED:
                    continue
                tried.add((model.id, file_type))
                plans = self._place(fleet, constraints, request(model, file_type))
                if plans.is_enough:
                    return FleetAdvice(fleet, plans, node)
                if best is None or plans.carried_requests_per_s > best.plans.carried_requests_per_s:
                    best = FleetAdvice(fleet, plans, node)
        if best is None:
            raise error or NoCandidateError("the fleet has no machine")
        return best

    def _place(self, fleet: Fleet, constraints: Constraints, request: PlanRequest) -> FleetPlans:
        from advisor.catalog.serving import load_nodes
        from advisor.domain.capacity.fleet import place_on_fleet
        from advisor.service.planning import engines_of, subject_of

        subject = subject_of(request, constraints, self.catalogue, self.knowledge)
        nodes = load_nodes(self.knowledge, self.gpu_specs, paths.config_dir())
        sites = list(_sites(fleet, self.figures, constraints, nodes))
        return place_on_fleet(subject, sites, engines_of(request))


def _sites(
    fleet: Fleet, figures: Callable[[Machine], Figures], constraints: Constraints, nodes: tuple[Any, ...]
) -> Iterator[Site]:
    from advisor.domain.capacity.fleet import Site
    from advisor.service.planning import machine_as_node

    for node in fleet.nodes:
        known = figures(node.machine)
        pools = memory_pools(node.machine, constraints.machine, known)
        here = machine_as_node(node.name, node.machine, known, nodes)
        yield Site(node.name, pools, threads_for(node.machine), here, _no_memory(node.machine, pools))


def _require_memory(fleet: Fleet) -> None:
    """Raises NoCandidateError where no machine of the fleet says how much memory it or a GPU of it has."""
    if any(node.machine.memory.capacity_bytes is not None or node.machine.gpus for node in fleet.nodes):
        return
    first = fleet.nodes[0]
    reason = first.machine.memory.total_bytes.reason or "not reported"
    hint = 'Write it into a fleet file, for example total = "64GiB" under [node.memory].'
    raise NoCandidateError("no machine of the fleet has memory figures", why=f"{first.name}: {reason}", hint=hint)


def _no_memory(machine: Machine, pools: tuple[Pool, ...]) -> str | None:
    if pools[0].budget_bytes:
        return None
    memory = machine.memory
    if memory.capacity_bytes is None:
        return f"its memory is unknown: {memory.total_bytes.reason or 'not reported'}"
    return f"all of its {format_bytes(memory.capacity_bytes)} of memory is kept free (machine.reserve_ram)"


def _candidates(found: Recommendation) -> list[tuple[Model, str]]:
    """Models in the order of rank, each with its best file type."""
    first: dict[str, tuple[Model, str]] = {}
    for candidate in found.ranked:
        first.setdefault(candidate.model.id, (candidate.model, candidate.quantization.name))
    return list(first.values())


def _by_size(fleet: Fleet, figures: Callable[[Machine], Figures], constraints: Constraints) -> list[FleetNode]:
    """Machines with most memory on GPUs first, then with most system memory, then by name."""

    def size(node: FleetNode) -> tuple[int, int, str]:
        ram, *gpus = memory_pools(node.machine, constraints.machine, figures(node.machine))
        return -sum(gpu.budget_bytes for gpu in gpus), -ram.budget_bytes, node.name

    return sorted(fleet.nodes, key=size)


def _different(nodes: Iterable[FleetNode]) -> Iterator[FleetNode]:
    """The first of machines that are alike: on the others the same models pass in the same order."""
    seen: set[Machine] = set()
    for node in nodes:
        if node.machine not in seen:
            seen.add(node.machine)
            yield node


def _for_one_user(constraints: Constraints) -> Constraints:
    """The constraints by which models are ranked for a fleet: many machines share the load, so what one of them carries
    decides nothing."""
    return replace(constraints, scale=replace(constraints.scale, users=1, concurrent_requests=None))
