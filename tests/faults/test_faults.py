"""The quick faults, with the tests; `python -m tests.faults` causes them all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.groups import GROUPS
from tests.faults.lab import Lab

_QUICK = [case for group in GROUPS for case in group.cases if case.is_quick]
_ROOT = ("disk-save",)


@pytest.mark.skipif(sys.platform != "linux", reason="the faults are those of Linux")
@pytest.mark.parametrize("case", _QUICK, ids=lambda case: case.id)
def test_a_fault_leads_to_what_is_expected_and_leaves_nothing(case: Case, tmp_path: Path) -> None:
    if case.id in _ROOT and os.geteuid() != 0:
        pytest.skip("only root may make a file system")
    seen = case.cause(Lab(tmp_path / case.id))
    assert seen.is_right, seen.text
    assert seen.left == ()


def test_every_fault_has_a_name_of_its_own_and_stands_in_the_page() -> None:
    cases = [case for group in GROUPS for case in group.cases]
    assert len({case.id for case in cases}) == len(cases)
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    assert [case.fault for case in cases if f"| {case.fault.replace('|', chr(92) + '|')} |" not in page] == []
