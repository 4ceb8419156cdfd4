"""What the licence tests share: the shipped licences and the described uses."""

from __future__ import annotations

import subprocess
import sys
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


def cpu_seconds(setup: str, statement: str) -> float:
    """Least processor time of ten runs in a process of its own, where no coverage tool slows it down."""
    script = (
        f"import time\n{setup}\nspent = []\nfor _ in range(10):\n    start = time.process_time()\n"
        f"    {statement}\n    spent.append(time.process_time() - start)\nprint(min(spent))"
    )
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(child.stdout)


def use_of(**changes: Any) -> Use:
    """The default use of the cases, with some fields changed."""
    return Use(**{**CASES["defaults"], **changes})
