"""The terminal interface."""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.service import MachineChoice


GC_THRESHOLDS = 2_000, 5, 100
"""Allocations, and then collections of the younger generation, after which a generation is collected: often, because
drawing leaves some thousand objects behind with each key, and forty thousand at once hold up the next key for 70 ms."""


def run(choice: MachineChoice | None = None, *, is_ascii: bool = False) -> None:
    """Open the screens and return when the user quits. Raises InputError for settings that cannot be used."""
    from advisor.settings import load_settings

    settings = load_settings()
    if is_ascii or os.environ.get("LLM_ADVISOR_ASCII", "") not in ("", "0"):
        settings = replace(settings, ascii=True)
    if os.environ.get("NO_COLOR") == "":
        # By its convention an empty value means nothing; Textual takes it for a wish.
        del os.environ["NO_COLOR"]
    from advisor.tui.app import AdvisorApp
    from advisor.tui.deferred import deferred_advisor

    app = AdvisorApp(deferred_advisor(), choice, Path.cwd(), settings)
    # The catalogue stays to the end. Left to the collector, its 100,000 objects hold up keys for 150 ms now and then;
    # it is exempt from that when it is there, and the places are. Until then the collector hardly ever looks at all.
    gc.set_threshold(*GC_THRESHOLDS)
    app.when_built = gc.freeze
    app.ends_on_signals = app.works_ahead = True
    app.run_or_fail()
    if app.ended_by is not None:
        # By the signal itself, so that whoever sent it sees that it worked.
        os.kill(os.getpid(), app.ended_by)
        os._exit(128 + app.ended_by)  # it is ignored, and there is no terminal to take last words
