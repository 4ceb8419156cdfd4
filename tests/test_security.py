"""SECURITY.md names the tests behind its claims: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text("utf-8"))


def test_every_claim_names_a_test() -> None:
    table = (ROOT / "SECURITY.md").read_text("utf-8").partition("## What holds this")[2].partition("\n## ")[0]
    claims = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(claims) > 10
    assert not [line for line in claims if "::" not in line]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
