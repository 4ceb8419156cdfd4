"""Where the program's data and the user's files live. Asking for a path never creates it."""

from __future__ import annotations

import os
from pathlib import Path

from advisor.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
_NAME = "llm-advisor"


def knowledge_dir() -> Path:
    """The shipped knowledge: in an installed wheel inside the package, in a checkout beside it.

    `LLM_ADVISOR_KNOWLEDGE` overrides both. Raises InputError when there is none.
    """
    override = os.environ.get("LLM_ADVISOR_KNOWLEDGE")
    places = [Path(override)] if override else [_PACKAGE / "_knowledge", _PACKAGE.parent / "knowledge"]
    for place in places:
        if os.path.isfile(place / "questions.toml"):
            return place
    raise InputError(
        "the knowledge directory is missing",
        why=f"looked in {', '.join(map(str, places))}",
        hint="Install llm-advisor again, or point LLM_ADVISOR_KNOWLEDGE at a copy.",
    )


def config_dir() -> Path:
    """The user's own settings and catalogue entries."""
    return _user_dir("config")


def cache_dir() -> Path:
    """What can be made again: engine facts, measurements."""
    return _user_dir("cache")


def state_dir() -> Path:
    """What the program remembers between runs: answers, logs."""
    return _user_dir("state")


def _user_dir(kind: str) -> Path:
    override = os.environ.get(f"LLM_ADVISOR_{kind.upper()}_DIR")
    if override:
        return Path(override)
    from platformdirs import PlatformDirs

    dirs = PlatformDirs(_NAME, appauthor=False)
    return {"config": dirs.user_config_path, "cache": dirs.user_cache_path, "state": dirs.user_state_path}[kind]
