from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.domain.hardware import Machine, Reading
from advisor.domain.recommend import Recommendation
from advisor.domain.verification import PREMISES, Check, Status, Verification, verify
from advisor.export.recommendation_file import read_recommendation
from advisor.export.recommendation_schema import RecommendationFile
from advisor.export.verification import recorded_pick, verification_document
from advisor.units import GIB, format_bytes
from tests.export.support import MACHINES, advise, advisor, alone, gpu, machine, replay, text_of, write

IDS = ["catalogue", "machine", "gates", "rank", "footprint", "speed", "licence", "languages"]

Edited = Callable[..., RecommendationFile]


@pytest.fixture
def recorded(tmp_path: Path) -> Edited:
    """A recommendation written, changed by replacing text, and read back."""

    def record(
        on: Machine, settings: Sequence[str] = (), quantization: str | None = None, **changes: tuple[str, str]
    ) -> RecommendationFile:
        text = text_of(advise(on, settings, quantization=quantization))
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new, 1)
        return read_recommendation(write(tmp_path / "rec.toml", text))

    return record


def _verified(file: RecommendationFile, on: Machine | None = None) -> Verification:
    return verify(recorded_pick(file), replay(file, on), alone(file, on))


def _by_id(found: Verification) -> Mapping[str, Check]:
    return {check.id: check for check in found.checks}


def _statuses(found: Verification, but: Sequence[str] = ()) -> set[Status]:
    return {check.status for check in found.checks if check.id not in but}


@pytest.mark.parametrize("name", MACHINES)
def test_every_check_holds_where_nothing_changed(name: str, recorded: Edited) -> None:
    found = _verified(recorded(MACHINES[name]))
    assert [check.id for check in found.checks] == IDS
    assert found.status is Status.HOLDS
    assert _statuses(found) == {Status.HOLDS}


def test_a_check_that_holds_says_the_same_on_both_sides(recorded: Edited) -> None:
    for check in _verified(recorded(MACHINES["two H100"])).checks:
        assert check.recorded == check.current


def test_another_catalogue_is_told_but_the_recommendation_holds_by_its_outcome(recorded: Edited) -> None:
    file = recorded(MACHINES["processor"], digest=('sha256 = "', f'sha256 = "{"0" * 64}" # "'))
    found = _verified(file)
    check = _by_id(found)["catalogue"]
    assert check.status is Status.CHANGED
    assert check.recorded.endswith("sha256 000000000000")
    assert not check.current.endswith("sha256 000000000000")
    assert _statuses(found, but=["catalogue"]) == {Status.HOLDS}
    assert found.status is Status.HOLDS


def test_less_memory_excludes_the_pick_and_says_how_much_is_missing(recorded: Edited) -> None:
    file = recorded(MACHINES["RTX 4090"])
    found = _verified(file, machine(ram_gib=6))
    checks = _by_id(found)
    assert found.status is Status.FAILS
    assert checks["machine"].status is Status.CHANGED
    assert checks["machine"].recorded == "RAM 64.00 GiB, NVIDIA GeForce RTX 4090 24.00 GiB"
    assert checks["machine"].current == "RAM 6.00 GiB, no GPU"
    assert checks["gates"].status is Status.FAILS
    assert "memory: needs" in checks["gates"].current
    assert checks["rank"].status is Status.CHANGED
    assert "footprint" not in checks
    assert "speed" not in checks
    assert {checks["licence"].status, checks["languages"].status} == {Status.HOLDS}


def _just_enough(file: RecommendationFile, more: int) -> Machine:
    """A machine without GPU with memory for the pick and the reserve of the default answers, and some bytes more."""
    return _with_total(file.recommendation.footprint.total_bytes + 2 * GIB + more)


def test_a_file_type_that_no_longer_fits_is_told_though_others_of_the_model_do(recorded: Edited) -> None:
    file = recorded(MACHINES["processor"])
    pick = file.recommendation
    # A smaller micro-batch and a quantized cache would save a few hundred MiB.
    smaller = _just_enough(file, -GIB)
    now = replay(file, smaller)
    others = {c.quantization.name for c in now.candidates_of(pick.model)}
    assert others
    assert pick.quantization not in others
    told = _by_id(verify(recorded_pick(file), now, alone(file, smaller)))["gates"]
    assert told.status is Status.FAILS
    assert f"{pick.quantization}: memory: needs" in told.current
    untold = _by_id(verify(recorded_pick(file), now))["gates"]
    assert untold.status is Status.FAILS
    assert f"but not in {pick.quantization}" in untold.current


def test_an_edited_file_type_that_does_not_fit_fails(recorded: Edited) -> None:
    on = _just_enough(recorded(MACHINES["processor"]), 0)
    assert _by_id(_verified(recorded(MACHINES["processor"]), on))["gates"].status is Status.HOLDS
    found = _verified(recorded(MACHINES["processor"], edit=('quantization = "', 'quantization = "F32" # "')), on)
    assert found.status is Status.FAILS
    assert "F32: memory: needs" in _by_id(found)["gates"].current


