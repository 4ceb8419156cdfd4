"""The user's own keys, themes and characters, and what is remembered of them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from advisor.errors import InputError
from advisor.settings import Settings, config_file, load_settings, remember_theme, remembered_theme
from advisor.tui.app import AdvisorApp
from advisor.tui.ascii import ascii_text
from advisor.tui.checking import check_settings
from advisor.tui.commands import COMMANDS
from advisor.tui.keymap import keymap
from advisor.tui.places import PLACE_IDS
from advisor.tui.theme import THEMES
from tests.cli.running import as_process
from tests.tui.driving import at_rest, place_of, press, text_of, until
from tests.tui.pinned import PinnedAdvisor

TUI = Path(__file__).parents[2] / "advisor" / "tui"


def app_with(settings: Settings) -> AdvisorApp:
    return AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"), settings)


def write(text: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text, "utf-8")


def test_without_a_file_the_defaults_hold_and_nothing_is_created() -> None:
    assert load_settings() == Settings()
    assert not config_file().parent.exists()


def test_a_file_says_theme_characters_and_keys_quoted_or_not() -> None:
    write('theme = "okabe-ito"\nascii = true\n[keys]\nmeasure.best = "f6"\n"smoke" = "f7,ctrl+t"\n')
    keys = {"measure.best": "f6", "smoke": "f7,ctrl+t"}
    assert load_settings() == Settings("okabe-ito", True, keys)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('them = "x"', r"config\.toml: them: unknown key.*Did you mean 'theme'"),
        ("theme = 1", r"config\.toml: theme: .*string"),
        ("ascii = 1", r"config\.toml: ascii: .*boolean"),
        ("theme = ", r"config\.toml is not valid TOML"),
        ("[keys]\nsmoke = 1", r"config\.toml: keys\.smoke: .*string"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(text: str, error: str) -> None:
    write(text)
    with pytest.raises(InputError) as caught:
        load_settings()
    assert re.search(error, str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"smok": "f6"}, "keys.smok: unknown command. Did you mean 'smoke'?"),
        ({"smoke": " , "}, "keys.smoke: no key is given"),
        ({"smoke": "q"}, "q has two meanings"),
        ({"smoke": "/"}, "/ has two meanings"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys: dict[str, str], error: str) -> None:
    with pytest.raises(InputError) as caught:
        keymap(keys, name="config.toml")
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('theme = "okabe-ita"', "theme: there is no theme 'okabe-ita'. Did you mean 'okabe-ito'?"),
        ('[keys]\nsmok = "f6"', "keys.smok: unknown command. Did you mean 'smoke'?"),
        ('[keys]\nsmoke = "q"', "q has two meanings"),
    ],
)
def test_the_command_line_refuses_in_one_line_what_the_screens_would(text: str, error: str) -> None:
    write(text)
    found = as_process("settings")
    assert (found.code, found.out) == (2, "")
    assert error in found.err
    assert len(found.err.splitlines()) == 1


def test_the_command_line_takes_every_theme_that_the_screens_have() -> None:
    for theme in app_with(Settings()).available_themes:
        check_settings(Settings(theme=theme, keys={"smoke": "f7,ctrl+t"}))


def test_the_command_line_loads_no_screens_where_there_is_nothing_to_check() -> None:
    script = "import sys; from advisor.__main__ import _run; _run(['settings']); sys.exit('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "defaults hold" in done.stdout


async def test_a_changed_key_works_is_shown_everywhere_and_the_old_one_is_dead() -> None:
    app = app_with(Settings(keys={"export": "f6", "measure.best": "ctrl+k"}))
    async with app.run_test(size=(120, 50)) as pilot:
        await until(pilot, lambda: app.session.found is not None)
        await press(pilot, "3", "e")
        assert place_of(app) == "picks"
        assert "f6 Export" in text_of(app).splitlines()[-1]
        assert "Export (f6)" in {entry.title for entry in app.get_system_commands(app.screen)}
        await press(pilot, "question_mark")
        assert "f6 Save the selected model" in " ".join(text_of(app).split())
        await press(pilot, "escape", "f6")
        assert place_of(app) == "export"


async def test_f1_tells_of_what_has_the_focus() -> None:
    app = app_with(Settings())
    async with app.run_test(size=(120, 50)) as pilot:
        await until(pilot, lambda: app.session.found is not None)
        for key, text in (("3", "up and down select a row"), ("2", "Commercial use."), ("5", "What the keys do here")):
            await press(pilot, key)
            await at_rest(pilot)
            await press(pilot, "f1")
            assert text in " ".join(text_of(app).replace("│", " ").split())
            await press(pilot, "escape")


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_of_the_program_shows_every_place(theme: str) -> None:
    app = app_with(Settings(theme=theme))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.found is not None)
        assert app.theme == theme
        for i, place in enumerate(PLACE_IDS, start=1):
            await press(pilot, str(i))
            assert place_of(app) == place


async def test_a_theme_chosen_in_the_screens_is_there_the_next_time() -> None:
    app = app_with(Settings())
    async with app.run_test() as pilot:
        app.theme = "advisor-contrast"
        await pilot.pause()
    assert remembered_theme() == "advisor-contrast"
    assert app_with(Settings()).theme == "advisor-contrast"
    remember_theme("no such theme")
    assert app_with(Settings()).theme == THEMES[0].name


def test_an_unknown_theme_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"there is no theme 'advisor-lite'. Did you mean 'advisor-light'"):
        app_with(Settings(theme="advisor-lite"))


async def test_in_ascii_mode_nothing_else_is_drawn_and_states_differ_by_shape() -> None:
    app = app_with(Settings(ascii=True))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: app.session.found is not None)
        for keys in (("1",), ("2", "a"), ("3",), ("question_mark",), ("escape", "4", "t"), ("5",)):
            await press(pilot, *keys)
            await at_rest(pilot)
            assert text_of(app).isascii(), keys
        await press(pilot, "2")
        assert "[x] " in text_of(app)
        assert "[ ] " in text_of(app)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))))
def test_ascii_text_is_ascii_and_as_wide_as_it_was(text: str) -> None:
    # Each character is rewritten alone, so what joins characters into one cell has no part in it.
    for character in text:
        assert ascii_text(character).isascii()
        assert len(ascii_text(character)) == cell_len(character)


def test_parts_of_a_bar_and_levels_of_a_sparkline_stay_apart() -> None:
    assert len(set(ascii_text("█▓▒·"))) == 4
    assert len(set(ascii_text("█░"))) == 2
    assert len(set(ascii_text("▁▂▃▄▅▆▇█"))) == 8
    assert ascii_text("✓") != ascii_text("✗")


def test_colours_are_written_in_the_theme_file_alone() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3};|rgba?\(")
    files = [*TUI.rglob("*.tcss"), *TUI.rglob("*.py")]
    assert [f.name for f in files if literal.search(f.read_text("utf-8"))] == ["theme.py"]


def test_okabe_and_itos_accents_are_in_the_theme_of_that_name() -> None:
    theme = next(theme for theme in THEMES if theme.name == "okabe-ito")
    used = {theme.primary, theme.accent, theme.success, theme.error, theme.secondary}
    assert used == {"#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"}


def test_no_two_keys_of_a_place_differ_by_case_alone() -> None:
    for place in PLACE_IDS:
        keys = [key for c in COMMANDS if place in c.where for key in c.keys.split(",")]
        assert len({key.casefold() for key in keys}) == len(keys)


def test_the_document_of_keys_lists_every_command_as_it_is() -> None:
    from advisor.tui.key_document import key_document

    assert (Path(__file__).parents[2] / "docs" / "keys.md").read_text("utf-8") == key_document()


def test_every_sign_of_the_screens_has_a_likeness_in_ascii() -> None:
    places = [*TUI.rglob("*.py"), *(TUI.parent / "domain" / "head_to_head").rglob("*.py")]
    texts = (node.value for place in places for node in ast.walk(ast.parse(place.read_text("utf-8")))
             if isinstance(node, ast.Constant) and isinstance(node.value, str))  # fmt: skip
    assert not {sign for text in texts for sign in text if ascii_text(sign) == "?" != sign}
