"""What if: tried beside the present, used on demand, left without a trace."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Button, Input, OptionList, Static

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.recommend import Recommendation
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.gpu_list import GpuList
from advisor.tui.screens.scale import ScaleScreen
from advisor.tui.screens.what_if import WhatIfScreen
from advisor.tui.widgets.form_line import FormLine
from advisor.tui.widgets.grounds import Grounds
from advisor.tui.widgets.question_row import QuestionRow
from advisor.units import GIB
from tests.builders import gpu
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import MACHINE, HereAdvisor


def overlay(app: AdvisorApp) -> WhatIfScreen:
    assert isinstance(app.screen, WhatIfScreen)
    return app.screen


def field(app: AdvisorApp, key: str) -> Input:
    row = next(row for row in app.screen.query(QuestionRow) if row.question.key == key)
    return row.query_one(Input)


def lines(app: AdvisorApp) -> str:
    return str(app.screen.query_one("#what-if-lines", Static).content)


async def opened(app: AdvisorApp, pilot: Drive) -> None:
    await press(pilot, "i")
    await until(pilot, lambda: "then:" in lines(app))


async def with_gpu(app: AdvisorApp, pilot: Drive, *words: str) -> None:
    """Choose a GPU by typing into the filter, and wait for what it leads to."""
    await gpu_chosen(app, pilot, *words)
    await until(pilot, lambda: "then: RTX 4090" in lines(app))


async def gpu_chosen(app: AdvisorApp, pilot: Drive, *words: str) -> None:
    overlay(app).query_one("#gpu-line").focus()
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, GpuList))
    await pilot.press(*" ".join(words))
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, WhatIfScreen))
    await until(pilot, lambda: "RTX 4090" in str(app.screen.query_one("#gpu-line", FormLine).content))


async def test_another_gpu_is_ranked_beside_this_machine_and_esc_leaves_no_trace() -> None:
    async with started(HereAdvisor(), "3") as (app, pilot):
        before = (app.session.machine, app.session.found, dict(app.session.answers))
        await opened(app, pilot)
        await with_gpu(app, pilot, "rtx 4090")
        assert "then: RTX 4090" in lines(app)
        assert "+ comes in:" in lines(app)
        assert "SIM then" in text_of(app)
        await press(pilot, "escape")
        assert place_of(app) == "picks"
        assert (app.session.machine, app.session.found, app.session.answers) == before
        assert not app.session.is_simulated


async def test_used_hardware_carries_a_badge_everywhere_until_this_machine_is_back() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        here, found = app.session.machine, app.session.found
        await opened(app, pilot)
        await with_gpu(app, pilot, "4090")
        count = field(app, "gpu.count")
        count.focus()
        await press(pilot, "end", "backspace", "2")
        await until(pilot, lambda: "then: 2 × RTX 4090" in lines(app))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.session.found is not found and app.session.is_simulated)
        assert len(app.session.machine.gpus) == 2  # type: ignore[union-attr]
        for key in ("1", "2", "3", "4", "5"):
            await press(pilot, key)
            assert "SIM llm-advisor" in text_of(app)
            assert "SIM: 2 × RTX 4090" in str(app.screen.query_one(Grounds).content)
        await press(pilot, "3")
        await opened(app, pilot)
        await pilot.click("#restore")
        await until(pilot, lambda: app.session.found is not None and app.session.found.machine is here)
        assert app.session.machine is here
        assert "SIM" not in text_of(app)


async def test_needs_that_were_tried_come_back_with_the_machine() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        context = field(app, "task.context_tokens")
        context.focus()
        await press(pilot, "end", "ctrl+u")
        await pilot.press(*"32768")
        await with_gpu(app, pilot, "4090")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.session.is_simulated)
        assert app.session.answers["task.context_tokens"] == 32768
        await until(pilot, lambda: any(
            row.question.key == "task.context_tokens" and row.query_one(Input).value == "32768"
            for row in app.screen.query(QuestionRow)
        ))  # fmt: skip
        await opened(app, pilot)
        overlay(app).query_one("#restore", Button).press()
        await until(pilot, lambda: not app.session.is_simulated and place_of(app) == "needs")
        assert app.session.answers["task.context_tokens"] == 8192


async def test_a_number_alone_means_that_many_of_the_gpus_that_the_machine_has() -> None:
    here = replace(MACHINE, gpus=(gpu(24 * GIB, name="NVIDIA GeForce RTX 4090"),))
    async with started(HereAdvisor(here), "2") as (app, pilot):
        await opened(app, pilot)
        assert field(app, "gpu.count").value == ""
        field(app, "gpu.count").focus()
        await press(pilot, "4")
        await until(pilot, lambda: "then: 4 × RTX 4090" in lines(app))
        await press(pilot, "ctrl+u")
        await until(pilot, lambda: "then: NVIDIA GeForce RTX 4090" in lines(app))
        assert "GPU: as this machine has" in text_of(app)


async def test_a_number_without_a_gpu_asks_which_and_counts_for_the_one_that_is_chosen_then() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        field(app, "gpu.count").focus()
        await press(pilot, "2")
        await until(pilot, lambda: "of which GPU? Choose one above" in text_of(app))
        await gpu_chosen(app, pilot, "4090")
        await until(pilot, lambda: "then: 2 × RTX 4090" in lines(app))
        assert "of which GPU?" not in text_of(app)


class HoldingAdvisor(HereAdvisor):
    """Weighs nothing on simulated hardware before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_weigh = threading.Event()

    def recommend(self, machine: Machine, constraints: Constraints, **given: Any) -> Recommendation:
        if machine.simulated:
            self.may_weigh.wait(30)
        return super().recommend(machine, constraints, **given)


