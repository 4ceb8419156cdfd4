"""The stated fix, applied: each one really admits its model, or it says what stands in the way."""

from __future__ import annotations

import pytest

from advisor.domain.change import Setting
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation, Rejection
from advisor.domain.relaxing import Relaxation, rejection_of, relax, relaxation_lines, setting_text
from advisor.service import Advisor
from advisor.units import GIB
from tests.builders import RTX_4090, gpu, machine, questionnaire

ADVISOR = Advisor()
SMALL = machine(24 * GIB)
GPU = machine(64 * GIB, gpu(24 * GIB, name=RTX_4090.name))


def asked(here: Machine, settings: tuple[str, ...]) -> tuple[Recommendation, dict[str, Answer]]:
    answers = ADVISOR.answers(None, settings)
    return ADVISOR.recommend(here, ADVISOR.constraints(answers)), answers


def one_of_each(found: Recommendation) -> list[Rejection]:
    """A rejection for each combination of requirements that are missed."""
    return list({tuple(reason.code for reason in r.reasons): r for r in found.rejected}.values())


SITUATIONS = {
    "speed": (SMALL, ("latency.tokens_per_s=15", "latency.ttft_ms=none")),
    "wait": (SMALL, ("latency.ttft_ms=30000", "latency.tokens_per_s=none")),
    "context": (SMALL, ("task.context_tokens=120000",)),
    "languages": (SMALL, ('languages.required=["fr", "cs", "sw"]', "latency.tokens_per_s=2")),
    "licence": (GPU, ("use.mau_at_release=900000000", "use.revenue_usd_month=30000000", "use.eu_based=true")),
    "images": (GPU, ("task.kind=vision",)),
    "no processor": (SMALL, ("machine.allow_cpu=false",)),
    "several at once": (
        SMALL,
        ("latency.tokens_per_s=20", 'languages.required=["cs"]', "task.context_tokens=60000", "use.eu_based=true"),
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_each_rejection_names_admits_the_model_or_something_stands_in_the_way(name: str) -> None:
    found, answers = asked(*SITUATIONS[name])
    outcomes = []
    for rejection in one_of_each(found):
        done = ADVISOR.relax(rejection.model.id, found, answers)
        outcomes.append(done.is_admitted)
        if done.is_admitted:
            again = ADVISOR.recommend(
                found.machine,
                ADVISOR.constraints(done.answers),
                named=(rejection.model.id,) if done.names_model else (),
            )
            assert rejection_of(rejection.model.id, again) is None
            assert done.rank is not None
            assert done.settings or done.names_model
        else:
            assert all(reason.change is None for reason in done.obstacles)
            assert (done.answers, done.found) == (answers, found)
    assert any(outcomes)


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_settings_as_the_command_line_takes_them_are_the_same_answers(name: str) -> None:
    found, answers = asked(*SITUATIONS[name])
    for rejection in one_of_each(found):
        done = ADVISOR.relax(rejection.model.id, found, answers)
        typed = [setting_text(questionnaire(), s) for s in done.settings]
        assert ADVISOR.answers(None, (*SITUATIONS[name][1], *typed)) == done.answers


def test_one_requirement_missed_changes_that_answer_alone() -> None:
    found, answers = asked(*SITUATIONS["speed"])
    miss = next(r for r in found.rejected if {x.code for x in r.reasons} == {"decode_speed"})
    done = ADVISOR.relax(miss.model.id, found, answers)
    assert [s.key for s in done.settings] == ["latency.tokens_per_s"]
    assert done.settings[0].value == pytest.approx(float(str(miss.reasons[0].fix).split()[3]))


def test_a_model_without_a_shape_is_admitted_by_no_answer() -> None:
    found, answers = asked(SMALL, ())
    shapeless = next(r for r in found.rejected if any(x.code == "engine" for x in r.reasons))
    done = ADVISOR.relax(shapeless.model.id, found, answers)
    assert not done.is_admitted
    lines = relaxation_lines(done, questionnaire(), answers)
    assert lines[0].startswith(f"No answer admits {shapeless.model.name}: ")
    assert lines[-1] == "Nothing was changed."


def test_a_superseded_model_is_named_and_no_answer_changes() -> None:
    found, answers = asked(SMALL, ())
    older = next(r for r in found.rejected if r.reasons[0].code == "superseded")
    done = ADVISOR.relax(older.model.id, found, answers)
    assert done.names_model
    assert done.settings == ()
    assert done.found.named == (older.model.id,)


@pytest.mark.parametrize("model", ["llama-3.1-8b-instruct", "voxtral-mini-3b-2507", "llama-3.3-70b-instruct"])
def test_a_model_that_was_not_considered_is_named_and_passes_or_says_why_not(model: str) -> None:
    found, answers = asked(SMALL, ('preferences.families=["mistral"]',))
    assert rejection_of(model, found) is None
    done = ADVISOR.relax(model, found, answers)
    lines = relaxation_lines(done, questionnaire(), answers)
    if done.is_admitted:
        assert done.names_model
        assert done.found.named == (model,)
        assert done.rank is not None
        assert any(line.endswith("is considered because you named it") for line in lines)
    else:
        assert done.rank is None
        assert lines[0].startswith("No answer admits")
        assert {reason.code for reason in done.obstacles} == {"memory"}
    assert done.is_admitted is (model != "llama-3.3-70b-instruct")


def test_it_says_what_changed_from_what_and_what_came_of_it() -> None:
    found, answers = asked(machine(200 * GIB), ("use.revenue_usd_month=30000000",))
    capped = next(r for r in found.rejected if any("Revenue" in x.text for x in r.reasons))
    done = ADVISOR.relax(capped.model.id, found, answers)
    lines = relaxation_lines(done, questionnaire(), answers)
    assert "use.revenue_usd_month: 30000000 → 20000000" in lines
    assert any(f"{capped.model.name} passes now, at rank {done.rank} of" in line for line in lines)
    assert lines[-1] == "That changes what you said of your use: it holds only if it is true."


def test_where_one_change_calls_for_the_next_it_gives_up_at_last() -> None:
    found, answers = asked(*SITUATIONS["speed"])
    miss = next(r for r in found.rejected if {x.code for x in r.reasons} == {"decode_speed"})
    calls: list[Constraints] = []

    def never(constraints: Constraints, named: tuple[str, ...]) -> Recommendation:
        calls.append(constraints)
        return found

    done: Relaxation = relax(miss.model, found, answers, never)
    assert 1 < len(calls) < 10
    assert done.obstacles == miss.reasons
    assert done.settings == ()


def test_sizes_lists_and_nothing_are_written_for_set() -> None:
    known = questionnaire()
    assert setting_text(known, Setting("languages.required", ("fr", "de"))) == 'languages.required=["fr", "de"]'
    assert setting_text(known, Setting("latency.ttft_ms", None)) == "latency.ttft_ms=none"
    assert setting_text(known, Setting("machine.allow_cpu", True)) == "machine.allow_cpu=true"
