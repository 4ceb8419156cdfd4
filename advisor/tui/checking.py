"""What the screens can make of the settings, without opening them."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES

from advisor.settings import Settings, config_file
from advisor.tui.keymap import keymap
from advisor.tui.theme import THEMES, checked_theme


def check_settings(settings: Settings) -> None:
    """Raises InputError for keys and a theme that the screens would refuse, in the same words."""
    keymap(settings.keys, name=str(config_file()))
    if settings.theme is not None:
        checked_theme(settings.theme, [*BUILTIN_THEMES, *(theme.name for theme in THEMES)], name=str(config_file()))
