"""The form: valid answers count at once, invalid ones stay as typed."""

from __future__ import annotations

from textual.widgets import Input

from advisor.domain.presentation import remaining_text
from advisor.tui.app import AdvisorApp
from advisor.tui.widgets.choice import Choice
from advisor.tui.widgets.marks import Ticks, YesNo
from advisor.tui.widgets.question_row import QuestionRow
from tests.tui.driving import Drive, at_rest, place_of, press, started, text_of, until
from tests.tui.pinned import HereAdvisor, PinnedAdvisor


def row_of(app: AdvisorApp, key: str) -> QuestionRow:
    return next(row for row in app.screen.query(QuestionRow) if row.question.key == key)


async def type_into(app: AdvisorApp, pilot: Drive, key: str, text: str) -> None:
    """Replace the text of a field by typing."""
    field = row_of(app, key).query_one(Input)
    field.focus()
    await press(pilot, "end", "ctrl+u")
    await pilot.press(*text)
    await at_rest(pilot)


async def test_every_question_that_is_not_advanced_is_asked_and_the_others_on_request() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        questions = app.session.advisor.questionnaire.questions
        assert [r.question for r in app.screen.query(QuestionRow)] == [q for q in questions if not q.advanced]
        await press(pilot, "a")
        await until(pilot, lambda: [r.question for r in app.screen.query(QuestionRow)] == list(questions))


async def test_a_valid_answer_changes_the_count_with_the_real_catalogue() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        before = app.session.found
        assert before is not None
        assert remaining_text(before) in text_of(app)
        await type_into(app, pilot, "languages.required", "en, fr")
        await until(pilot, lambda: app.session.found is not before)
        after = app.session.found
        assert after is not None
        assert after.constraints.languages.required == ("en", "fr")
        assert len(after.ranked) < len(before.ranked)
        assert remaining_text(after) in text_of(app)


async def test_an_invalid_answer_stays_as_typed_is_marked_and_counts_for_nothing() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        await type_into(app, pilot, "task.context_tokens", "12")
        assert app.session.answers["task.context_tokens"] == 8192
        assert "expected a whole number from 256" in text_of(app)
        assert "not counted, because invalid: 1" in text_of(app)
        await press(pilot, "escape", "3", "2")
        row = row_of(app, "task.context_tokens")
        assert row.query_one(Input).value == "12"
        assert row.error_text is not None
        await type_into(app, pilot, "task.context_tokens", "4096")
        assert app.session.answers["task.context_tokens"] == 4096
        assert row.error_text is None
        assert "not counted" not in text_of(app)


async def test_drafts_survive_a_rebuilt_form() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        await type_into(app, pilot, "scale.users", "many")
        await press(pilot, "escape", "a")
        await until(pilot, lambda: len(app.screen.query(QuestionRow)) == len(app.session.advisor.questionnaire.keys()))
        assert row_of(app, "scale.users").query_one(Input).value == "many"
        assert row_of(app, "scale.users").error_text is not None


async def test_answers_are_kept_wherever_one_goes() -> None:
    async with started(PinnedAdvisor(), "2", "space") as (app, pilot):
        await type_into(app, pilot, "scale.users", "250")
        await press(pilot, "escape", "1", "3", "4", "5", "2")
        assert app.session.answers["use.commercial"] is False
        assert app.session.answers["scale.users"] == 250
        assert row_of(app, "scale.users").query_one(Input).value == "250"
        assert row_of(app, "use.commercial").query_one(YesNo).value is False


async def test_answers_that_contradict_one_another_are_said_at_the_question_named() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        await type_into(app, pilot, "scale.prompt_tokens", "9000")
        await until(pilot, lambda: row_of(app, "task.context_tokens").error_text is not None)
        assert "cannot hold a prompt of 9,000" in " ".join(text_of(app).split())
        assert app.session.found is not None
        assert app.session.found.constraints.scale.prompt_tokens != 9000
        await type_into(app, pilot, "scale.prompt_tokens", "900")
        await until(pilot, lambda: row_of(app, "task.context_tokens").error_text is None)


async def test_letters_and_digits_are_inert_while_typing() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        row_of(app, "languages.required").query_one(Input).focus()
        await pilot.press("end", *"q1tre?/5xs")
        await at_rest(pilot)
        assert place_of(app) == "needs"
        assert app.is_running
        assert app.session.smoke is None
        assert row_of(app, "languages.required").query_one(Input).value == "enq1tre?/5xs"


async def test_arrows_walk_through_the_questions_and_go_on_after_a_field_is_left() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        row_of(app, "scale.users").query_one(Input).focus()
        await press(pilot, "down", "escape", "down")
        assert row_of(app, "scale.prompt_tokens").has_focus_within
        await press(pilot, "up", "up", "up")
        assert row_of(app, "languages.required").has_focus_within


async def test_the_help_of_the_focused_question_is_shown() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        for key in ("use.commercial", "task.kind", "machine.reserve_ram"):
            row = row_of(app, key)
            row.editor.focus()
            await pilot.pause(0.05)
            assert row.question.help[:30] in " ".join(text_of(app).split())


async def test_switches_show_their_state_in_shape_and_word() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        switch = row_of(app, "use.commercial").query_one(YesNo)
        assert switch.render().plain == "[x] yes"
        await press(pilot, "space")
        assert switch.render().plain == "[ ] no"
        await pilot.click(switch)
        assert switch.render().plain == "[x] yes"
        ticks = row_of(app, "preferences.families").query_one(Ticks)
        ticks.focus()
        await press(pilot, "right", "space")
        assert ticks.render().plain.split() == ["[x]", "Mistral", ">[", "]", "Llama"]
        assert app.session.answers["preferences.families"] == ("mistral",)
        await press(pilot, "left", "space")
        assert row_of(app, "preferences.families").error_text is not None
        assert app.session.answers["preferences.families"] == ("mistral",)


async def test_a_choice_is_made_from_its_list() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        row_of(app, "task.kind").query_one(Choice).focus()
        await press(pilot, "enter", "down", "enter")
        assert app.session.answers["task.kind"] == "coding"
        assert "• Task" in text_of(app)
        await press(pilot, "right")
        assert app.session.answers["task.kind"] == "reasoning"
        await press(pilot, "enter", "up", "escape")
        assert app.session.answers["task.kind"] == "reasoning"
        assert place_of(app) == "needs"


async def test_defaults_put_every_answer_back() -> None:
    async with started(PinnedAdvisor(), "2", "space") as (app, pilot):
        await type_into(app, pilot, "scale.users", "many")
        await press(pilot, "escape", "d")
        await until(pilot, lambda: not app.session.has_own_answers and not app.session.drafts)
        assert row_of(app, "scale.users").query_one(Input).value == "1"
        assert row_of(app, "use.commercial").query_one(YesNo).value is True


async def test_typed_text_is_never_markup() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        for text in ("[bold]x[/bold]", "[/nothing", "\x1b[31mred"):
            row_of(app, "languages.required").query_one(Input).value = text
            await at_rest(pilot)
            error = row_of(app, "languages.required").error_text
            assert error is not None
            assert "is no language code" in error
        assert place_of(app) == "needs"
