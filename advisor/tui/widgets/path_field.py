"""A field for the path of a file, completed from what is on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from textual.suggester import Suggester
from textual.widgets import Input

_MOST_ENTRIES = 2000
"""Entries of a folder that are looked at; a larger one is completed from these."""


class PathSuggester(Suggester):
    """Suggests the first folder or file whose name goes on as typed."""

    def __init__(self, working_directory: Path) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._working_directory = working_directory

    async def get_suggestion(self, value: str) -> str | None:
        return completed(value, self._working_directory)


def completed(typed: str, working_directory: Path) -> str | None:
    """The typed text with the first name that continues it; a folder ends in a slash. None where there is none."""
    head, separator, start = typed.rpartition("/")
    if not typed or (not start and not separator):
        return None
    folder = working_directory / os.path.expanduser(head + separator)
    names = [name for name in _names(folder) if name.startswith(start) and (start or not name.startswith("."))]
    return head + separator + min(names, key=str.casefold) if names else None


def _names(folder: Path) -> list[str]:
    """Names in a folder; none where it cannot be read."""
    found: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= _MOST_ENTRIES:
                    break
                found.append(entry.name + ("/" if entry.is_dir() else ""))
    except (OSError, ValueError):
        return found
    return [name for name in found if name.isprintable()]


class PathField(Input):
    """Right arrow at the end takes the suggestion."""

    HELP = "The path of a file. Folders and files are suggested while you type: the right arrow takes the suggestion."

    def __init__(self, value: str, working_directory: Path, *, id: str = "path") -> None:  # noqa: A002 - as Textual names it
        super().__init__(value, compact=True, id=id, suggester=PathSuggester(working_directory))