def test_a_file_type_that_is_not_offered_is_judged_all_the_same(recorded: Edited) -> None:
    file = recorded(MACHINES["RTX 4090"], edit=('quantization = "', 'quantization = "Q4_1" # "'))
    assert not advisor().catalogue.quantizations["Q4_1"].offered
    checks = _by_id(_verified(file))
    assert checks["gates"].status is Status.HOLDS
    assert checks["rank"].status is Status.CHANGED
    assert checks["footprint"].status is Status.CHANGED


def test_more_users_than_the_licence_allows_fails(recorded: Edited) -> None:
    llama = ['preferences.families=["llama"]']
    assert _verified(recorded(MACHINES["RTX 4090"], llama)).status is Status.HOLDS
    users = ("mau_at_release = 1000000", "mau_at_release = 800000000")
    found = _verified(recorded(MACHINES["RTX 4090"], llama, mau=users))
    checks = _by_id(found)
    assert found.status is Status.FAILS
    assert checks["licence"].status is Status.FAILS
    assert checks["licence"].recorded.startswith("allowed with obligations: ")
    assert checks["licence"].current == "needs separate licence"
    assert checks["gates"].status is Status.FAILS
    assert "licence: needs separate licence" in checks["gates"].current


def test_new_duties_are_a_change(recorded: Edited) -> None:
    passed_on = ('redistribute = "none"', 'redistribute = "weights"')
    file = recorded(MACHINES["RTX 4090"], ['preferences.families=["llama"]'], use=passed_on)
    check = _by_id(_verified(file))["licence"]
    assert check.status is Status.CHANGED
    assert len(check.current) > len(check.recorded)


def test_a_change_in_rank_alone_is_no_failure_and_says_who_is_first_and_why(recorded: Edited) -> None:
    quality = [f"preferences.weights.{name}=0" for name in ("speed", "headroom", "ecosystem", "licence")]
    weights = {"one": ("\nquality = 5.0", "\nquality = 0.0"), "two": ("\nspeed = 0.0", "\nspeed = 1.0")}
    file = recorded(MACHINES["RTX 4090"], quality, **weights)
    found = _verified(file)
    assert found.status is Status.CHANGED
    assert _statuses(found, but=["rank"]) == {Status.HOLDS}
    check = _by_id(found)["rank"]
    first = replay(file).pick
    assert first is not None
    assert first.model.id != file.recommendation.model
    assert check.current.startswith(f"{first.id} ranks first with ")
    assert "mostly by speed" in check.current


def test_a_pick_that_no_longer_carries_the_load_says_so_and_not_by_which_criterion(recorded: Edited) -> None:
    file = recorded(MACHINES["RTX 4090"], ["scale.users=300"])
    now = replay(file)
    assert now.pick is not None
    assert not now.pick.falls_short
    short = max((c for c in now.ranked if c.falls_short), key=lambda c: c.score.total)
    other = replace(recorded_pick(file), model=short.model.id, quantization=short.quantization.name)
    text = _by_id(verify(other, now))["rank"].current
    assert text.startswith(f"{now.pick.id} ranks first and carries the load; {short.id} carries ")
    assert "mostly by" not in text


def test_buffers_are_told_apart_so_that_bytes_that_move_between_them_are_seen(recorded: Edited) -> None:
    """Their sum stays the same."""
    ram = recorded(MACHINES["processor"]).recommendation.footprint.devices[0]
    compute, output = ram.compute_bytes, ram.output_bytes
    buffers = "compute_bytes = {}\noutput_bytes = {} #"
    old = buffers.format(f"{compute} # {format_bytes(compute)}", output)
    new = buffers.format(compute - 1000, output + 1000)
    check = _by_id(_verified(recorded(MACHINES["processor"], moved=(old, new))))["footprint"]
    assert check.status is Status.CHANGED
    assert check.recorded != check.current
    assert f"{compute - 1000:,} B compute buffer, {output + 1000:,} B output buffer" in check.recorded


def test_another_number_of_bytes_is_a_change_of_the_footprint(recorded: Edited) -> None:
    weights = [d.weights_bytes for d in recorded(MACHINES["processor"]).recommendation.footprint.devices]
    head = '[[recommendation.footprint.devices]]\n# Bytes on one device.\nname = "RAM"\nweights_bytes = '
    file = recorded(MACHINES["processor"], device=(f"{head}{weights[0]}", f"{head}{weights[0] + 1}"))
    found = _verified(file)
    assert found.status is Status.CHANGED
    assert _statuses(found, but=["footprint"]) == {Status.HOLDS}
    check = _by_id(found)["footprint"]
    assert f"{weights[0] + 1:,} B weights" in check.recorded
    assert f"{weights[0]:,} B weights" in check.current


