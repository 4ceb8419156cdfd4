"""Options of an export: those of the command line, the same bytes, and only where they change something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.events import Key
from textual.widgets import Input

from advisor.cli.main import run
from advisor.domain.export_request import EXPORT_OPTIONS, ExportChoice, ExportRequest
from advisor.errors import AdvisorError
from advisor.service import Advisor, MachineChoice
from advisor.tui.app import AdvisorApp
from advisor.tui.screens import export
from advisor.tui.widgets.option_form import OptionForm
from advisor.tui.widgets.question_row import QuestionRow
from tests.tui.driving import Drive, at_rest, place_of, press, started, text_of, until
from tests.tui.pinned import HereAdvisor, PinnedAdvisor
from tests.tui.test_export_targets import DESKTOP, export_of, take, words_of

TYPED = {
    "llama-server": {"slots": "3", "gguf": "someone/some-GGUF/model.Q4_K_M.gguf", "port": "9001"},
    "kubernetes vllm": {"node": "g6e.xlarge", "replicas": "3", "image": "registry.example/vllm:1", "port": "9001"},
}
OTHER = {
    "node": "H100 server", "quantization": "BF16", "slots": 3, "replicas": 7, "gguf": "some/repo/mine.gguf",
    "port": 9001,
    "image": "registry.example/engine:1",
}  # fmt: skip
"""A value for each option that is not the one taken without a word."""


def row_of(app: AdvisorApp, key: str) -> QuestionRow:
    return next(row for row in app.screen.query(QuestionRow) if row.question.key == key)


async def decide(app: AdvisorApp, pilot: Drive, **options: str) -> None:
    """Type options into the open form, and wait for what they lead to."""
    screen = app.screen
    assert isinstance(screen, export.ExportScreen)
    for key, text in options.items():
        row_of(app, key).fill(text)
    await at_rest(pilot, 2 * export._DEBOUNCE_S)
    await until(pilot, lambda: screen._job is None or screen._job.request == screen._request())
    await at_rest(pilot)


@pytest.mark.parametrize("target", TYPED)
async def test_the_files_are_those_of_the_command_line_with_the_same_options(tmp_path: Path, target: str) -> None:
    async with started(HereAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: (tmp_path / "recommendation.toml").is_file())
        await take(app, pilot, target)
        before = export_of(app).previews[0].text
        await press(pilot, "p")
        await decide(app, pilot, **TYPED[target])
        assert export_of(app).previews[0].text != before
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "✓ saved" in text_of(app))
    flags = {option.question.key: option.flag for option in EXPORT_OPTIONS}
    name, *engine = target.split()
    typed = ["export", str(tmp_path / "recommendation.toml"), "--to", name, "-o", str(tmp_path / "cli")]
    typed += ["--engine", engine[0]] if engine else []
    for key, text in TYPED[target].items():
        typed += [flags[key], text]
    assert run(typed) == 0
    saved = {path.name: path.read_bytes() for path in (tmp_path / "deploy").iterdir()}
    assert saved == {path.name: path.read_bytes() for path in (tmp_path / "cli").iterdir()}


async def test_only_options_that_matter_are_shown_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with started(HereAdvisor(), "5", folder=tmp_path) as (app, pilot):
        form = app.screen.query_one(OptionForm)
        assert not form.display
        await press(pilot, "p")
        assert any("have no options" in note.message for note in app._notifications)
        await take(app, pilot, "ollama")
        await press(pilot, "p")
        assert [row.question.key for row in form.query(QuestionRow) if row.display] == ["node", "slots", "gguf"]
        await decide(app, pilot, slots="5")
        await press(pilot, "escape")
        assert "▾ Options (p): requests at once 5" in text_of(app)
        await press(pilot, "escape")
        assert "▸ Options (p): requests at once 5" in text_of(app)
        assert place_of(app) == "export"
        await take(app, pilot, "ray-llama-cpp")
        assert "▸ Options (p)" in text_of(app)
        assert "requests at once" not in text_of(app)
        await take(app, pilot, "compose")
        assert "requests at once 5" in text_of(app)
        assert form.answers == {"slots": 5}


async def test_while_an_option_is_invalid_nothing_is_saved_with_another_value(tmp_path: Path) -> None:
    async with started(HereAdvisor(), "5", folder=tmp_path) as (app, pilot):
        await take(app, pilot, "llama-server")
        await press(pilot, "p")
        await decide(app, pilot, port="eighty")
        assert "expected a whole number from 1 to 65,535" in words_of(app)
        assert "no files are made while an option cannot be used: Port" in words_of(app)
        await press(pilot, "ctrl+s")
        assert "there is nothing to save now" in words_of(app)
        await decide(app, pilot, port="8081")
        assert "8081" in export_of(app).previews[0].text
        await decide(app, pilot, gguf="nothing")
        assert "is no GGUF file" in words_of(app)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_by_mouse_the_options_open_and_fold(tmp_path: Path, size: tuple[int, int]) -> None:
    async with started(PinnedAdvisor(), "5", size=size, folder=tmp_path) as (app, pilot):
        await take(app, pilot, "compose")
        await pilot.click("#options-line")
        await until(pilot, lambda: bool(app.screen.query(QuestionRow)))
        await pilot.pause()
        assert isinstance(app.focused, Input)
        assert "Kind of machine" in text_of(app)
        await pilot.click("#options-line")
        await until(pilot, lambda: "Kind of machine" not in text_of(app))


@pytest.fixture(scope="module")
def planning() -> Advisor:
    """One that plans for many users once, whatever is exported."""
    advisor = Advisor()
    advisor._kept_plans = {}
    return advisor


@pytest.fixture(scope="module")
def described(planning: Advisor) -> str:
    answers = planning.answers()
    found = planning.recommend(planning.machine(MachineChoice(file=DESKTOP)), planning.constraints(answers))
    return planning.recommendation_text(found, answers)


@pytest.mark.parametrize("choice", Advisor().export_choices(), ids=lambda choice: choice.key)
def test_an_option_is_offered_exactly_where_it_changes_what_is_made(
    planning: Advisor, described: str, choice: ExportChoice
) -> None:
    def made(**options: Any) -> dict[str, str] | None:
        request = ExportRequest(engine=choice.engine, allow_simulated=True, **options)
        try:
            return dict(planning.export_text(described, choice.target, "rec", request).texts)
        except AdvisorError:
            return None

    plain = made()
    assert plain is not None
    offered = {option.question.key for option in choice.options}
    for key, value in OTHER.items():
        changed = made(**{key: value})
        assert (changed not in (None, plain)) == (key in offered), key


@pytest.mark.parametrize("size", [(120, 36), (40, 12)])
async def test_arrows_lead_from_option_to_option_also_where_they_have_to_scroll(size: tuple[int, int]) -> None:
    async with started(PinnedAdvisor(), "5", size=size) as (app, pilot):
        await take(app, pilot, "compose")
        await press(pilot, "p")
        fields = [row.query_one(Input) for row in app.screen.query(QuestionRow) if row.display]
        assert app.focused is fields[0]
        for later in fields[1:]:
            await press(pilot, "down")
            assert app.focused is later
        await press(pilot, "up")
        assert app.focused is fields[-2]


async def test_keys_of_the_same_burst_as_the_one_that_leaves_count_for_nothing() -> None:
    async with started(PinnedAdvisor(), "5") as (app, pilot):
        await take(app, pilot, "compose")
        for key in "qp":
            app.post_message(Key(key, key))
        await until(pilot, lambda: not app.is_running)
    assert app._exception is None
