"""Pictures of an export's options, open above the files that they lead to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.tui.app import AdvisorApp
from tests.tui.driving import Drive, press, until
from tests.tui.pinned import PinnedAdvisor
from tests.tui.test_export_options import decide
from tests.tui.test_export_targets import take
from tests.tui.test_snapshots import SMALL

Compare = Callable[..., bool]


async def _decided(pilot: Drive) -> None:
    app = pilot.app
    assert isinstance(app, AdvisorApp)
    await until(pilot, lambda: app.session.found is not None)
    await press(pilot, "5")
    await take(app, pilot, "compose")
    await press(pilot, "p")
    await decide(app, pilot, port="9001")


@pytest.mark.parametrize("size", [SMALL, (40, 12)], ids=["small", "tiny"])
def test_picture_of_an_exports_options(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=size, run_before=_decided)
