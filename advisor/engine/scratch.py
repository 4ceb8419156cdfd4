"""Where runs of the engine keep their files meanwhile."""

from __future__ import annotations

from pathlib import Path

from advisor import paths
from advisor.errors import InputError


def scratch_root() -> Path:
    """Beside the caches and not in the system's temporary directory, which is often held in memory."""
    folder = paths.cache_dir() / "scratch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        hint = "Point LLM_ADVISOR_CACHE_DIR at a directory that can be written."
        raise InputError(f"{folder} cannot be made", why=why, hint=hint) from error
    return folder
