"""What the harnesses leave running for the next input ends with the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_child_left() -> Iterator[None]:
    yield
    from tests.fuzz.parsers.trials import end_checks

    end_checks()
