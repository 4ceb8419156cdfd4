"""`python -m tests.faults [ID …]`: cause faults and write what was seen to docs/faults.md.

Needs Linux, root, a C compiler and mount. With ids (or their beginnings) only those are caused, and their rows renewed.
What is mounted is seen by this process and its children alone, and goes with them, whatever ends it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
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
_CLONE_NEWNS, _MS_REC, _MS_PRIVATE = 0x20000, 0x4000, 1 << 18


def main(wanted: list[str]) -> int:
    """Cause them; 1 where one is not as expected."""
    # An end by a signal runs through the clean-up, as one by Ctrl+C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _keep_mounts_to_oneself()
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


def _keep_mounts_to_oneself() -> None:
    """Enter a mount namespace of which nothing gets out. Raises OSError for who is not root."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) or libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _caused(case: Case, folder: Path) -> Seen:
    started = time.monotonic()
    lab = Lab(folder / case.id)
    try:
        seen = case.cause(lab)
    except Exception as error:  # a fault that could not be caused is told as such
        traceback.print_exc()
        seen = Seen(f"could not be caused: {type(error).__name__}: {error}", False)
    finally:
        lab.end_all()
    seen = Seen(seen.text.replace(str(folder), "…"), seen.is_right, seen.left)
    mark = "ok " if seen.is_good else "BAD"
    print(f"{mark} {case.id} ({time.monotonic() - started:.0f} s): {seen.text} {list(seen.left)}", flush=True)  # noqa: T201
    return seen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
