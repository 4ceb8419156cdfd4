"""What the command line can open on a terminal. The program's start fills it in: neither front end knows the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.service import MachineChoice
    from advisor.settings import Settings

opening: Callable[[MachineChoice, bool], None] | None = None
"""Opens the screens for a machine, in ASCII characters only or not; None where there is no terminal for them."""

judging: Callable[[Path | None, int], None] | None = None
"""Opens blind judging on a result, the last one where it is None, with the seed of its order."""

checking: Callable[[Settings], None] | None = None
"""Raises InputError for a theme, a command or a key that the screens would refuse; None where there are no screens."""


def open_screens(gpu: str | None, ram: str | None, machine: str | None, *, is_ascii: bool) -> None:
    """Open the screens for this machine or another one. Raises InputError without a terminal and for bad options."""
    from advisor.api import machine_choice
    from advisor.errors import InputError

    if opening is None:
        raise InputError("the screens need a terminal", hint="Usage: llm-advisor COMMAND; see llm-advisor --help.")
    opening(machine_choice(gpu, ram, machine), is_ascii)
