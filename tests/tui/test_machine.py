"""The first place: painted before the probe is done, and the way on."""

from __future__ import annotations

import threading
from dataclasses import replace

from textual.widgets import Button

from advisor.domain.hardware import Machine
from advisor.errors import InputError
from advisor.service import MachineChoice
from advisor.tui.app import AdvisorApp
from tests.tui.driving import place_of, press, started, text_of, until
from tests.tui.pinned import MACHINE, RANKED, PinnedAdvisor


class SlowAdvisor(PinnedAdvisor):
    """Looks at the machine until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def machine(self, choice: MachineChoice = MachineChoice()) -> Machine:  # noqa: B008 - as the base class has it
        assert self.released.wait(10)
        return super().machine(choice)


async def test_it_is_painted_before_the_probe_is_done_and_enter_already_leads_to_the_picks() -> None:
    advisor = SlowAdvisor()
    app = AdvisorApp(advisor)
    async with app.run_test(size=(80, 24)) as pilot:
        try:
            await until(pilot, lambda: "Enter: picks with default answers" in text_of(app))
            assert "looking at" in text_of(app)
            await press(pilot, "enter")
            assert place_of(app) == "picks"
            assert "One moment" in text_of(app)
        finally:
            advisor.released.set()
        await until(pilot, lambda: RANKED[0].model.name in text_of(app))


async def test_facts_unknowns_with_reason_and_findings_with_hint_are_shown() -> None:
    async with started(PinnedAdvisor()) as (app, _):
        shown = " ".join(text_of(app).split())
        for part in (
            "Example 7000, 8 cores",
            "memory limit 24.00 GiB (memory.max)",
            "GPU ? unknown - no driver library was found",
            "free disk ? unknown - the directory cannot be read",
            "warning ! A memory limit of 24 GiB is in force. Raise it to use all 32 GiB.",
            "this machine · llama-cpp-python 0.3.36 · memory estimated · speed estimated",
        ):
            assert part in shown


async def test_rescan_looks_again_and_makes_new_advice() -> None:
    advisor = PinnedAdvisor()
    async with started(advisor) as (app, pilot):
        before = app.session.found
        advisor.pinned_machine = replace(MACHINE, platform="linux-aarch64")
        await press(pilot, "r")
        await until(pilot, lambda: "linux-aarch64" in text_of(app) and app.session.found is not before)
        assert advisor.n_probes == 2


async def test_the_way_on_says_when_it_uses_own_answers() -> None:
    async with started(PinnedAdvisor(), "2", "space", "1") as (app, _):
        assert "my answers" in str(app.screen.query_one("#to-picks", Button).label)


async def test_a_simulated_machine_is_marked_at_every_size() -> None:
    advisor = PinnedAdvisor(machine=replace(MACHINE, simulated=True))
    async with started(advisor) as (app, pilot):
        assert "SIM: " in text_of(app)
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: "SIM" in text_of(app).splitlines()[0])


class NoMachineAdvisor(PinnedAdvisor):
    """Has no machine to advise for."""

    def machine(self, choice: MachineChoice = MachineChoice()) -> Machine:  # noqa: B008 - as the base class has it
        raise InputError("machine.toml cannot be read", why="no such file", hint="Check [--machine].")


async def test_a_machine_that_cannot_be_had_is_said_and_the_app_stays() -> None:
    app = AdvisorApp(NoMachineAdvisor())
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "machine.toml cannot be read: no such file. Check [--machine]." in text_of(app))
        await press(pilot, "3")
        await until(pilot, lambda: "There is no machine to advise for" in text_of(app))
