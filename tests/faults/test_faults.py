"""The quick faults, with the tests; `python -m tests.faults` causes them all."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.faults.__main__ import remembered
from tests.faults.case import Case
from tests.faults.groups import GROUPS
from tests.faults.lab import Lab
from tests.faults.table import PAGE, page

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


def test_every_fault_has_a_name_of_its_own_and_was_seen() -> None:
    ids = [case.id for group in GROUPS for case in group.cases]
    assert sorted(ids) == sorted(remembered())


def test_the_page_says_what_was_seen_last() -> None:
    written, made = PAGE.read_text("utf-8"), page(GROUPS, remembered())
    assert _without_system(written) == _without_system(made)


def _without_system(text: str) -> str:
    """The page without the system that the faults were caused on, which need not be this one."""
    return re.sub(r"(as expected), on .*", r"\1", text)
