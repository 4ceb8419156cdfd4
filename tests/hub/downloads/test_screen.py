"""The download in Proof, against a real server on this machine."""

from __future__ import annotations

from dataclasses import replace

from textual.widgets import Static

from advisor.domain.candidate import Candidate
from advisor.service import Advisor
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.fetch import FetchScreen
from tests.hub.fetching import Q4, STORE, Disk
from tests.hub.server import HubServer, Repo
from tests.hub.server_faults import Answer, Slow
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import RANKED, PinnedAdvisor


def state_of(app: AdvisorApp) -> str:
    assert isinstance(app.screen, FetchScreen)
    return str(app.screen.query_one("#fetch-state", Static).content)


def tiny_tune() -> Candidate:
    real = Advisor()
    return replace(RANKED[0], model=real.model("tiny-tune"), quantization=real.catalogue.quantizations["Q4_0"])


async def opened(app: AdvisorApp, pilot: Drive) -> None:
    app.push_screen(FetchScreen(Advisor(), tiny_tune()))
    await until(pilot, lambda: isinstance(app.screen, FetchScreen))


async def test_nothing_is_asked_of_the_network_before_the_user_agrees(listed: HubServer, repo: Repo) -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await opened(app, pilot)
        assert f"from {repo.name} into the Hugging Face cache?" in " ".join(text_of(app).replace("│", "").split())
        await press(pilot, "escape")
        assert place_of(app) == "machine"
    assert listed.asked == []


async def test_a_file_arrives_and_the_screen_says_where(listed: HubServer, repo: Repo, disk: Disk) -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "y")
        await until(pilot, lambda: state_of(app).startswith("✓ Its hash is right: "))
    assert disk.holds(repo, Q4)


async def test_a_stopped_download_keeps_what_arrived_and_goes_on(listed: HubServer, repo: Repo, disk: Disk) -> None:
    listed.script(STORE, Slow(0.05, 65536), host="store")
    async with started(PinnedAdvisor()) as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "y")
        await until(pilot, lambda: "received" in state_of(app))
        await press(pilot, "escape")
        await until(pilot, lambda: state_of(app).startswith("stopped."))
        kept = disk.partial(repo, Q4).stat().st_size
        assert 0 < kept < repo.size(Q4)
        listed.forgive()
        await press(pilot, "y")
        await until(pilot, lambda: state_of(app).startswith("✓"))
    assert disk.holds(repo, Q4)


async def test_what_the_hub_refuses_is_said_and_can_be_tried_again(listed: HubServer, disk: Disk) -> None:
    listed.script(STORE, *[Answer(403)] * 5, host="store")
    async with started(PinnedAdvisor()) as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "y")
        await until(pilot, lambda: state_of(app).startswith("✗"), seconds=30)
        assert "y: go on" in text_of(app)
    assert disk.ggufs() == []
