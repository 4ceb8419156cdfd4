"""The terminal interface."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.service import MachineChoice


def run(choice: MachineChoice | None = None, *, is_ascii: bool = False) -> None:
    """Open the screens and return when the user quits. Raises InputError for settings that cannot be used."""
    from advisor.settings import load_settings

    settings = load_settings()
    if is_ascii or os.environ.get("LLM_ADVISOR_ASCII", "") not in ("", "0"):
        settings = replace(settings, ascii=True)
    if os.environ.get("NO_COLOR") == "":
        # By its convention an empty value means nothing; Textual takes it for a wish.
        del os.environ["NO_COLOR"]
    from advisor.tui import garbage
    from advisor.tui.app import AdvisorApp
    from advisor.tui.deferred import deferred_advisor

    app = AdvisorApp(deferred_advisor(), choice, Path.cwd(), settings)
    garbage.look_seldom()
    app.when_built = garbage.exempt_what_is_there
    app.ends_on_signals = app.works_ahead = True
    app.run_or_fail()
    if app.ended_by is not None:
        # By the signal itself, so that whoever sent it sees that it worked.
        os.kill(os.getpid(), app.ended_by)
        os._exit(128 + app.ended_by)  # it is ignored, and there is no terminal to take last words
