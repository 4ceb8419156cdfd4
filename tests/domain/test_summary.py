"""The first lines about a candidate, and the groups of the excluded."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.candidate import Rejection
from advisor.domain.change import setting
from advisor.domain.choice import with_choice
from advisor.domain.excluded_groups import excluded_groups, excluded_lines
from advisor.domain.gates import Reason
from advisor.domain.presentation import exclusion_paragraphs
from advisor.domain.recommend import Recommendation
from advisor.domain.summary import CARE, GOOD, UNKNOWN, fit_mark, speed_mark, summary_lines
from advisor.units import GIB
from tests.builders import constraints, model
from tests.tui.pinned import APACHE, RANKED, recommendation

ASKED = constraints()
FIVE = replace(ASKED.latency, tokens_per_s=5.0)


def test_the_speed_mark_is_good_only_where_the_whole_interval_meets_what_is_asked() -> None:
    speed = RANKED[0].speed
    assert speed is not None
    assert speed_mark(replace(speed, low=5.0), FIVE) == GOOD
    assert speed_mark(replace(speed, low=4.9), FIVE) == CARE
    assert speed_mark(speed, replace(FIVE, tokens_per_s=None)) == ""
    assert speed_mark(None, FIVE) == UNKNOWN


def test_a_fit_is_tight_where_little_stays_free_or_memory_must_be_freed_first() -> None:
    first = RANKED[0]
    assert fit_mark(first) == GOOD
    need = first.fit.footprint.total_bytes
    pool = first.fit.pools[0]
    for tight, words in (
        (replace(pool, budget_bytes=int(need * 1.05)), "only 5% stays free"),
        (replace(pool, free_bytes=need - GIB), "1.00 GiB must be freed first"),
    ):
        squeezed = replace(first, fit=replace(first.fit, pools=(tight,)))
        assert fit_mark(squeezed) == CARE
        assert words in summary_lines(squeezed, recommendation(ASKED))[1]


def test_a_near_neighbour_is_called_level_and_a_far_one_by_what_makes_the_difference() -> None:
    first, other = RANKED[0], RANKED[1].model
    found = recommendation(ASKED)

    def behind(gap: float, criterion: str | None = None) -> Recommendation:
        """The first beside another that is worse by a value in one criterion, or in all."""
        terms = tuple(
            replace(t, value=t.value - gap) if criterion in (None, t.criterion) else t for t in first.score.terms
        )
        return replace(found, ranked=(first, replace(first, model=other, score=replace(first.score, terms=terms))))

    assert f"{other.name} is nearly level (0.010 apart)" in summary_lines(first, behind(0.01))[0]
    assert "(less than 0.001 apart)" in summary_lines(first, behind(0.0))[0]
    assert f"{other.name} is 0.100 behind, most of it by speed" in summary_lines(first, behind(0.5, "speed"))[0]
    assert summary_lines(first, replace(found, ranked=(first,)))[0].endswith("no other model passes")


def test_a_choice_of_the_user_is_told_which_model_is_ahead_and_by_what() -> None:
    first, found = RANKED[0], recommendation(ASKED)
    terms = tuple(replace(t, value=t.value - (0.5 if t.criterion == "speed" else 0.0)) for t in first.score.terms)
    slower = replace(first, model=RANKED[1].model, score=replace(first.score, terms=terms))
    chosen = with_choice(replace(found, ranked=(first, slower)), slower)
    assert f"{first.model.name} is 0.100 ahead, most of it by speed" in summary_lines(slower, chosen)[0]


def test_every_exclusion_stands_once_under_its_first_requirement_and_the_largest_group_leads() -> None:
    speed = Reason("decode_speed", "speed: 3 tok/s", "set it", 0.4, setting("latency.tokens_per_s", 3.0))
    memory = Reason("memory", "memory: too large", "more", 0.1)
    rejected = (
        Rejection(model("a"), "Q4_0", (speed,), APACHE),
        Rejection(model("b"), "Q4_0", (speed, memory), APACHE),
        Rejection(model("c"), "Q4_0", (memory,), APACHE),
    )
    groups = excluded_groups(rejected)
    assert [(g.code, [r.model.id for r in g.rejections], g.n_alone) for g in groups] == [
        ("decode_speed", ["a", "b"], 1),
        ("memory", ["c"], 1),
    ]
    assert [r.is_liftable for r in rejected] == [True, False, False]


def test_one_excluded_model_is_and_several_are() -> None:
    memory = Reason("memory", "memory: too large", "more", 0.1)
    one, two = (Rejection(model(name), "Q4_0", (memory,), APACHE) for name in ("a", "b"))
    assert excluded_lines((one,))[0] == "1 is excluded (x): memory 1"
    assert excluded_lines((one, two))[0] == "2 are excluded (x): memory 2"
    (group,) = excluded_groups((one,))
    about = exclusion_paragraphs(group)[0].lines
    assert about[:2] == ("1 of 1 misses nothing else", "Their speed is not judged: there is no room to run them in.")
