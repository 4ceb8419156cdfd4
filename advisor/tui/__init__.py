"""The terminal interface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.service import Advisor, MachineChoice


def run(advisor: Advisor, choice: MachineChoice | None = None) -> None:
    """Open the screens and return when the user quits."""
    from advisor.service import MachineChoice
    from advisor.tui.app import AdvisorApp

    AdvisorApp(advisor, choice or MachineChoice(), Path.cwd()).run()
