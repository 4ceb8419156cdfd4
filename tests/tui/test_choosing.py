"""Marking, comparing, plotting, admitting and taking back; keys, sizes and large or odd catalogues."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.coordinate import Coordinate
from textual.widgets import Input

from advisor.domain.head_to_head.layout import LEGEND
from advisor.tui.app import AdvisorApp
from advisor.tui.commands import COMMANDS
from advisor.tui.screens.compare import CompareScreen
from advisor.tui.screens.plot import PlotScreen
from advisor.tui.widgets.pick_rows import GROUP, MARK
from advisor.tui.widgets.ranking import MOST_ROWS, Ranking
from advisor.tui.widgets.scatter import Scatter
from advisor.tui.widgets.sections import SectionTitle
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import APACHE, RANKED, HereAdvisor, PinnedAdvisor, candidate
from tests.tui.test_needs import type_into
from tests.tui.test_picks import ids_in


def told(app: AdvisorApp) -> str:
    """The notices on screen."""
    return "\n".join(str(notice.message) for notice in app._notifications)


def test_no_key_differs_from_another_only_by_case_and_no_capital_is_asked_for() -> None:
    keys = [key for command in COMMANDS for key in command.keys.split(",")]
    assert all(key == key.lower() and "shift+" not in key for key in keys)
    by_place: dict[tuple[str, str], str] = {}
    for command in COMMANDS:
        for place in command.where:
            for key in command.keys.split(","):
                assert by_place.setdefault((place, key.casefold()), command.id) == command.id


# ---------------------------------------------------------------- marks and sorting


async def test_the_sorted_column_carries_an_arrow_and_a_click_on_a_header_sorts() -> None:
    async with started(PinnedAdvisor(), "3") as (app, pilot):
        table = app.screen.query_one(Ranking)
        labels = [str(column.label) for column in table.ordered_columns]
        assert labels[0].strip() == "#▴"
        speed = next(i for i, label in enumerate(labels) if "tok/s" in label)
        x = sum(column.get_render_width(table) for column in table.ordered_columns[:speed]) + 2
        await pilot.click(Ranking, offset=(x, 0))
        await pilot.pause()
        assert any(str(column.label).strip() == "tok/s▾" for column in table.ordered_columns)
        assert "by speed" in text_of(app)


async def test_fit_and_speed_carry_marks_that_read_without_colour() -> None:
    slow = replace(RANKED[0], speed=replace(RANKED[0].speed, low=1.0) if RANKED[0].speed else None)
    async with started(PinnedAdvisor(ranked=(slow, RANKED[2])), "3") as (app, _):
        table = app.screen.query_one(Ranking)
        rows = [[str(cell) for cell in table.get_row_at(i)] for i in range(2)]
        assert rows[0][3].endswith("✓")
        assert rows[0][4].endswith("!")
        assert rows[1][4].endswith("✓")


async def test_at_most_four_are_marked_and_the_mark_shows_before_the_rank() -> None:
    many = tuple(candidate(f"Model {i}B", 0.9 - i / 10, 5 + i, APACHE, 2) for i in range(6))
    keys = ("space", "down") * 5
    async with started(PinnedAdvisor(ranked=many), "3", *keys) as (app, pilot):
        assert len(app.session.marked) == 4
        assert "4 models are marked already" in told(app)
        table = app.screen.query_one(Ranking)
        assert str(table.get_cell_at(Coordinate(0, 0))).strip() == f"{MARK}1"
        await press(pilot, "ctrl+home", "space")
        assert len(app.session.marked) == 3
        assert str(table.get_cell_at(Coordinate(0, 0))).strip() == "1"


# ---------------------------------------------------------------- comparison


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_marked_models_stand_side_by_side_with_the_bottom_line_first(size: tuple[int, int]) -> None:
    async with started(HereAdvisor(), "3", "space", "down", "space", size=size) as (app, pilot):
        names = [c.model.name for c in app.session.marked_candidates]
        await press(pilot, "c")
        await until(pilot, lambda: "Bottom line" in text_of(app))
        shown = " ".join(text_of(app).split())
        assert all(name in shown for name in names)
        assert shown.index("Bottom line") < (shown.find("who leads") if "who leads" in shown else len(shown))
        await press(pilot, "end")
        await until(pilot, lambda: app.screen.query_one("#compare").scroll_y > 0)
        assert all(len(line) <= size[0] for line in text_of(app).splitlines())
        await press(pilot, "q")
        assert place_of(app) == "picks"
        assert app.is_running


async def test_with_fewer_than_two_marked_it_says_how_to_mark() -> None:
    async with started(PinnedAdvisor(), "3", "space", "c") as (app, _):
        assert place_of(app) == "picks"
        assert "Mark 2 to 4 rows with the space bar" in told(app)


async def test_the_comparison_ends_with_legend_and_sources() -> None:
    async with started(HereAdvisor(), "3", "space", "down", "space", "c", size=(120, 300)) as (app, pilot):
        await until(pilot, lambda: "Sources" in text_of(app))
        assert isinstance(app.screen, CompareScreen)
        assert LEGEND.split(" · ")[0] in text_of(app)


# ---------------------------------------------------------------- plot


async def test_the_plot_leads_back_to_the_row_of_the_chosen_dot() -> None:
    async with started(PinnedAdvisor(), "3", "p", size=(80, 24)) as (app, pilot):
        assert isinstance(app.screen, PlotScreen)
        assert "1. Example Small" in text_of(app)
        await press(pilot, "down", "down")
        assert "3. Example Tiny" in text_of(app)
        await press(pilot, "enter")
        assert place_of(app) == "picks"
        assert app.session.chosen == RANKED[2]
        assert app.screen.query_one(Ranking).cursor_row == 2


async def test_a_click_on_a_dot_chooses_it() -> None:
    async with started(PinnedAdvisor(), "3", "p", size=(80, 24)) as (app, pilot):
        scatter = app.screen.query_one(Scatter)
        x, y = scatter._places[RANKED[1].id]
        await pilot.click(Scatter, offset=(x, y))
        await pilot.pause()
        assert f"2. {RANKED[1].model.name}" in text_of(app)


async def test_without_any_speed_the_plot_says_why_it_is_empty() -> None:
    async with started(PinnedAdvisor(ranked=(replace(RANKED[0], speed=None),)), "3", "p") as (app, pilot):
        assert "No speed is known here" in text_of(app)
        await press(pilot, "escape")
        assert place_of(app) == "picks"


async def test_where_nothing_passes_the_plot_says_so_and_stays_away() -> None:
    async with started(PinnedAdvisor(ranked=()), "3", "p") as (app, _):
        assert place_of(app) == "picks"
        assert "nothing to plot" in told(app)


# ---------------------------------------------------------------- excluded, admitted, taken back


async def test_the_excluded_stand_under_their_requirement_and_enter_folds_it() -> None:
    async with started(HereAdvisor(), "3", "x") as (app, pilot):
        found = app.session.found
        assert found is not None
        table = app.screen.query_one(Ranking)
        heads = [str(k.value) for k in table.rows if str(k.value).startswith(GROUP)]
        assert len(heads) == len({r.reasons[0].code for r in found.rejected})
        before = len(ids_in(app))
        await press(pilot, "ctrl+home", "enter")
        assert len(ids_in(app)) < before
        assert str(table.get_cell_at(Coordinate(0, 0))).startswith("▸")
        await press(pilot, "enter")
        assert len(ids_in(app)) == before


async def test_a_admits_the_excluded_model_and_u_takes_it_back() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await type_into(app, pilot, "latency.tokens_per_s", "20")
        await until(pilot, lambda: _asked(app) == 20)
        await press(pilot, "escape", "3", "x")
        key = await _go_to_speed_row(app, pilot)
        await pilot.click("#admit")
        await until(pilot, lambda: key in ids_in(app) and _asked(app) != 20, seconds=30)
        asked = app.session.answers["latency.tokens_per_s"]
        assert isinstance(asked, float)
        assert asked < 20
        assert app.session.chosen is not None
        assert app.session.chosen.model.id == key
        assert f"latency.tokens_per_s: 20 → {asked:g}" in told(app)
        await press(pilot, "2")
        await until(pilot, lambda: f" {asked:g} " in f" {' '.join(text_of(app).split())} ")
        await press(pilot, "escape", "3")
        await pilot.click("#take-back")
        await until(pilot, lambda: _asked(app) == 20, seconds=30)
        assert app.session.answers["latency.tokens_per_s"] == 20
        await press(pilot, "u")
        assert "nothing to take back" in told(app)


def _asked(app: AdvisorApp) -> float | None:
    found = app.session.found
    return None if found is None else found.constraints.latency.tokens_per_s


async def _go_to_speed_row(app: AdvisorApp, pilot: Drive) -> str:
    found = app.session.found
    assert found is not None
    key = next(r.model.id for r in found.rejected if [x.code for x in r.reasons] == ["decode_speed"])
    table = app.screen.query_one(Ranking)
    table.move_cursor(row=table.get_row_index(key))
    await pilot.pause()
    return key


async def test_what_no_answer_admits_says_what_stands_in_the_way_and_changes_nothing() -> None:
    async with started(HereAdvisor(), "3", "x") as (app, pilot):
        before = dict(app.session.answers)
        table = app.screen.query_one(Ranking)
        table.move_cursor(row=table.get_row_index("llama-3.1-405b-instruct"))
        await press(pilot, "a")
        await until(pilot, lambda: "No answer admits Llama 3.1 405B Instruct" in told(app))
        await until(pilot, lambda: "Nothing was changed." in told(app))
        assert app.session.answers == before


async def test_a_among_the_picks_says_where_it_works() -> None:
    async with started(PinnedAdvisor(), "3", "a") as (app, _):
        assert "Press x for the excluded models" in told(app)


# ---------------------------------------------------------------- the panel


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_first_screenful_says_why_whether_it_fits_how_fast_and_whether_it_may_be_used(
    size: tuple[int, int],
) -> None:
    async with started(PinnedAdvisor(), "3", "down", size=size) as (app, _):
        shown = text_of(app)
        for word in ("Why", "Fits", "Speed", "Licence", "with duties", "“Built", "Speaks"):
            assert word in shown


async def test_a_section_folds_by_enter_and_stays_folded_for_the_next_row() -> None:
    async with started(PinnedAdvisor(), "3", "enter", size=(120, 90)) as (app, pilot):
        assert "█ weights" in text_of(app)
        title = next(t for t in app.screen.query(SectionTitle) if "Memory" in str(t.content))
        app.screen.set_focus(title)
        await press(pilot, "enter")
        assert "█ weights" not in text_of(app)
        await press(pilot, "escape", "down")
        assert "▸ Memory" in text_of(app)
        assert "█ weights" not in text_of(app)
        await pilot.click(title)
        await pilot.pause()
        assert "█ weights" in text_of(app)


# ---------------------------------------------------------------- sizes and odd catalogues


async def test_picks_survive_every_size_in_every_state() -> None:
    odd = tuple(
        candidate(name, 0.8 - i / 20, 5 + i, APACHE, 2)
        for i, name in enumerate(
            ("模型的名字很长很长很长很长很长 7B", "نموذج لغوي كبير 7B", "[/red] 8B [link=x]", "a" * 300)
        )
    )
    sizes = ((40, 12), (250, 80), (60, 20), (41, 13), (80, 24), (120, 36))
    async with started(PinnedAdvisor(ranked=odd), "3") as (app, pilot):
        for key in ("", "x", "x", "p"):
            await press(pilot, *filter(None, (key,)))
            for width, height in sizes:
                await pilot.resize_terminal(width, height)
                await pilot.pause()
                strips = app.screen._compositor.render_strips()
                assert len(strips) == height
                assert all(strip.cell_length == width for strip in strips)
        await press(pilot, "escape")
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: "نموذج" in text_of(app))
        assert "[/red] 8B [link=x]" in text_of(app)


async def test_ten_thousand_models_are_listed_in_part_and_all_are_found_by_the_filter() -> None:
    base = RANKED[0]
    many = tuple(
        replace(base, model=replace(base.model, id=f"made-{i}", name=f"Made {i:05}"), score=base.score)
        for i in range(10_000)
    )
    async with started(PinnedAdvisor(ranked=many), "3") as (app, pilot):
        assert app.screen.query_one(Ranking).row_count == MOST_ROWS
        assert f"/ finds the other {10_000 - MOST_ROWS:,}" in text_of(app)
        await press(pilot, "slash")
        await pilot.press(*"09999")
        await until(pilot, lambda: ids_in(app) == ["made-9999"])
        assert app.session.chosen is not None
        assert app.session.chosen.model.id == "made-9999"
        await press(pilot, "escape")
        assert app.screen.query_one(Ranking).row_count == MOST_ROWS + 1
        assert app.session.chosen.model.id == "made-9999"


async def test_typing_a_filter_never_quits_or_marks() -> None:
    async with started(PinnedAdvisor(), "3", "slash") as (app, pilot):
        await press(pilot, "q", "space", "x", "p", "a", "u")
        assert app.is_running
        assert place_of(app) == "picks"
        assert app.session.marked == ()
        assert app.screen.query_one("#filter", Input).value == "q xpau"
