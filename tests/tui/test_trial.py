"""A trial from Proof on a real model: words and results of the command line, stopped at once, gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from advisor.cli.main import run
from advisor.domain.local_files import LocalFile, LocalFiles, Match
from advisor.domain.trial.requests import TrialRequest
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.trial import TrialScreen
from advisor.tui.widgets.marks import YesNo
from advisor.tui.widgets.tick_list import TickList
from tests.trial.test_reading import written
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import RANKED, PinnedAdvisor

TASKS: list[dict[str, Any]] = [
    {
        "id": "capital",
        "prompt": "Name the capital city of France.",
        "expected": "Paris",
        "check": "contains",
        "max_tokens": 6,
    },
    {"id": "sum", "prompt": "What is 2 + 2?", "expected": 4, "check": "numeric", "tags": ["sums"], "max_tokens": 6},
]
LONG: list[dict[str, Any]] = [
    {"id": str(i), "prompt": f"Tell of {i} dogs.", "expected": "dog", "check": "contains"} for i in range(40)
]


class EmptyMachine(PinnedAdvisor):
    """No model files in any of the usual places."""

    here: tuple[LocalFile, ...] = ()

    def local_files(self, *_: Any, **__: Any) -> LocalFiles:
        return LocalFiles(self.here, ())


def file_of(name: str, path: Path, quantization: str = "Q4_K_M") -> LocalFile:
    match = Match(name, quantization, "hash")
    return LocalFile(str(path), "a folder", path.name, "model", 98_000_000, has_tokenizer=True, match=match)


def words_of(app: AdvisorApp) -> str:
    return " ".join(text_of(app).split())


async def opened(app: AdvisorApp, pilot: Drive) -> None:
    await press(pilot, "4", "o")
    await until(pilot, lambda: "looking for model files" not in text_of(app))


async def test_the_outcome_is_that_of_the_command_line_and_saves_the_same_bytes(
    tmp_path: Path, smollm2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = written(tmp_path, *TASKS)
    async with started(EmptyMachine(), folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        app.screen.query_one("#tasks", Input).value = tasks.name
        app.screen.query_one("#add", Input).value = str(smollm2)
        app.screen.query_one("#add", Input).focus()
        await press(pilot, "enter", "ctrl+s")
        await until(pilot, lambda: app.screen.has_class("-tried"), 60)
        shown = words_of(app)
        assert f"{smollm2.stem}: 2 of 2 tasks" in shown
        app.screen.query_one("#trial-outcome").focus()
        await press(pilot, "s")
        await until(pilot, lambda: "✓ saved" in text_of(app))
    assert run(["trial", str(tasks), "--file", str(smollm2), "-o", str(tmp_path / "cli.json"), "--plain"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split("\t")
    assert all(cell in shown for cell in row[1:4])
    assert (tmp_path / "trial.json").read_bytes() == (tmp_path / "cli.json").read_bytes()


async def test_a_stop_is_at_once_keeps_every_answer_and_the_same_key_goes_on(tmp_path: Path, smollm2: Path) -> None:
    tasks = written(tmp_path, *LONG)
    advisor = EmptyMachine()
    advisor.here = (file_of(RANKED[0].model.id, smollm2),)
    async with started(advisor, folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        app.screen.query_one("#tasks", Input).value = tasks.name
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: " 1 of 40 tasks" in text_of(app) or " 2 of 40 tasks" in text_of(app), 60)
        await press(pilot, "escape")
        await until(pilot, lambda: "Every answer so far is kept" in words_of(app), 5)
        assert place_of(app) == "TrialScreen"
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: " known before" in words_of(app), 60)
        await press(pilot, "escape")
        await until(pilot, lambda: "Every answer so far is kept" in words_of(app), 5)
        await press(pilot, "escape")
        assert place_of(app) == "proof"


async def test_the_selected_models_file_is_ticked_and_ticks_are_changed_by_key_and_mouse(tmp_path: Path) -> None:
    advisor = EmptyMachine()
    advisor.here = (file_of("other", tmp_path / "a.gguf"), file_of(RANKED[0].model.id, tmp_path / "b.gguf"))
    async with started(advisor, size=(80, 24), folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        ticks = app.screen.query_one(TickList)
        assert ticks.ticked == [str(tmp_path / "b.gguf")]
        assert "[x] example-small-8b-instruct:Q4_K_M" in text_of(app)
        ticks.focus()
        await press(pilot, "down", "space")
        assert ticks.ticked == [str(tmp_path / "b.gguf"), str(tmp_path / "a.gguf")]
        await pilot.click(TickList, offset=(3, 0))
        await pilot.pause()
        assert ticks.ticked == [str(tmp_path / "a.gguf")]


async def test_a_file_that_is_added_while_others_are_looked_for_stays(tmp_path: Path) -> None:
    async with started(EmptyMachine(), size=(80, 24), folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        (tmp_path / "own.gguf").write_bytes(b"GGUF")
        app.screen.query_one("#add", Input).value = "own.gguf"
        app.screen.query_one("#add", Input).focus()
        await press(pilot, "enter")
        app.screen.post_message(TrialScreen.Looked({"/here/b.gguf": "b"}, {"/here/b.gguf"}))
        await pilot.pause()
        ticks = app.screen.query_one(TickList)
        assert ticks.ticked == ["/here/b.gguf", str(tmp_path / "own.gguf")]


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path, size: tuple[int, int]) -> None:
    async with started(EmptyMachine(), size=size, folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        assert "No model file that could answer is on this machine." in words_of(app)
        await press(pilot, "ctrl+s")
        assert "✗ no file of tasks is named." in words_of(app)
        app.screen.query_one("#tasks", Input).value = "missing.jsonl"
        await press(pilot, "ctrl+s")
        assert "✗ no model file is ticked." in words_of(app)
        app.screen.query_one("#add", Input).value = "missing.gguf"
        app.screen.query_one("#add", Input).focus()
        await press(pilot, "enter")
        # A long path is broken where the line ends.
        assert "missing.gguf is no file.".replace(" ", "") in words_of(app).replace(" ", "")
        app.screen.query_one("#trial-outcome").focus()
        await press(pilot, "s")
        assert "nothing was tried yet that could be saved" in words_of(app)
        await press(pilot, "b")
        assert "nothing was tried yet that could be judged" in words_of(app)


async def test_tasks_that_cannot_be_read_are_said_in_the_words_of_the_command_line(tmp_path: Path) -> None:
    advisor = EmptyMachine()
    advisor.here = (file_of(RANKED[0].model.id, tmp_path / "b.gguf"),)
    (tmp_path / "tasks.jsonl").write_text('{"id": 1}\n', "utf-8")
    async with started(advisor, folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        assert app.screen.query_one("#tasks", Input).value == "./tasks.jsonl"
        await press(pilot, "enter")
        await until(pilot, lambda: "✗" in text_of(app))
        assert "tasks.jsonl" in words_of(app)
        assert "prompt" in words_of(app)
        assert not app.screen.query_one("#trial-start", Button).disabled


async def test_letters_go_into_the_fields_and_code_runs_only_where_that_is_asked(tmp_path: Path) -> None:
    asked: list[TrialRequest] = []

    class Noting(EmptyMachine):
        def trial(self, request: TrialRequest, **_: Any) -> Any:
            asked.append(request)
            raise AssertionError

    advisor = Noting()
    advisor.here = (file_of(RANKED[0].model.id, tmp_path / "b.gguf"),)
    async with started(advisor, folder=tmp_path) as (app, pilot):
        await opened(app, pilot)
        await press(pilot, *"bsq")
        assert app.screen.query_one("#tasks", Input).value == "bsq"
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: len(asked) == 1)
        assert not asked[0].allow_code
        assert asked[0] == TrialRequest(tmp_path / "bsq", (tmp_path / "b.gguf",))
        assert app.screen.query_one(YesNo).value is False
        await until(pilot, lambda: "the trial broke off" in words_of(app))
        await until(pilot, lambda: "unexpected AssertionError" in words_of(app))
        assert not app.screen.query_one("#trial-start", Button).disabled
