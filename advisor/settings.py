"""The user's own settings: `config.toml` in the configuration directory, and what the screens remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import paths
from advisor._toml import load_toml
from advisor.errors import InputError
from advisor.files import is_file, read_bounded, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_NAME = "config.toml"
_THEME_NAME = "theme"
_MOST_NAME_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says; every setting has a default."""

    theme: str | None = None
    """Name of the theme of the screens; None for the one that was chosen last."""
    ascii: bool = False
    """Whether the screens use ASCII characters only."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by command, in place of its own; several are separated by commas."""


def config_file() -> Path:
    """Where the settings are read from. It need not exist."""
    return paths.config_dir() / CONFIG_NAME


def load_settings() -> Settings:
    """The settings; the defaults where there is no file.

    Raises InputError for a file that cannot be read or used, naming it, the key and the nearest valid key.
    """
    file = config_file()
    if not is_file(file):
        return Settings()
    from advisor.settings_schema import read_settings

    theme, is_ascii, keys = read_settings(load_toml(file), name=str(file))
    return Settings(theme, is_ascii, keys)


def remembered_theme() -> str | None:
    """The theme that was chosen last; None where none was or it cannot be read."""
    try:
        return read_bounded(paths.state_dir() / _THEME_NAME, _MOST_NAME_BYTES).decode("utf-8").strip() or None
    except (InputError, UnicodeDecodeError):
        return None


def remember_theme(name: str) -> None:
    """Keep the chosen theme. A directory that cannot be written is no reason to fail."""
    try:
        write_atomically(paths.state_dir() / _THEME_NAME, f"{name}\n", overwrite=True)
    except InputError:
        return
