"""The ranking, what explains it, and what was left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.coordinate import Coordinate
from textual.widgets import Input

from advisor.domain.sensitivity_words import firmness_lines
from advisor.tui.app import AdvisorApp
from advisor.tui.widgets.pick_rows import GROUP, PICK_COLUMNS, pick_cells
from advisor.tui.widgets.ranking import Ranking, fitting
from tests.builders import constraints
from tests.tui.driving import at_rest, place_of, press, started, text_of, until
from tests.tui.pinned import RANKED, REJECTED, HereAdvisor, PinnedAdvisor
from tests.tui.test_needs import type_into

ASKED = constraints()


def ids_in(app: AdvisorApp) -> list[str]:
    """Ids of the models in the order of the rows, without the heads of requirements."""
    keys = [str(key.value) for key in app.screen.query_one(Ranking).rows]
    return [key for key in keys if not key.startswith(GROUP)]


async def test_rows_stand_in_rank_order_and_foreign_names_are_no_markup() -> None:
    async with started(PinnedAdvisor(), "enter") as (app, _):
        assert place_of(app) == "picks"
        assert ids_in(app) == [c.model.id for c in RANKED]
        assert "[bold]" in text_of(app)


async def test_the_selected_row_is_explained_term_by_term() -> None:
    async with started(PinnedAdvisor(), "3", "down", "enter", size=(80, 60)) as (app, _):
        shown = " ".join(text_of(app).split())
        chosen = RANKED[1]
        for term in chosen.score.terms:
            assert f"{term.value:.2f} × {term.weight:.2f} = {term.contribution:.3f}" in shown
        for part in ("rank 2 of 3", "█ weights", "▓ KV cache", "likely between", "duty: Show “Built with Llama”"):
            assert part in shown
        assert "? sw: unknown - nobody sourced it (preferred)" in shown


async def test_the_selection_is_kept_and_other_places_follow_it() -> None:
    async with started(PinnedAdvisor(), "3", "down", "4") as (app, pilot):
        assert RANKED[1].model.name in text_of(app)
        await press(pilot, "5")
        await until(pilot, lambda: RANKED[1].model.id in text_of(app))
        await press(pilot, "3")
        assert app.screen.query_one(Ranking).cursor_row == 1


async def test_new_advice_keeps_the_selected_model() -> None:
    advisor = PinnedAdvisor()
    async with started(advisor, "3", "down") as (app, pilot):
        advisor.ranked = (RANKED[1], RANKED[0], RANKED[2])
        await press(pilot, "r")
        await until(pilot, lambda: ids_in(app)[0] == RANKED[1].model.id)
        assert app.session.chosen == RANKED[1]
        advisor.ranked = (RANKED[0], RANKED[2])
        await press(pilot, "r")
        await until(pilot, lambda: len(ids_in(app)) == 2)
        assert app.session.chosen == RANKED[0]


async def test_enter_opens_the_explanation_and_escape_closes_it() -> None:
    async with started(PinnedAdvisor(), "3", "enter", size=(80, 24)) as (app, pilot):
        assert not app.screen.query_one("#picks-left").display
        await press(pilot, "escape")
        assert app.screen.query_one("#picks-left").display
        assert app.screen.query_one(Ranking).has_focus
        assert place_of(app) == "picks"


async def test_the_filter_narrows_the_rows_and_escape_clears_it() -> None:
    async with started(PinnedAdvisor(), "3", "slash") as (app, pilot):
        await pilot.press(*"llama")
        await at_rest(pilot)
        assert ids_in(app) == [RANKED[1].model.id]
        assert app.session.chosen == RANKED[1]
        await press(pilot, "enter")
        assert app.screen.query_one(Ranking).has_focus
        await press(pilot, "slash", "end", "q", "q")
        assert app.screen.query_one("#filter", Input).value == "llamaqq"
        assert "No row matches" in text_of(app)
        await press(pilot, "escape")
        assert len(ids_in(app)) == len(RANKED)
        assert place_of(app) == "picks"


async def test_s_sorts_by_the_next_criterion_and_ranks_stay() -> None:
    async with started(PinnedAdvisor(), "3", "s") as (app, pilot):
        assert "by speed" in text_of(app)
        fastest = sorted(RANKED, key=lambda c: -(c.speed.decode_tokens_per_s if c.speed else 0.0))
        assert ids_in(app) == [c.model.id for c in fastest]
        assert str(app.screen.query_one(Ranking).get_cell_at(Coordinate(0, 0))).strip() == "3"
        for word in ("memory", "quality", "name", "score"):
            await press(pilot, "s")
            assert f"by {word}" in text_of(app)


async def test_x_shows_the_excluded_with_reason_and_smallest_change() -> None:
    async with started(PinnedAdvisor(), "3", "x") as (app, pilot):
        assert ids_in(app) == [r.model.id for r in reversed(REJECTED)]
        shown = " ".join(text_of(app).split())
        assert "Smallest change that would admit it" in shown
        assert "2.00 GiB more" in shown
        chosen = app.session.chosen
        await press(pilot, "ctrl+home", "down")
        assert "nothing that you could set" in " ".join(text_of(app).split())
        assert app.session.chosen == chosen
        await press(pilot, "escape")
        assert ids_in(app) == [c.model.id for c in RANKED]


async def test_where_nothing_passes_it_says_why_and_shows_the_nearest_misses() -> None:
    async with started(PinnedAdvisor(ranked=()), "3") as (app, pilot):
        shown = " ".join(text_of(app).split())
        assert "No model passes all requirements" in shown
        assert "1 of 2 fails on licence" in shown
        for rejection in REJECTED:
            assert f"Near miss: {rejection.model.name}" in shown
        await press(pilot, "x")
        assert ids_in(app) == [r.model.id for r in reversed(REJECTED)]


async def test_answers_that_cannot_be_used_are_said_and_the_old_picks_are_not_shown_as_new() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        await type_into(app, pilot, "scale.prompt_tokens", "9000")
        await until(pilot, lambda: app.session.advice_error is not None)
        await press(pilot, "escape", "3")
        assert "These answers cannot be used" in text_of(app)
        assert RANKED[0].model.name not in text_of(app)


@pytest.mark.parametrize("width", range(30, 140, 10))
def test_columns_are_dropped_by_priority_and_never_crushed(width: int) -> None:
    rows = [pick_cells(i, c, ASKED.latency) for i, c in enumerate(RANKED, start=1)]
    shown = fitting(PICK_COLUMNS, rows, width)
    for i, given in shown.items():
        wanted = max(len(PICK_COLUMNS[i].title), *(len(row[i]) for row in rows))
        least = PICK_COLUMNS[i].least
        assert given == wanted if least is None else min(least, wanted) <= given <= wanted
    left_out = [column.priority for i, column in enumerate(PICK_COLUMNS) if i not in shown]
    assert all(PICK_COLUMNS[i].priority < min(left_out, default=99) for i in shown)
    assert sum(shown.values()) + 2 * len(shown) <= width or {PICK_COLUMNS[i].priority for i in shown} == {0}


def test_all_columns_fit_into_a_wide_terminal() -> None:
    rows = [pick_cells(i, c, ASKED.latency) for i, c in enumerate(RANKED, start=1)]
    assert len(fitting(PICK_COLUMNS, rows, 120)) == len(PICK_COLUMNS)


async def test_a_candidate_without_speed_says_unknown() -> None:
    ranked = (replace(RANKED[0], speed=None),)
    async with started(PinnedAdvisor(ranked=ranked), "3", "s") as (app, _):
        shown = " ".join(text_of(app).split())
        assert "speed unknown" in shown
        assert "unknown - no memory bandwidth is known" in shown


async def test_the_real_catalogue_is_ranked_and_every_model_is_accounted_for() -> None:
    async with started(HereAdvisor(), "3") as (app, pilot):
        found = app.session.found
        assert found is not None
        assert len(ids_in(app)) == len(found.ranked)
        await press(pilot, "x")
        assert len(ids_in(app)) == len(found.rejected)
        considered = [m for m in app.session.advisor.catalogue.models if m.related_only is None]
        assert len(found.ranked) + len(found.rejected) == len(considered)


async def test_the_first_row_tells_how_firm_it_is_and_what_would_change_it() -> None:
    async with started(HereAdvisor(), "3", "enter", size=(100, 90)) as (app, pilot):
        found = app.session.found
        assert found is not None
        assert found.sensitivity is not None
        shown = " ".join(text_of(app).split())
        assert all(line in shown for line in firmness_lines(found.sensitivity))
        await press(pilot, "w")
        await until(pilot, lambda: "if one requirement changes" in text_of(app), seconds=60)
        examined = app.session.found
        assert examined is not None
        assert examined.sensitivity is not None
        assert examined.sensitivity.constraints
        assert "latency.tokens_per_s 5 tok/s: at" in " ".join(text_of(app).split())


async def test_what_would_change_nothing_is_not_asked_where_nothing_passes() -> None:
    async with started(PinnedAdvisor(ranked=()), "3", "w") as (app, _):
        assert not app._notifications
