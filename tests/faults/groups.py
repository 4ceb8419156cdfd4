"""All faults."""

from __future__ import annotations

from tests.faults import engine_faults, parent_faults
from tests.faults.case import Group

GROUPS: tuple[Group, ...] = (engine_faults.GROUP, parent_faults.GROUP)
