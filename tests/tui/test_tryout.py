"""Numbers of GPUs that are tried in What if."""

from __future__ import annotations

import pytest

from advisor.domain.hardware import GpuSpec
from advisor.domain.hardware_options import Hardware
from advisor.errors import InputError
from advisor.service import Advisor
from advisor.tui.tryout import with_count

SPECS = {spec.name: spec for spec in Advisor().gpu_specs}
OWN, OTHER = SPECS["RTX 3090"], SPECS["RTX 4090"]
RAM = 64 << 30


@pytest.mark.parametrize(
    ("hardware", "count", "own", "meant"),
    [
        (Hardware(ram_bytes=RAM), None, (OWN,), Hardware(ram_bytes=RAM)),
        (Hardware(ram_bytes=RAM), 3, (OWN, OWN), Hardware(OWN, 3, RAM)),
        (Hardware(), 2, (OWN, OWN), Hardware()),
        (Hardware(OTHER, 1, RAM), 3, (OWN,), Hardware(OTHER, 3, RAM)),
        (Hardware(OWN, 3, RAM), None, (OWN, OWN), Hardware(ram_bytes=RAM)),
        (Hardware(None, 0), None, (OWN,), Hardware(None, 0)),
    ],
)
def test_a_number_is_of_the_chosen_gpus_or_of_the_machines_own(
    hardware: Hardware, count: int | None, own: tuple[GpuSpec | None, ...], meant: Hardware
) -> None:
    assert with_count(hardware, count, own) == meant


@pytest.mark.parametrize("own", [(), (None,), (OWN, OTHER), (OWN, None)])
def test_a_number_of_no_known_gpu_is_refused(own: tuple[GpuSpec | None, ...]) -> None:
    with pytest.raises(InputError, match="which GPU"):
        with_count(Hardware(), 2, own)


def test_without_gpus_a_number_is_refused() -> None:
    with pytest.raises(InputError, match="which GPU"):
        with_count(Hardware(None, 0), 2, (OWN,))


@pytest.mark.parametrize("own", [(), (OWN,), (OTHER, OWN)])
def test_a_gpu_that_the_machine_has_not_needs_a_number(own: tuple[GpuSpec | None, ...]) -> None:
    with pytest.raises(InputError, match="how many"):
        with_count(Hardware(OTHER, 2), None, own)