async def test_what_is_still_being_weighed_is_used_as_soon_as_that_is_done() -> None:
    advisor = HoldingAdvisor()
    async with started(advisor, "2") as (app, pilot):
        await opened(app, pilot)
        await gpu_chosen(app, pilot, "4090")
        await press(pilot, "ctrl+s")
        assert "still being weighed" in text_of(app)
        assert isinstance(app.screen, WhatIfScreen)
        advisor.may_weigh.set()
        await until(pilot, lambda: app.session.is_simulated)
        assert place_of(app) == "needs"


async def test_what_is_changed_after_asking_to_use_it_is_not_used() -> None:
    advisor = HoldingAdvisor()
    async with started(advisor, "2") as (app, pilot):
        await opened(app, pilot)
        await gpu_chosen(app, pilot, "4090")
        await press(pilot, "ctrl+s")
        field(app, "gpu.count").focus()
        await press(pilot, "end", "backspace", "2")
        advisor.may_weigh.set()
        await until(pilot, lambda: "then: 2 × RTX 4090" in lines(app))
        assert isinstance(app.screen, WhatIfScreen)
        assert not app.session.is_simulated


async def test_an_invalid_number_is_said_and_counts_for_nothing() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        ram = field(app, "ram")
        ram.focus()
        await pilot.press(*"lots")
        await until(pilot, lambda: "not counted, because invalid: 1" in lines(app))
        assert "lots" in text_of(app)
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, WhatIfScreen)
        await press(pilot, "ctrl+u")
        assert "not counted" not in lines(app)
        await pilot.press(*"512MiB")
        await until(pilot, lambda: "not counted" in lines(app))
        await press(pilot, "ctrl+u")
        await pilot.press(*"64GiB")
        await until(pilot, lambda: "64.00 GiB of system memory" in lines(app))


async def test_the_excluded_model_under_the_cursor_gets_hardware_that_can_be_taken_over() -> None:
    async with started(HereAdvisor(), "3", "x") as (app, pilot):
        await opened(app, pilot)
        options = overlay(app).query_one("#hardware-options", OptionList)
        await until(pilot, lambda: options.option_count > 1)
        wanted = overlay(app)._model_id
        options.focus()
        options.highlighted = 0
        await press(pilot, "enter")
        await until(pilot, lambda: "passes, rank" in lines(app))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.session.is_simulated and app.session.found is not None)
        await until(pilot, lambda: wanted in {c.model.id for c in app.session.found.ranked})  # type: ignore[union-attr]


