"""`llm-advisor`: without arguments on a terminal the screens, otherwise the command line."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run and leave with the documented exit code."""
    from advisor.cli.streams import fill_closed_streams

    fill_closed_streams()
    arguments = sys.argv[1:]
    if arguments in ([], ["--ascii"]) and _is_interactive():
        from advisor.cli.diagnostics import guarded

        sys.exit(guarded(lambda: _run_tui(is_ascii=bool(arguments)), debug=False))
    from advisor.cli import screens
    from advisor.cli.main import run

    screens.judging = _judge
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


def _run_tui(*, is_ascii: bool) -> None:
    from advisor.service import Advisor
    from advisor.tui import run
    from advisor.web.child import end_with_server, is_child

    if is_child():
        end_with_server()
    run(Advisor(), is_ascii=is_ascii)


if __name__ == "__main__":
    main()
