"""What the command line can open on a terminal. The program's start fills it in: neither front end knows the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

judging: Callable[[Path | None, int], None] | None = None
"""Opens blind judging on a result, the last one where it is None, with the seed of its order."""
