"""All faults."""

from __future__ import annotations

from tests.faults import company_faults, engine_faults, parent_faults, resource_faults, world_faults
from tests.faults.case import Group

GROUPS: tuple[Group, ...] = (
    engine_faults.GROUP,
    parent_faults.GROUP,
    resource_faults.DISK,
    resource_faults.MEMORY,
    world_faults.GPU,
    world_faults.CLOCK,
    world_faults.TERMINAL,
    company_faults.HOME,
    company_faults.TWO,
    company_faults.STREAMS,
)
