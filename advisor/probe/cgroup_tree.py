"""Where the control groups of this process are, from /proc/self/cgroup and /proc/self/mountinfo.

Formats: cgroups(7) and proc_pid_mountinfo(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

from advisor.probe.readings import read_text
from advisor.values import value

CgroupVersion = Literal[1, 2]

UNIFIED = ""
"""Stands for the controllers of version 2, which share one hierarchy."""

_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


@value
class CgroupMount:
    """One mounted hierarchy."""

    version: CgroupVersion
    root: str
    """The part of the hierarchy that is mounted; `/` is all of it."""
    mount_point: str
    controllers: frozenset[str]
    """Controllers of a version 1 hierarchy."""


@value
class CgroupLevel:
    """One directory on the way from the group of this process up to the mount point."""

    version: CgroupVersion
    directory: Path


def parse_membership(text: str) -> dict[str, str]:
    """Group path by controller, from lines such as `4:memory:/docker/1f` and `0::/user.slice`."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not (number.isdigit() and colon and path.startswith("/")):
            continue
        for controller in controllers.split(","):
            if controller or number == "0":
                found.setdefault(controller, path)
    return found


def parse_mounts(text: str) -> tuple[CgroupMount, ...]:
    """The cgroup mounts among the lines of a mountinfo file."""
    return tuple(mount for line in text.splitlines() if (mount := _parse_mount(line)) is not None)


def _parse_mount(line: str) -> CgroupMount | None:
    # Optional fields of any number stand between the sixth field and a lone hyphen.
    before, separator, after = line.partition(" - ")
    fields, tail = before.split(" "), after.split(" ")
    if not separator or len(fields) < 6 or tail[0] not in ("cgroup", "cgroup2"):
        return None
    options = tail[2].split(",") if len(tail) > 2 else []
    version: CgroupVersion = 2 if tail[0] == "cgroup2" else 1
    return CgroupMount(version, _unescape(fields[3]), _unescape(fields[4]), frozenset(options))


def _unescape(field: str) -> str:
    """Blanks and backslashes are written as three octal digits there."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)


def levels(controller: str, root: Path) -> tuple[CgroupLevel, ...]:
    """Directories whose limits bind this process for one controller, the innermost first.

    A controller lies in a version 1 hierarchy or in the unified one; both are returned where both are mounted.
    Raises OSError where the system has no control groups to read.
    """
    membership = parse_membership(read_text(root / "proc/self/cgroup"))
    mounts = parse_mounts(read_text(root / "proc/self/mountinfo"))
    return tuple(
        CgroupLevel(mount.version, directory)
        for mount in mounts
        if (path := _group_path(mount, membership, controller)) is not None
        for directory in _upwards(mount, path, root)
    )


def _group_path(mount: CgroupMount, membership: Mapping[str, str], controller: str) -> str | None:
    if mount.version == 2:
        return membership.get(UNIFIED)
    return membership.get(controller) if controller in mount.controllers else None


def _upwards(mount: CgroupMount, path: str, root: Path) -> tuple[Path, ...]:
    top = root / mount.mount_point.lstrip("/")
    inside = _relative(path, mount.root)
    return (*(top / part for part in (inside, *inside.parents) if part.parts), top)


def _relative(path: str, mounted_root: str) -> PurePosixPath:
    """The group below the mount point; the mount point itself where the group lies outside of what is mounted."""
    group = PurePosixPath(path)
    if ".." in group.parts or "\0" in path:
        return PurePosixPath()
    try:
        return group.relative_to(mounted_root)
    except ValueError:
        return PurePosixPath()
