"""What can be tried in What if: other hardware, and a few of the questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.hardware_options import Hardware
from advisor.domain.questions import Answer, Question
from advisor.errors import InputError
from advisor.units import GIB, TIB

COUNT = Question("gpu.count", "integer", "Number of GPUs", "", None, {}, 1, 64, None, True, False)
RAM = Question("ram", "size", "System memory", "", None, {}, GIB, 64 * TIB, None, True, False)
NEEDS = ("task.context_tokens", "scale.users", "latency.tokens_per_s", "latency.ttft_ms")
"""Questions that can be tried here; all others are in Needs."""


@dataclass(frozen=True, slots=True)
class Tryout:
    """What is tried."""

    hardware: Hardware
    answers: dict[str, Answer]
    """One for each question of the questionnaire."""
    named: tuple[str, ...] = ()
    """Ids of models that are considered because hardware was taken for them, whatever is newer."""

    @property
    def changes_hardware(self) -> bool:
        return self.hardware != Hardware()


@dataclass(frozen=True, slots=True)
class Applied:
    """What the user wants to go on with, on its machine; `tryout` None goes back to this machine."""

    tryout: Tryout | None
    machine: Machine | None


def count_of(hardware: Hardware) -> int | None:
    """The number of GPUs as the form shows it; None where they are the machine's own or there are none."""
    return None if hardware.gpu is None else hardware.count


def with_count(hardware: Hardware, count: int | None, own: Sequence[GpuSpec | None]) -> Hardware:
    """Hardware with another number of GPUs; None for as many as the machine has.

    `own` is what the hardware catalogue knows of the machine's own GPUs, which another number is taken of where no
    other GPU is chosen. Raises InputError where it cannot be told of which GPU, or how many.
    """
    if count is None:
        if hardware.gpu is None:
            return hardware
        if not own or any(other != hardware.gpu for other in own):
            raise InputError("how many GPUs", why=f"expected {COUNT.domain_text}")
        return replace(hardware, gpu=None, count=1)
    if hardware.gpu is not None:
        return replace(hardware, count=count)
    spec = own[0] if own and hardware.count else None
    if spec is None or any(other != spec for other in own):
        raise InputError("which GPU is meant", why="of which GPU? Choose one above")
    return hardware if count == len(own) else replace(hardware, gpu=spec, count=count)
