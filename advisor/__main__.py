"""`llm-advisor`: without arguments on a terminal the screens, otherwise the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.service import MachineChoice


def main() -> None:
    """Run and leave with the documented exit code."""
    from advisor.cli.streams import fill_closed_streams

    fill_closed_streams()
    arguments = sys.argv[1:]
    if not arguments and _is_interactive():
        from advisor.cli.diagnostics import guarded

        sys.exit(guarded(_run_tui, debug=False))
    from advisor.cli import screens
    from advisor.cli.main import run

    screens.judging = _judge
    screens.opening = _run_tui if _is_interactive() else None
    sys.exit(run(arguments))


def _judge(result: Path | None, seed: int) -> None:
    from advisor.tui.judging import run_judging

    run_judging(result, seed)


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
