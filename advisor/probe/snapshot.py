"""One snapshot of this machine."""

from __future__ import annotations

from pathlib import Path

from advisor.domain.hardware import Engine, Machine
from advisor.probe.cgroup import read_cgroup_limits
from advisor.probe.disk import read_disk_free
from advisor.probe.drm import amd_cards
from advisor.probe.engine_gpus import all_gpus
from advisor.probe.findings import find_all
from advisor.probe.host import platform_name, read_cpu, read_memory
from advisor.probe.nvidia import read_nvidia


def probe_machine(engine: Engine, *, disk_path: Path, root: Path = Path("/")) -> Machine:
    """This machine, with the engine as the caller found it. Never raises.

    `disk_path` is where downloads go; /proc and /sys are read below `root`.
    """
    platform = platform_name()
    limits = read_cgroup_limits(root)
    memory = read_memory(limits)
    nvidia = read_nvidia()
    return Machine(
        simulated=False,
        platform=platform,
        cpu=read_cpu(limits, root),
        memory=memory,
        gpus=all_gpus(nvidia.gpus, engine, platform),
        gpu_query=nvidia.count,
        engine=engine,
        disk_free_bytes=read_disk_free(disk_path),
        findings=find_all(platform, engine, memory, nvidia, amd_cards(root)),
    )
