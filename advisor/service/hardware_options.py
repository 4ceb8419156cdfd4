"""The facade's view of machines that are not here: simulated from a snapshot, and searched for one that would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from advisor.domain.gates import PLACEMENT_CODES
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.judging import judge_model, setting_for
from advisor.domain.pools import Figures
from advisor.domain.scoring import rank_key
from advisor.domain.serving import expected_load
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.service.core import Core

if TYPE_CHECKING:
    from advisor.domain.candidate import Candidate, Rejection
    from advisor.domain.constraints import Constraints
    from advisor.domain.hardware_options import Hardware, HardwareAnswer


class HardwareOptions(Core):
    """The part of the facade that simulates hardware."""

    def with_hardware(self, base: Machine, hardware: Hardware) -> Machine:
        """A snapshot with other GPUs, other system memory or both; simulated from then on."""
        from advisor.probe.simulate import simulated_machine

        return simulated_machine(base, gpus=_gpus(hardware), ram_bytes=hardware.ram_bytes)

    def hardware_for(
        self,
        name: str,
        machine: Machine,
        constraints: Constraints,
        *,
        quantization: str | None = None,
        timings: Timings = NO_TIMINGS,
        before_each: Callable[[], None] | None = None,
    ) -> HardwareAnswer:
        """What hardware would make a model possible, judged like a recommendation; takes about a second.

        `timings` is what was measured on the machine itself; for other hardware it says nothing.

        `before_each` is called before each machine and may raise to stop. Raises InputError for an unknown model.
        """
        from advisor.domain.hardware_options import HardwareAnswer, hardware_options

        model, load = self.model(name), expected_load(constraints)
        cpu, n_judged = self.figures(machine).cpu, 0

        def judged(
            elsewhere: Machine, gpus: tuple[GpuSpec | None, ...], timed: Timings = NO_TIMINGS
        ) -> list[Candidate] | Rejection:
            nonlocal n_judged
            n_judged += 1
            if before_each is not None:
                before_each()
            figures = Figures(cpu=cpu, gpus=gpus)
            setting = setting_for(elsewhere, constraints, self.catalogue, figures, load, quantization, timed)
            return judge_model(model, self.catalogue, setting)

        def judge(hardware: Hardware) -> Candidate | None:
            gpus = _gpus(hardware)
            specs = self.figures(machine).gpus if gpus is None else [spec for spec, n in gpus for _ in range(n)]
            return _best(judged(self.with_hardware(machine, hardware), tuple(specs)))

        here = judged(machine, self.figures(machine).gpus, timings)
        codes = set() if isinstance(here, list) else {reason.code for reason in here.reasons}
        if isinstance(here, list) or not codes <= PLACEMENT_CODES:
            obstacles = () if isinstance(here, list) else here.reasons
            return HardwareAnswer(model, _best(here), obstacles, (), n_judged)
        options = tuple(hardware_options(self.gpu_specs, machine.memory.capacity_bytes, judge))
        return HardwareAnswer(model, None, (), options, n_judged)


def _gpus(hardware: Hardware) -> list[tuple[GpuSpec, int]] | None:
    """GPUs with their number in the place of the machine's own; None keeps these."""
    if hardware.gpu is None:
        return None if hardware.count else []
    return [(hardware.gpu, hardware.count)]


def _best(outcome: list[Candidate] | Rejection) -> Candidate | None:
    if not isinstance(outcome, list):
        return None
    return min(outcome, key=lambda c: rank_key(c.score.total, c.id), default=None)
