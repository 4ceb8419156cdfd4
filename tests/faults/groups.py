"""All faults."""

from __future__ import annotations

from tests.faults import engine_faults, parent_faults, resource_faults, world_faults
from tests.faults.case import Group

GROUPS: tuple[Group, ...] = (
    engine_faults.GROUP,
    parent_faults.GROUP,
    resource_faults.DISK,
    resource_faults.MEMORY,
    world_faults.GPU,
    world_faults.CLOCK,
    world_faults.TERMINAL,
    world_faults.HOME,
    world_faults.TWO,
    world_faults.STREAMS,
)
