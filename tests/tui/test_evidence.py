"""Ranking by a trial from the screens: the ranking and the file of the command line, and a way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from advisor.cli.main import run
from advisor.service import Advisor, MachineChoice
from advisor.tui.app import AdvisorApp
from tests.trial.results import result_file
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import PinnedAdvisor
from tests.tui.test_export_targets import DESKTOP, words_of
from tests.tui.tried import LLAMA, MISTRAL, TASKS_NAME, TRIAL, TriedAdvisor

HERE = MachineChoice(file=DESKTOP)


def saved(path: Path, *names: str) -> Path:
    """A result in which the first of some candidates is better."""
    contestants: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        model, _, quantization = name.partition(":")
        known = {"model": model, "quantization": quantization} if quantization else {}
        contestants.append({"name": name, "sha256": "c" * 64, "judged": 200, "total": 180.0 - 60 * place, **known})
    answers = {"t": ("first", "second")}
    return result_file(path, answers, contestants=contestants)


async def ranked_by(app: AdvisorApp, pilot: Drive, file: Path | None) -> None:
    """Name a result in Picks."""
    await press(pilot, "o")
    if file is not None:
        app.screen.query_one("#evidence-path", Input).value = str(file)
    await press(pilot, "enter")


def quality_of(app: AdvisorApp, model: str) -> str:
    found = app.session.found
    assert found is not None
    return next(c.rating.basis_text for c in found.quantizations if c.id == f"{model}:Q4_K_M")


def notices_of(app: AdvisorApp) -> str:
    """What was told in notices; on a small screen they are cut."""
    return "\n".join(notice.message for notice in app._notifications)


def told(text: str) -> list[str]:
    """A recommendation without the moment at which it was made."""
    return [line for line in text.splitlines() if not line.startswith("created = ")]


async def test_the_file_of_a_ranking_by_a_saved_trial_is_that_of_the_command_line(tmp_path: Path) -> None:
    result = saved(tmp_path / "trial.json", f"{LLAMA}:Q4_K_M", f"{MISTRAL}:Q4_K_M")
    async with started(Advisor(), "3", folder=tmp_path, choice=HERE) as (app, pilot):
        await ranked_by(app, pilot, result)
        await until(pilot, lambda: "quality by your trial “tasks.jsonl”" in text_of(app))
        await until(pilot, lambda: app.session.found is not None and app.session.found.trial is not None)
        assert "by score and your trial" in words_of(app)
        assert quality_of(app, LLAMA).startswith("your trial (n=200); 90% right")
        await press(pilot, "5", "ctrl+s")
        await until(pilot, lambda: "✓ saved" in text_of(app))
    typed = ["recommend", "--machine", str(DESKTOP), "--trial", str(result), "-o", str(tmp_path / "cli.toml")]
    assert run(typed) == 0
    screens = (tmp_path / "recommendation.toml").read_text("utf-8")
    assert told(screens) == told((tmp_path / "cli.toml").read_text("utf-8"))
    assert "result_sha256" in screens


async def test_a_trial_that_was_just_made_ranks_by_one_key_as_its_saved_file_would(tmp_path: Path) -> None:
    advisor = TriedAdvisor()
    async with started(advisor, "4", "o", folder=tmp_path, choice=HERE) as (app, pilot):
        app.screen.query_one("#tasks", Input).value = TASKS_NAME
        await until(pilot, lambda: LLAMA in text_of(app))
        app.screen.query_one("#contestants").focus()
        await press(pilot, "space", "ctrl+s")
        await until(pilot, lambda: app.screen.has_class("-tried"))
        app.screen.query_one("#trial-outcome").focus()
        await press(pilot, "s")
        await until(pilot, lambda: "✓ saved" in text_of(app))
        await press(pilot, "r")
        await until(pilot, lambda: place_of(app) == "picks" and f"“{TASKS_NAME}”" in text_of(app))
        await until(pilot, lambda: app.session.found is not None and app.session.found.trial is not None)
        assert app.session.evidence == advisor.trial_evidence(tmp_path / "trial.json")[0]
        assert quality_of(app, LLAMA).startswith("your trial (n=10); 80% right")
        # The same key goes back, and the last trial needs no name.
        await press(pilot, "o")
        await until(pilot, lambda: app.session.found is not None and app.session.found.trial is None)
        assert "your trial" not in quality_of(app, LLAMA)
        assert "quality by your trial" not in text_of(app)
        await ranked_by(app, pilot, None)
        await until(pilot, lambda: app.session.found is not None and app.session.found.trial is not None)


async def test_the_way_back_is_a_button_too(tmp_path: Path) -> None:
    result = saved(tmp_path / "trial.json", f"{LLAMA}:Q4_K_M", f"{MISTRAL}:Q4_K_M")
    async with started(PinnedAdvisor(), "3", size=(80, 24), folder=tmp_path) as (app, pilot):
        assert not app.screen.query_one("#published", Button).display
        await ranked_by(app, pilot, result)
        await until(pilot, lambda: app.screen.query_one("#published", Button).display)
        await pilot.pause()
        await pilot.click("#published")
        await until(pilot, lambda: not app.screen.query_one("#published", Button).display)
        assert app.session.evidence is None


async def test_a_comparison_and_what_if_count_with_the_trial_as_the_picks_do(tmp_path: Path) -> None:
    result = saved(tmp_path / "trial.json", f"{LLAMA}:Q4_K_M", f"{MISTRAL}:Q4_K_M")
    advisor = Advisor()
    async with started(advisor, "3", folder=tmp_path, choice=HERE) as (app, pilot):
        await ranked_by(app, pilot, result)
        await until(pilot, lambda: app.session.found is not None and app.session.found.trial is not None)
        found = app.session.found
        assert found is not None
        await press(pilot, "i")
        await until(pilot, lambda: "weighing the models" not in text_of(app))
        assert "→" not in text_of(app)  # nothing is changed, so nothing changes
        await press(pilot, "escape", "space", "down", "space", "c")
        await until(pilot, lambda: "Bottom line" in text_of(app))
        ratings = [f"{c.rating.score:.2f} ({c.rating.low:.2f}" for c in app.session.marked_candidates]
        assert all(rating in words_of(app) for rating in ratings)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_what_cannot_be_ranked_by_is_said_and_changes_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    foreign = saved(tmp_path / "foreign.json", "mine", "yours")
    async with started(PinnedAdvisor(), "3", size=size, folder=tmp_path) as (app, pilot):
        await ranked_by(app, pilot, None)
        assert "Nothing is named. No trial was finished here yet" in words_of(app)
        await press(pilot, "escape")
        await ranked_by(app, pilot, tmp_path / "none.json")
        await until(pilot, lambda: "none.json" in notices_of(app))
        await ranked_by(app, pilot, foreign)
        await until(pilot, lambda: "it says nothing of a model of the catalogue" in notices_of(app))
        assert app.session.evidence is None
        assert place_of(app) == "picks"


def test_a_trial_is_the_evidence_that_its_file_is(tmp_path: Path) -> None:
    advisor = Advisor()
    (tmp_path / "trial.json").write_text(advisor.trial_text(TRIAL), "utf-8")
    assert advisor.evidence_of(TRIAL) == advisor.trial_evidence(tmp_path / "trial.json")