@pytest.mark.parametrize(("low", "high"), [("1000.0", "2000.0"), ("0.001", "0.002")])
def test_a_speed_outside_the_recorded_interval_is_a_change(low: str, high: str, recorded: Edited) -> None:
    interval = {"low": ("\nlow = ", f"\nlow = {low} # "), "high": ("\nhigh = ", f"\nhigh = {high} # ")}
    found = _verified(recorded(MACHINES["RTX 4090"], **interval))
    assert found.status is Status.CHANGED
    assert _statuses(found, but=["speed"]) == {Status.HOLDS}
    assert "tok/s estimated" in _by_id(found)["speed"].current


def test_a_language_that_the_card_does_not_claim_fails(recorded: Edited) -> None:
    found = _verified(recorded(MACHINES["RTX 4090"], needs=('required = ["en"]', 'required = ["en", "tlh"]')))
    checks = _by_id(found)
    assert checks["languages"].status is Status.FAILS
    assert checks["languages"].recorded == "en supported"
    assert checks["languages"].current.startswith("en supported, tlh ")
    assert checks["gates"].status is Status.FAILS
    assert found.status is Status.FAILS


def test_a_model_that_left_the_catalogue_fails(recorded: Edited) -> None:
    file = recorded(MACHINES["processor"])
    record = replace(recorded_pick(file), model="mistral-8-1t")
    checks = _by_id(verify(record, replay(file)))
    assert checks["gates"].status is Status.FAILS
    assert checks["gates"].current == "excluded: it was not considered"
    assert "licence" not in checks


def test_nothing_left_that_passes_is_said(recorded: Edited) -> None:
    found = _verified(recorded(MACHINES["processor"]), machine(ram_gib=2))
    assert _by_id(found)["rank"].current == "nothing passes, so nothing ranks first"
    assert found.status is Status.FAILS


def _with_total(total: int) -> Machine:
    base = MACHINES["processor"]
    return replace(base, memory=replace(base.memory, total_bytes=Reading(total, "psutil")))


@pytest.mark.parametrize(
    ("on", "status"),
    [
        (_with_total(24 * GIB - 40 * 2**20), Status.HOLDS),  # another kernel
        (_with_total(25 * GIB), Status.CHANGED),
        (machine(gpu(0, "NVIDIA GeForce RTX 4090", 24)), Status.CHANGED),
    ],
)
def test_the_machine_is_the_same_while_memory_and_gpus_are(on: Machine, status: Status, recorded: Edited) -> None:
    assert _by_id(_verified(recorded(MACHINES["processor"]), on))["machine"].status is status


def test_gpus_that_the_engine_cannot_use_any_more_are_another_machine(recorded: Edited) -> None:
    base = MACHINES["RTX 4090"]
    rebuilt = replace(base, engine=replace(base.engine, gpu_offload=Reading(False, "llama_supports_gpu_offload")))
    check = _by_id(_verified(recorded(base), rebuilt))["machine"]
    assert check.status is Status.CHANGED
    assert check.current.endswith("(not usable by llama.cpp)")


def test_free_memory_may_wobble(recorded: Edited) -> None:
    base = MACHINES["RTX 4090"]
    busy = replace(
        base,
        memory=replace(base.memory, available_bytes=Reading(GIB, "psutil")),
        gpus=tuple(replace(g, free_bytes=Reading(GIB, "NVML")) for g in base.gpus),
    )
    found = _verified(recorded(base), busy)
    assert _statuses(found) == {Status.HOLDS}


def test_a_restricted_request_is_replayed_with_its_restriction(recorded: Edited) -> None:
    found = _verified(recorded(MACHINES["RTX 4090"], quantization="Q3_K_M"))
    assert _statuses(found) == {Status.HOLDS}


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ({}, Status.HOLDS),
        ({"catalogue": Status.CHANGED, "machine": Status.CHANGED}, Status.HOLDS),
        ({"rank": Status.CHANGED}, Status.CHANGED),
        ({"rank": Status.CHANGED, "gates": Status.FAILS}, Status.FAILS),
        ({"catalogue": Status.CHANGED, "speed": Status.CHANGED}, Status.CHANGED),
    ],
)
def test_the_whole_is_the_worst_of_the_outcome(statuses: Mapping[str, Status], whole: Status) -> None:
    checks = tuple(Check(i, statuses.get(i, Status.HOLDS), "a", "b") for i in IDS)
    assert set(PREMISES) < set(IDS)
    assert Verification(checks).status is whole


def test_the_document_carries_every_check(recorded: Edited) -> None:
    file = recorded(MACHINES["processor"])
    now: Recommendation = replay(file)
    found = verify(recorded_pick(file), now)
    document = verification_document(found)
    assert document["status"] == "holds"
    assert [check["id"] for check in document["checks"]] == IDS
    assert set(document["checks"][0]) == {"id", "status", "recorded", "current"}
