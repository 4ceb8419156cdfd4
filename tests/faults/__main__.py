"""`python -m tests.faults [ID …]`: cause faults and write what was seen to docs/faults.md.

Needs Linux; as root also full disks, memory limits and other users. With ids only those are caused and nothing is written.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.case import Case, Group, Seen
from tests.faults.groups import GROUPS
from tests.faults.lab import Lab
from tests.faults.table import PAGE, page


def main(wanted: list[str]) -> int:
    """Cause them; 1 where one is not as expected."""
    found: list[tuple[Group, Case, Seen]] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        for group in GROUPS:
            for case in group.cases:
                if wanted and not any(case.id.startswith(one) for one in wanted):
                    continue
                found.append((group, case, _caused(case, Path(name))))
    bad = [case.id for _, case, seen in found if not seen.is_good]
    print(f"{len(found)} faults, {len(bad)} not as expected: {' '.join(bad)}")  # noqa: T201
    if not wanted:
        PAGE.write_text(page(found), "utf-8")
    return 1 if bad else 0


def _caused(case: Case, folder: Path) -> Seen:
    started = time.monotonic()
    try:
        seen = case.cause(Lab(folder / case.id))
    except Exception as error:  # a fault that could not be caused is told as such
        traceback.print_exc()
        seen = Seen(f"could not be caused: {type(error).__name__}: {error}", False)
    mark = "ok " if seen.is_good else "BAD"
    print(f"{mark} {case.id} ({time.monotonic() - started:.0f} s): {seen.text} {list(seen.left)}", flush=True)  # noqa: T201
    return seen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
