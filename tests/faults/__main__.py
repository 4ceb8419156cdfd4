"""`python -m tests.faults [ID …]`: cause faults and write what was seen to docs/faults.md.

Needs Linux, root, a C compiler and mount. With ids (or their beginnings) only those are caused, and their rows renewed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.case import Case, Seen
from tests.faults.groups import GROUPS
from tests.faults.lab import Lab
from tests.faults.table import PAGE, page

SEEN = Path(__file__).parent / "seen.json"
"""What was seen last, by the id of the case."""


def main(wanted: list[str]) -> int:
    """Cause them; 1 where one is not as expected."""
    cases = [case for group in GROUPS for case in group.cases]
    chosen = [case for case in cases if not wanted or any(case.id.startswith(one) for one in wanted)]
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        found = {case.id: _caused(case, Path(name)) for case in chosen}
    bad = [name for name, seen in found.items() if not seen.is_good]
    print(f"{len(found)} faults, {len(bad)} not as expected: {' '.join(bad)}")  # noqa: T201
    known = {case.id: seen for case in cases if (seen := ({**remembered(), **found}).get(case.id)) is not None}
    document = {key: [seen.text, seen.is_right, list(seen.left)] for key, seen in known.items()}
    SEEN.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(GROUPS, known), "utf-8")
    return 1 if bad else 0


def remembered() -> dict[str, Seen]:
    """What was seen before."""
    if not SEEN.exists():
        return {}
    stored = json.loads(SEEN.read_text("utf-8"))
    return {key: Seen(text, is_right, tuple(left)) for key, (text, is_right, left) in stored.items()}


def _caused(case: Case, folder: Path) -> Seen:
    started = time.monotonic()
    try:
        seen = case.cause(Lab(folder / case.id))
    except Exception as error:  # a fault that could not be caused is told as such
        traceback.print_exc()
        seen = Seen(f"could not be caused: {type(error).__name__}: {error}", False)
    seen = Seen(seen.text.replace(str(folder), "…"), seen.is_right, seen.left)
    mark = "ok " if seen.is_good else "BAD"
    print(f"{mark} {case.id} ({time.monotonic() - started:.0f} s): {seen.text} {list(seen.left)}", flush=True)  # noqa: T201
    return seen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
