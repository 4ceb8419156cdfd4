"""Acting for a moment as a user from whom folders can be closed: nothing is closed to root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def enterable_folder() -> Iterator[Path]:
    """An empty folder that every user may enter, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


@contextmanager
def closed(*folders: Path) -> Iterator[None]:
    """Nobody may look into the folders or enter them while the block runs, this process included."""
    before = [folder.stat().st_mode for folder in folders]
    is_root = os.geteuid() == 0
    for folder in folders:
        folder.chmod(0)
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for folder, mode in zip(folders, before, strict=True):
            folder.chmod(mode)
