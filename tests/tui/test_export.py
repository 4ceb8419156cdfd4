"""Saving: nothing is overwritten by accident, and a failure loses nothing."""

from __future__ import annotations

from pathlib import Path

import tomli
from textual.widgets import Input

from advisor.tui.app import AdvisorApp
from advisor.tui.widgets.path_field import completed
from tests.tui.driving import place_of, press, started, text_of, until
from tests.tui.pinned import RANKED, HereAdvisor, PinnedAdvisor


def path_of(app: AdvisorApp) -> Input:
    return app.screen.query_one("#path", Input)


async def test_the_preview_is_saved_under_the_default_name(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "3", "e", folder=tmp_path) as (app, pilot):
        await until(pilot, lambda: RANKED[0].model.id in text_of(app))
        await press(pilot, "enter")
        assert "✓ saved" in text_of(app)
    saved = tomli.loads((tmp_path / "recommendation.toml").read_text("utf-8"))
    assert saved["recommendation"]["model"] == RANKED[0].model.id


async def test_an_existing_file_is_overwritten_only_after_a_question(tmp_path: Path) -> None:
    file = tmp_path / "recommendation.toml"
    file.write_text("mine", "utf-8")
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        for answer in ("escape", "enter", "n"):
            await press(pilot, "ctrl+s")
            assert place_of(app) == "ConfirmScreen"
            assert "exists. Write over it?" in " ".join(text_of(app).replace("│", " ").split())
            await press(pilot, answer)
            assert place_of(app) == "export"
            assert "was left as it is. Choose another name." in " ".join(text_of(app).split())
            assert file.read_text("utf-8") == "mine"
        await press(pilot, "ctrl+s", "y")
        await until(pilot, lambda: "✓ saved" in text_of(app))
        await press(pilot, "q")
        await until(pilot, lambda: not app.is_running)
    assert "schema_version" in file.read_text("utf-8")


async def test_a_folder_is_no_file_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        path_of(app).value = "./out"
        await press(pilot, "ctrl+s")
        assert "is a folder. Add a name, for example recommendation.toml" in " ".join(text_of(app).split())
        path_of(app).value = "~nobody-of-this-name/x.toml"
        await press(pilot, "ctrl+s")
        assert (tmp_path / "~nobody-of-this-name" / "x.toml").is_file()


async def test_the_shown_file_is_sent_to_the_clipboard_and_that_is_said(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await until(pilot, lambda: RANKED[0].model.id in text_of(app))
        await press(pilot, "y")
        assert RANKED[0].model.id in app.clipboard
        assert "was sent to the clipboard" in " ".join(text_of(app).split())


async def test_the_right_arrow_completes_a_path_from_the_disk(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        path_of(app).focus()
        path_of(app).clear()
        await press(pilot, *"./re")
        await until(pilot, lambda: path_of(app)._suggestion == "./reports/")
        await press(pilot, "right", *"pick.toml", "enter")
        await until(pilot, lambda: (tmp_path / "reports" / "pick.toml").is_file())


def test_completion_knows_folders_hides_hidden_files_and_fears_no_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".hidden").write_text("", "utf-8")
    (tmp_path / "alpha.toml").write_text("", "utf-8")
    assert completed("a", tmp_path) == "alpha.toml"
    assert completed("./b", tmp_path) == "./b/"
    assert completed("b/", tmp_path) is None
    assert completed("b/.h", tmp_path) == "b/.hidden"
    assert completed("nowhere/x", tmp_path) is None
    assert completed("", tmp_path) is None
    assert completed("a\x00/", tmp_path) is None


async def test_an_unwritable_place_is_said_and_everything_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    async with started(PinnedAdvisor(), "2", "space", "5", folder=tmp_path) as (app, pilot):
        path_of(app).value = "file/[x]/recommendation.toml"
        await press(pilot, "ctrl+s")
        shown = " ".join(text_of(app).split())
        assert "file/[x]/recommendation.toml cannot be written: Not a directory" in shown
        assert path_of(app).value == "file/[x]/recommendation.toml"
        assert app.session.answers["use.commercial"] is False
        assert place_of(app) == "export"


async def test_q_is_a_letter_in_the_path_and_a_command_elsewhere(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "5", folder=tmp_path) as (app, pilot):
        path_of(app).focus()
        await press(pilot, "end", "q")
        assert path_of(app).value.endswith("q")
        await press(pilot, "escape", "q")
        await until(pilot, lambda: not app.is_running)


async def test_the_smoke_test_of_the_selected_model_goes_into_the_file(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "3", "t", folder=tmp_path) as (app, pilot):
        await until(pilot, lambda: "✓ passed" in text_of(app))
        await press(pilot, "e", "ctrl+s")
        await until(pilot, lambda: "with its smoke test" in text_of(app))
    assert tomli.loads((tmp_path / "recommendation.toml").read_text("utf-8"))["smoke"]["verdict"] == "pass"


async def test_saved_answers_can_be_left_without_a_question(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(), "2", "space", "5", "ctrl+s", "q", folder=tmp_path) as (app, pilot):
        await until(pilot, lambda: not app.is_running)


async def test_without_a_pick_there_is_nothing_to_export(tmp_path: Path) -> None:
    async with started(PinnedAdvisor(ranked=()), "5", "ctrl+s", folder=tmp_path) as (app, _):
        assert "Nothing to export" in text_of(app)
    assert list(tmp_path.glob("*.toml")) == []


async def test_the_selected_model_of_the_real_catalogue_is_exported_with_the_answers(tmp_path: Path) -> None:
    async with started(HereAdvisor(), "2", "space", "3", "down", "5", folder=tmp_path) as (app, pilot):
        chosen = app.session.chosen
        assert chosen is not None
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: (tmp_path / "recommendation.toml").is_file())
    saved = tomli.loads((tmp_path / "recommendation.toml").read_text("utf-8"))
    assert saved["recommendation"]["model"] == chosen.model.id
    assert saved["constraints"]["use"]["commercial"] is False
