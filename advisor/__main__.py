"""`llm-advisor`: without arguments on a terminal the screens, otherwise the command line."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.service import MachineChoice
    from advisor.settings import Settings


_YOUNG_OBJECTS = 100_000
"""So many are made before the first look for garbage. What a start makes stays to the end, and the looks of Python's
usual 700 take a twentieth of a short command's time."""


def main() -> None:
    """Run and leave with the documented exit code."""
    gc.set_threshold(_YOUNG_OBJECTS)
    code = _run(sys.argv[1:])
    # The process ends: whatever is left need not be searched through before.
    gc.freeze()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    from advisor.cli.streams import fill_closed_streams, let_output_say_everything

    fill_closed_streams()
    let_output_say_everything()
    if not arguments and _is_interactive():
        from advisor.cli.diagnostics import guarded

        return guarded(_run_tui, debug=False)
    from advisor.cli import screens
    from advisor.cli.main import run

    screens.judging = _judge
    screens.checking = _check_settings
    screens.opening = _run_tui if _is_interactive() else None
    return run(arguments)


def _judge(result: Path | None, seed: int) -> None:
    from advisor.tui.judging import run_judging

    run_judging(result, seed)


def _check_settings(settings: Settings) -> None:
    from advisor.tui.checking import check_settings

    check_settings(settings)


def _is_interactive() -> bool:
    import os

    from advisor.web.child import is_child

    if is_child():
        return True
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _run_tui(choice: MachineChoice | None = None, is_ascii: bool = False) -> None:
    from advisor.tui import run
    from advisor.web.child import end_with_server, is_child

    if is_child():
        end_with_server()
    if choice is not None and not choice.is_here:
        from advisor.service import Advisor

        # A GPU or a file that cannot be used is better said before the screens open.
        Advisor().machine(choice)
    run(choice, is_ascii=is_ascii)


if __name__ == "__main__":
    main()
