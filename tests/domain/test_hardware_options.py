"""The hardware that is named admits the model, and what is smaller does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.candidate import Candidate
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.hardware_options import RAM_STEPS, Hardware, HardwareAnswer, hardware_options
from advisor.domain.hardware_words import hardware_document, hardware_paragraph, option_rows
from advisor.service import Advisor, MachineChoice
from advisor.units import GIB
from tests.builders import RTX_4090, constraints

ADVISOR = Advisor()
HERE = ADVISOR.machine(MachineChoice(gpu="none", ram_bytes=16 * GIB))
LARGE, MIXTURE = "llama-3.3-70b-instruct", "mixtral-8x7b-instruct-v0.1"


def passes(model: str, machine: Machine, needs: Constraints) -> bool:
    found = ADVISOR.recommend(machine, needs, named=[model])
    return any(c.model.id == model for c in found.ranked)


def asked(model: str, needs: Constraints) -> HardwareAnswer:
    return ADVISOR.hardware_for(model, HERE, needs)


@pytest.mark.parametrize(("model", "speed"), [(LARGE, 5.0), (LARGE, 30.0), (MIXTURE, 5.0)])
def test_the_whole_pipeline_admits_the_model_on_every_hardware_named(model: str, speed: float) -> None:
    needs = constraints(latency__tokens_per_s=speed)
    found = asked(model, needs)
    assert found.options
    for option in found.options:
        assert passes(model, ADVISOR.with_hardware(HERE, option.hardware), needs), option.hardware.text


@pytest.mark.parametrize(("model", "speed"), [(LARGE, 5.0), (MIXTURE, 5.0)])
def test_no_single_gpu_of_less_memory_than_the_first_one_named_admits_it(model: str, speed: float) -> None:
    needs = constraints(latency__tokens_per_s=speed)
    first = next(o.hardware.gpu for o in asked(model, needs).options if o.hardware.gpu and o.hardware.count == 1)
    assert first is not None
    smaller = [g for g in ADVISOR.gpu_specs if g.memory_bytes < first.memory_bytes and not g.unified_memory]
    by_memory = {size: max((g for g in smaller if g.memory_bytes == size), key=lambda g: g.bandwidth_bytes_per_s)
                 for size in {g.memory_bytes for g in smaller}}  # fmt: skip
    for gpu in by_memory.values():
        assert not passes(model, ADVISOR.with_hardware(HERE, Hardware(gpu)), needs), gpu.name


def test_the_system_memory_named_is_the_smallest_step_that_admits_it() -> None:
    needs = constraints()
    ram = next(o.hardware.ram_bytes for o in asked(MIXTURE, needs).options if o.hardware.gpu is None)
    assert ram is not None
    below = max(n for n in RAM_STEPS if n < ram)
    assert passes(MIXTURE, ADVISOR.with_hardware(HERE, Hardware(ram_bytes=ram)), needs)
    assert not passes(MIXTURE, ADVISOR.with_hardware(HERE, Hardware(ram_bytes=below)), needs)


def test_far_fewer_machines_are_judged_than_the_catalogue_has() -> None:
    found = asked(LARGE, constraints())
    assert found.n_judged < len(ADVISOR.gpu_specs) / 2


def test_what_no_hardware_removes_is_said_in_its_place() -> None:
    found = asked("codestral-22b-v0.1", constraints())
    assert {reason.code for reason in found.obstacles} >= {"licence"}
    assert not found.options
    assert not found.is_possible
    assert found.n_judged == 1
    assert "no hardware removes this" in hardware_paragraph(found).lines[0]


def test_a_model_that_passes_here_needs_nothing() -> None:
    found = asked("ministral-3-3b-instruct", constraints())
    assert found.here is not None
    assert found.is_possible
    assert option_rows(found)[0][0] == "this machine as it is"


def test_where_nothing_does_nothing_is_named() -> None:
    found = asked(LARGE, constraints(latency__tokens_per_s=5000.0))
    assert (found.options, found.is_possible) == ((), False)
    assert "not even eight GPUs" in hardware_paragraph(found).lines[0]


def test_the_flags_in_a_row_and_in_the_document_simulate_the_same_hardware() -> None:
    needs = constraints()
    found = asked(MIXTURE, needs)
    for row in hardware_document(found)["options"]:
        choice = MachineChoice(
            gpu=row["arguments"]["gpu"] or "none",
            ram_bytes=int(row["arguments"]["ram"].removesuffix("GiB")) * GIB if row["arguments"]["ram"] else 16 * GIB,
        )
        assert passes(MIXTURE, ADVISOR.machine(choice), needs), row
        assert (row["gpu"] is None) == (row["gpu_count"] is None), "the machine keeps its own"


def test_four_and_eight_of_a_kind_are_tried_only_where_two_do_not() -> None:
    tried: list[Hardware] = []

    def judge(hardware: Hardware) -> Candidate | None:
        tried.append(hardware)
        return None

    assert list(hardware_options([RTX_4090, replace(RTX_4090, name="slow")], 16 * GIB, judge)) == []
    assert {h.count for h in tried if h.gpu} == {1, 2, 4, 8}
