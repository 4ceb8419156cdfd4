"""Free space where downloads go."""

from __future__ import annotations

import shutil
from pathlib import Path

from advisor.domain.hardware import Reading
from advisor.files import is_there
from advisor.probe.readings import attempt


def read_disk_free(path: Path) -> Reading[int]:
    """Free bytes on the disk of a directory, or of its nearest parent that exists. Never raises."""
    return attempt("disk usage", lambda: _free(path), missing=f"no parent of {path} exists")


def _free(path: Path) -> int | None:
    for place in (path, *path.absolute().parents):
        if is_there(place):
            return shutil.disk_usage(place).free
    return None