async def test_the_filter_of_gpus_finds_parts_of_names_and_says_when_there_is_none() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        overlay(app).query_one("#gpu-line").focus()
        await press(pilot, "enter")
        options = app.screen.query_one(OptionList)
        whole = options.option_count
        await pilot.press(*"4090 lap")
        await until(pilot, lambda: 0 < options.option_count < 4)
        await pilot.press(*"[bold]")
        await until(pilot, lambda: options.option_count == 0)
        await press(pilot, "enter")
        assert isinstance(app.screen, GpuList)
        await press(pilot, "escape")
        assert isinstance(app.screen, WhatIfScreen)
        assert whole == len(app.session.advisor.gpu_specs) + 2


@pytest.mark.parametrize(
    ("typed", "name"), [("3090", "RTX 3090"), ("3090 ti", "RTX 3090 Ti"), ("RTX  3090", "RTX 3090")]
)
async def test_enter_takes_the_gpu_of_that_name_and_no_longer_one(typed: str, name: str) -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        overlay(app).query_one("#gpu-line").focus()
        await press(pilot, "enter")
        await pilot.press(*typed)
        await press(pilot, "enter")
        await until(pilot, lambda: f"then: {name}, " in lines(app))


async def test_a_gpu_that_the_filter_has_just_removed_is_not_taken() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        overlay(app).query_one("#gpu-line").focus()
        await press(pilot, "enter")
        options = app.screen.query_one(OptionList)
        chosen = OptionList.OptionSelected(options, options.options[-1], options.option_count - 1)
        await pilot.press(*"[bold]")
        await until(pilot, lambda: options.option_count == 0)
        options.post_message(chosen)
        await pilot.pause()
        assert isinstance(app.screen, GpuList)


@pytest.mark.parametrize("key", ["i", "l"])
async def test_a_thread_that_works_for_a_closed_overlay_ends_without_a_word(key: str) -> None:
    async with started(HereAdvisor(), "3", key) as (app, pilot):
        closed = app.screen
        await press(pilot, "escape")
        await until(pilot, lambda: not closed.is_attached)
        ended: list[BaseException | None] = []

        def work() -> None:
            try:
                if isinstance(closed, WhatIfScreen):
                    assert closed._base is not None
                    closed._weigh(0, closed._base, closed._tryout)
                elif isinstance(closed, ScaleScreen):
                    closed._work()
                ended.append(None)
            except BaseException as error:
                ended.append(error)

        threading.Thread(target=work).start()
        await until(pilot, lambda: bool(ended))
        assert isinstance(closed, WhatIfScreen | ScaleScreen)
        assert ended == [None]


async def test_an_overlay_survives_every_size() -> None:
    async with started(HereAdvisor(), "2", size=(120, 36)) as (app, pilot):
        await opened(app, pilot)
        for size in ((40, 12), (80, 24), (250, 80), (40, 12)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "What if?" in text_of(app)
            assert "use it" in text_of(app)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_arrows_lead_from_field_to_field_also_where_the_form_has_to_scroll(size: tuple[int, int]) -> None:
    async with started(HereAdvisor(), "2", size=size) as (app, pilot):
        await opened(app, pilot)
        seen = []
        for _ in range(6):
            await press(pilot, "down")
            seen.append(app.focused)
        assert seen == [row.query_one(Input) for row in app.screen.query(QuestionRow)]
        await press(pilot, "up")
        assert app.focused is seen[-2]


async def test_contradicting_needs_are_said_and_cannot_be_used() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await opened(app, pilot)
        field(app, "task.context_tokens").focus()
        await press(pilot, "end", "ctrl+u")
        await pilot.press(*"512")
        await until(pilot, lambda: "cannot hold a prompt" in lines(app))
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, WhatIfScreen)
