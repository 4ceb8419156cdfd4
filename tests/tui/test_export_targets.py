"""Reports and deployment files from the screen: those of the command line, byte for byte, and safe to save."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button, Input

from advisor.cli.main import run
from advisor.service import Advisor, MachineChoice
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.export import ExportScreen
from advisor.tui.widgets.choice import Choice
from advisor.tui.widgets.file_list import FileList
from tests.tui.driving import Drive, at_rest, place_of, press, started, text_of, until
from tests.tui.pinned import HereAdvisor, PinnedAdvisor
from tests.tui.test_walks import click_text

DESKTOP = Path(__file__).parents[2] / "docs" / "examples" / "desktop.toml"


def export_of(app: AdvisorApp) -> ExportScreen:
    screen = app.screen
    assert isinstance(screen, ExportScreen)
    return screen


async def take(app: AdvisorApp, pilot: Drive, target: str) -> None:
    """Choose what to make by keys, and wait for it."""
    await press(pilot, "o", "home")
    steps = list(export_of_choices(app)).index(target) + 1
    await press(pilot, *["down"] * steps, "enter")
    chosen = app.session.advisor.export_choices()[steps - 1]
    await until(pilot, lambda: export_of(app)._choice == chosen)
    await at_rest(pilot)


def export_of_choices(app: AdvisorApp) -> list[str]:
    return [choice.key for choice in app.session.advisor.export_choices()]


def words_of(app: AdvisorApp) -> str:
    return " ".join(text_of(app).replace("│", " ").split())


@pytest.mark.parametrize("target", ["html", "llama-server", "compose vllm"])
async def test_the_files_are_those_of_the_command_line_byte_for_byte(tmp_path: Path, target: str) -> None:
    async with started(HereAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: (tmp_path / "recommendation.toml").is_file())
        await take(app, pilot, target)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "✓ saved" in text_of(app))
        assert "not saved yet" not in words_of(app)
    name, *engine = target.split()
    flags = ["--engine", engine[0]] if engine else []
    arguments = ["export", str(tmp_path / "recommendation.toml"), "--to", name, *flags, "-o", str(tmp_path / "cli")]
    assert run(arguments) == 0
    saved = {path.name: path.read_bytes() for path in (tmp_path / "deploy").iterdir()}
    assert saved == {path.name: path.read_bytes() for path in (tmp_path / "cli").iterdir()}


async def test_each_file_is_shown_by_key_and_what_is_shown_is_copied(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await take(app, pilot, "compose")
        seen = []
        for _ in range(3):
            await press(pilot, "y")
            seen.append(app.clipboard)
            await press(pilot, "f")
        assert seen[0].startswith("# Made from 'recommendation'.")
        assert seen[1].startswith("#!/usr/bin/env bash")
        assert seen[2].splitlines()[0] == "! no hash of the weights is published."
        assert "Duty: ship a file named Notice." in seen[2]
        await press(pilot, "y")
        assert app.clipboard == seen[0]


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_by_mouse_alone_files_are_chosen_looked_at_and_saved(tmp_path: Path, size: tuple[int, int]) -> None:
    async with started(PinnedAdvisor(), "5", size=size, folder=tmp_path) as (app, pilot):
        await pilot.click(Choice)
        await click_text(app, pilot, "markdown")
        await until(pilot, lambda: "name: example" in text_of(app))
        await click_text(app, pilot, "-and-a-long-name.sh", nth=-1)
        await until(pilot, lambda: "set -eu" in text_of(app))
        await pilot.click("#save")
        await until(pilot, lambda: "✓ saved: 2 files" in text_of(app))
    assert len(list((tmp_path / "deploy").iterdir())) == 2


async def test_of_files_that_exist_none_is_touched_before_a_yes(tmp_path: Path) -> None:
    taken = tmp_path / "deploy" / "compose-example-small-8b-instruct.yaml"
    taken.parent.mkdir()
    taken.write_text("mine", "utf-8")
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await take(app, pilot, "compose")
        await press(pilot, "ctrl+s")
        assert place_of(app) == "ConfirmScreen"
        assert f"exists {taken.name}. Write over it?" in words_of(app)
        await press(pilot, "escape")
        assert "nothing was written. Choose another folder." in words_of(app)
        assert [path.read_text("utf-8") for path in taken.parent.iterdir()] == ["mine"]
        await press(pilot, "ctrl+s", "y")
        await until(pilot, lambda: "✓ saved: 2 files" in text_of(app))
        assert "The recommendation itself is not saved yet." in words_of(app)
    assert taken.read_text("utf-8").startswith("# Made from")


async def test_a_file_is_no_folder_and_each_kind_of_place_keeps_what_was_typed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("", "utf-8")
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        field = app.screen.query_one("#path", Input)
        field.value = "./my.toml"
        await take(app, pilot, "compose")
        assert field.value == "./deploy"
        field.value = "./mine"
        await press(pilot, "ctrl+s")
        assert "mine is a file. Name a folder" in words_of(app)
        app.screen.query_one(Choice).focus()
        await press(pilot, *["left"] * (export_of_choices(app).index("compose") + 1))
        assert field.value == "./my.toml"
        await press(pilot, "right")
        assert field.value == "./mine"


async def test_a_target_that_cannot_serve_the_pick_says_why_and_what_to_press(tmp_path: Path) -> None:
    choice = MachineChoice(file=DESKTOP)
    async with started(Advisor(), "5", folder=tmp_path, choice=choice) as (app, pilot):
        await take(app, pilot, "llama-server")
        assert "for a machine that was described, not probed" in words_of(app)
        assert "o chooses another target, p opens the options of this one." in words_of(app)
        await press(pilot, "ctrl+s")
        assert "✗ there is nothing to save now" in text_of(app)
        await press(pilot, "a")
        await until(pilot, lambda: len(export_of(app).previews) > 1)
        notes = export_of(app).previews[-1].text
        assert "! made for a machine that was described, not probed" in notes
    assert list(tmp_path.iterdir()) == []


async def test_the_target_stays_when_another_pick_is_selected(tmp_path: Path) -> None:
    async with started(HereAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await take(app, pilot, "markdown")
        first = export_of(app).previews[0].text
        await press(pilot, "3", "down", "5")
        await until(pilot, lambda: bool(export_of(app).previews))
        chosen = app.session.chosen
        assert chosen is not None
        assert export_of(app).previews[0].name == "recommendation.md"
        assert chosen.model.id in export_of(app).previews[0].text
        assert export_of(app).previews[0].text != first


async def test_looking_again_makes_nothing_anew_and_so_changes_no_hash(tmp_path: Path) -> None:
    async with started(HereAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await until(pilot, lambda: bool(export_of(app).previews))
        first = export_of(app).previews
        await press(pilot, "4", "5")
        await at_rest(pilot, 0.3)
        assert export_of(app).previews is first


async def test_without_a_pick_every_target_says_why_there_is_nothing(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(ranked=()), "5", folder=tmp_path) as (app, pilot):
        await at_rest(pilot)
        assert "No model passes what you need." in words_of(app)
        assert "x lists all that are excluded" in words_of(app)
        assert app.screen.query_one("#save", Button).disabled
        await take(app, pilot, "compose")
        await press(pilot, "y", "f", "a", "ctrl+s")
        assert app.clipboard == ""
        assert "No model passes what you need." in words_of(app)


async def test_a_long_name_loses_its_beginning_not_its_end(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "5", size=(40, 24), folder=tmp_path) as (app, pilot):
        await take(app, pilot, "llama-server")
        names = [str(option.prompt) for option in app.screen.query_one(FileList).options]
        assert names[1].startswith("…")
        assert names[1].endswith("-and-a-long-name.sh")
