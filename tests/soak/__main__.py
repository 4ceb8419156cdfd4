"""`python -m tests.soak`: long runs that look for leaks and for what random input breaks.

Each run tells its progress, writes its samples to a JSON file and makes the committed page anew. `pilot` and
`terminal` take 20 minutes in which they run: `nohup nice python -m tests.soak pilot > pilot.txt &`.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.soak.page import write_page
from tests.soak.sampling import Run

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what was asked for; 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("pilot", "screens in process"), ("terminal", "screens in a pseudo-terminal")):
        one = commands.add_parser(name, help=text)
        one.add_argument("--seconds", type=float, default=1210.0)
        one.add_argument("--seed", type=int, default=1)
        one.add_argument("--steps", type=int, default=250, help="of one walk")
        one.add_argument("--no-result", action="store_true", help="write no result file")
    one = commands.add_parser("facade", help="recommendations, dry runs and smoke tests in one process")
    one.add_argument("--share", type=float, default=1.0, help="of 1,000, 500 and 100")
    one.add_argument("--no-result", action="store_true", help="write no result file")
    commands.add_parser("page", help="make soak.md of the results")
    options = parser.parse_args()
    # An end by a signal runs through the clean-up, as one by Ctrl+C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.command == "page":
        write_page(RESULTS)
        return 0
    runs = _run(options)
    for run in runs:
        if not options.no_result:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{run.name}.json").write_text(json.dumps(run.document(), indent=0) + "\n", "utf-8")
    if not options.no_result:
        write_page(RESULTS)
    failures = [text for run in runs for text in run.failures]
    print(*failures, f"{len(failures)} failures", sep="\n")  # noqa: T201
    return 1 if failures else 0


def _run(options: argparse.Namespace) -> list[Run]:
    if options.command == "pilot":
        from tests.soak.pilot import drive

        return [drive(options.seconds, options.seed, options.steps)]
    if options.command == "terminal":
        from tests.soak.terminal import drive_terminal

        return [drive_terminal(options.seconds, options.seed, options.steps)]
    from tests.soak.facade import repeat

    return repeat(options.share)


if __name__ == "__main__":
    sys.exit(main())
