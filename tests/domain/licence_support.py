"""What the licence tests share: the shipped licences and the described uses."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from advisor.catalog.licences import load_licences
from advisor.domain.constraints import Use
from advisor.domain.licence import Licence

ROOT = Path(__file__).resolve().parents[2]
KNOWLEDGE = ROOT / "knowledge"
CASES: dict[str, Any] = tomllib.loads((ROOT / "tests/data/licence_cases.toml").read_text(encoding="utf-8"))


@cache
def shipped() -> dict[str, Licence]:
    return load_licences(KNOWLEDGE)


def use_of(**changes: Any) -> Use:
    """The default use of the cases, with some fields changed."""
    return Use(**{**CASES["defaults"], **changes})
