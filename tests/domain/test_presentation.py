"""Explanations: every figure with its basis, bars of the right length, nothing unknown shown as zero."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.basis import Basis
from advisor.domain.choice import with_choice
from advisor.domain.close_calls import Verdict, compare
from advisor.domain.footprint import DeviceFootprint
from advisor.domain.languages import LanguageFinding, Support
from advisor.domain.placement import Pool
from advisor.domain.presentation import (
    BAR_PARTS,
    Paragraph,
    explanation,
    grounds,
    language_marks,
    memory_bar,
    nothing_passes,
    rejection_paragraphs,
    remaining_text,
    share_bar,
    smoke_paragraphs,
    smoke_stage,
)
from advisor.domain.quality_words import ALTERNATIVES, close_calls, quality_lines
from advisor.domain.recommend import Recommendation, recommend
from advisor.domain.sensitivity_words import nearest_text, rival_lines
from advisor.domain.smoke import SmokeExpectation, SmokeMeasurement, judge
from advisor.service import Advisor
from advisor.units import GIB
from tests.builders import constraints, figures, gpu, machine

ADVISOR = Advisor()


def found_on(ram: int = 24 * GIB, *, with_gpu: bool = False, **answers: object) -> Recommendation:
    """A recommendation from the real catalogue."""
    here = machine(ram, gpu(24 * GIB)) if with_gpu else machine(ram)
    return recommend(here, constraints(**answers), ADVISOR.catalogue, figures(here))


def text_of(paragraphs: tuple[Paragraph, ...]) -> str:
    return "\n".join(line for p in paragraphs for line in (p.title, *p.lines))


sizes = st.integers(min_value=0, max_value=500 * GIB)


@given(weights=sizes, kv=sizes, compute=sizes, budget=sizes, width=st.integers(min_value=8, max_value=120))
def test_a_memory_bar_has_its_length_and_shows_whatever_is_there(
    weights: int, kv: int, compute: int, budget: int, width: int
) -> None:
    device = DeviceFootprint("RAM", weights, kv, compute, 0)
    pool = Pool("RAM", "ram", budget, None, None, None, "cpu")
    bar = memory_bar(device, pool, width)
    assert len(bar) == width or not (weights or kv or compute or budget)
    signs = [sign for _, sign in BAR_PARTS]
    assert [s for s, n in zip(signs, (weights, kv, compute), strict=False) if n and s not in bar] == []
    assert "".join(sorted(bar, key=signs.index)) == bar


@given(share=st.floats(min_value=-1, max_value=2), width=st.integers(min_value=1, max_value=40))
def test_a_share_bar_has_its_length(share: float, width: int) -> None:
    assert len(share_bar(share, width)) == width


@pytest.mark.parametrize("with_gpu", [False, True])
def test_an_explanation_adds_up_and_names_every_basis(with_gpu: bool) -> None:
    found = found_on(with_gpu=with_gpu)
    for candidate in found.ranked:
        shown = text_of(explanation(candidate, found, width=40))
        parts = [float(line.rpartition("= ")[2]) for line in shown.splitlines() if " × 0." in line]
        assert sum(parts) == pytest.approx(candidate.score.total, abs=0.003)
        assert f"Score {candidate.score.total:.3f}" in shown
        assert f"basis: {candidate.fit.footprint.basis.value}" in shown
        assert candidate.speed is not None
        assert f"basis: {candidate.speed.basis.value} - " in shown
        for duty in candidate.licence.obligations:
            assert duty.text in shown
            assert duty.exact is None or duty.exact in shown


def test_the_pick_is_told_how_firm_it_is_and_the_others_what_would_put_them_first() -> None:
    found = found_on()
    firm = found.sensitivity
    assert firm is not None
    titles = {c.id: [p.title for p in explanation(c, found, width=40)] for c in found.ranked}
    for candidate in found.ranked:
        is_pick = candidate.model.id == firm.model
        assert ("How firm the first place is" in titles[candidate.id]) == is_pick
        assert ("What would put it first" in titles[candidate.id]) != is_pick
    leading = firm.nearest
    assert leading is not None
    rival = next(c for c in found.ranked if c.model.id == leading.rival.model)
    assert f"{rival.model.id} {rival_lines(firm, rival.model.id)[1]}" == nearest_text(firm)
    last = text_of(explanation(found.ranked[-1], found, width=40))
    assert "first in none of 1,000 reweightings" in last


def test_a_candidate_that_nothing_beats_is_said_to_be_so() -> None:
    found = found_on()
    for candidate in found.ranked:
        shown = text_of(explanation(candidate, found, width=40))
        assert ("nothing beats it in quality, speed or memory" in shown) == (candidate.id in found.pareto)


def test_an_explanation_says_how_good_it_is_on_what_grounds_and_against_whom() -> None:
    found = found_on()
    for candidate in found.ranked:
        shown = text_of(explanation(candidate, found, width=40))
        rating = candidate.rating
        assert f"{rating.score:.2f} expected on a typical chat benchmark" in shown
        assert f"{rating.low:.2f} to {rating.high:.2f}" in shown
        assert rating.basis_text in shown
    names = {c.id: c.model.name for c in found.ranked}
    lines = text_of(explanation(found.ranked[0], found, width=40)).splitlines()
    close = [line for line in lines if line.startswith("too close to call: ")]
    assert len(close) == bool(close_calls(found, found.ranked[0]))
    assert all(names[candidate_id] in close[0] for candidate_id in close_calls(found, found.ranked[0]))


def test_a_loss_of_less_than_a_tenth_of_a_point_is_not_called_none() -> None:
    found = found_on(64 * GIB)
    said = {c.quantization.name: quality_lines(found, c)[1] for c in found.quantizations}
    assert said["Q8_0"].startswith("Q8_0 loses less than 0.1 points of 100")
    assert said["Q4_K_M"].startswith("Q4_K_M loses at most 0.")


def test_close_calls_are_alternatives_whose_quality_overlaps_the_picks() -> None:
    found = found_on()
    pick = found.ranked[0]
    close = close_calls(found, pick)
    assert set(close) <= {c.id for c in found.ranked[1 : 1 + ALTERNATIVES]}
    for other in found.ranked[1 : 1 + ALTERNATIVES]:
        is_close = compare(pick.rating, other.rating) is Verdict.TOO_CLOSE
        assert (other.id in close) is is_close
        # Neither is sure to be better, so neither interval lies wholly above the other.
        assert not is_close or (pick.rating.low < other.rating.high and other.rating.low < pick.rating.high)


def test_a_device_that_holds_nothing_is_not_drawn() -> None:
    found = found_on(with_gpu=True)
    on_gpu = next(c for c in found.ranked if c.fit.footprint.devices[1].total_bytes)
    assert "GPU0: " in text_of(explanation(on_gpu, found, width=40))
    cpu_only = found_on()
    assert (
        "GPU" not in text_of(explanation(cpu_only.ranked[0], cpu_only, width=40)).split("Memory")[1].split("Speed")[0]
    )


def test_an_unknown_speed_is_said_to_be_unknown() -> None:
    found = found_on()
    unknown = replace(found.ranked[0], speed=None)
    assert "unknown - no memory bandwidth" in text_of(explanation(unknown, found, width=40))
    assert "speed unknown" in grounds(found.machine, unknown)


def test_a_rejection_says_why_and_what_would_admit_it() -> None:
    found = found_on(8 * GIB)
    for rejection in found.rejected:
        shown = text_of(rejection_paragraphs(rejection))
        for reason in rejection.reasons:
            assert reason.text in shown
            assert reason.fix is None or reason.fix in shown


def test_where_nothing_passes_every_requirement_is_counted_and_three_misses_are_named() -> None:
    found = found_on(2 * GIB + 1)
    assert found.pick is None
    first, *misses = nothing_passes(found)
    codes = {reason.code for rejection in found.rejected for reason in rejection.reasons}
    assert len(first.lines) == len(codes)
    assert len(misses) == 3
    assert remaining_text(found) == f"0 of {len(found.rejected)} models remain"


def test_languages_are_grouped_by_what_the_card_says() -> None:
    finding = LanguageFinding(
        {"en": Support.SUPPORTED, "fr": Support.SUPPORTED}, {"de": Support.NOT_CLAIMED, "sw": Support.UNKNOWN}
    )
    assert set(language_marks(finding).split()) == {"✓", "en", "fr", "✗", "de", "?", "sw"}
    assert language_marks(LanguageFinding({}, {})) == "none asked"


def test_grounds_mark_a_simulated_machine() -> None:
    here = machine()
    assert grounds(here, None).startswith("this machine")
    assert grounds(replace(here, simulated=True), None).startswith("SIM")


def test_a_choice_takes_the_first_place_and_gets_its_own_plan() -> None:
    found = found_on(scale__users=50)
    chosen = found.ranked[2]
    changed = with_choice(found, chosen)
    assert changed.pick == chosen
    assert [c.id for c in changed.ranked[1:]] == [c.id for c in found.ranked if c.id != chosen.id]
    assert found.plan is not None
    assert changed.plan is not None
    assert changed.plan != found.plan
    assert changed.plan.load == found.load
    assert with_choice(changed, found.ranked[0]).plan == found.plan


def test_the_first_in_rank_as_choice_changes_nothing() -> None:
    found = found_on()
    assert with_choice(found, found.ranked[0]) is found


def test_a_smoke_report_puts_measurement_beside_prediction_and_claims_no_quality() -> None:
    candidate = found_on().ranked[0]
    measured = SmokeMeasurement(True, 2, 32, None, full_decode_tokens_per_s=7.5, peak_bytes=GIB)
    verdict = judge(measured, SmokeExpectation(min_decode_tokens_per_s=5.0))
    shown = text_of(smoke_paragraphs(candidate, measured, verdict))
    assert shown.startswith("✓ passed")
    assert "7.5 tok/s" in shown
    assert "measured speeds are extrapolated from slices of up to 2 layers" in shown
    assert "not a quality check" in shown
    one = text_of(smoke_paragraphs(candidate, replace(measured, layers_run=1), verdict))
    assert "slices of up to 1 layer" in one
    assert "1 layers" not in one
    real = replace(measured, synthetic=False, layers_run=32)
    assert "not a quality check" not in text_of(smoke_paragraphs(candidate, real, verdict))


def test_a_stage_says_what_happens_and_for_how_long() -> None:
    assert smoke_stage("load", 0.5, 0, 3.2) == "loading … 3 s"
    assert smoke_stage("load", 1.0, 0, 3.2) == "reading a prompt … 3 s"
    assert smoke_stage("tokens", None, 7, 61.0) == "writing, 7 so far … 61 s"


def test_every_basis_has_words() -> None:
    from advisor.domain.presentation import BASIS_WORDS

    assert set(BASIS_WORDS) == set(Basis)
