"""Limits of control groups, read from trees built as the kernel lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.probe.cgroup import parse_number, parse_quota, parse_stat, read_cgroup_limits
from advisor.probe.cgroup_tree import parse_membership, parse_mounts
from advisor.units import GIB, MIB

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 {root} /sys/fs/cgroup/memory rw shared:7 master:2 - cgroup cgroup rw,memory\n"
)
V1_NO_LIMIT = 9223372036854771712


class Tree:
    """A root directory with /proc/self and a cgroup file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def process(self, membership: str, mounts: str) -> None:
        self.write("proc/self/cgroup", membership)
        self.write("proc/self/mountinfo", mounts)

    def write(self, path: str, text: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def group(self, path: str, **files: str | int) -> None:
        """Files of one group; `memory_max=1` is memory.max."""
        for name, content in files.items():
            self.write(f"sys/fs/cgroup/{path}/{name.replace('_', '.', 1)}", f"{content}\n")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def v2(tree: Tree) -> Tree:
    tree.process("0::/user.slice/app.scope\n", V2_MOUNT)
    return tree


@pytest.fixture
def v1(tree: Tree) -> Tree:
    membership = "12:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n0::/\n"
    tree.process(membership, V1_MOUNTS.format(root="/"))
    return tree


def test_v2_limit_of_the_own_group(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max=4 * GIB, memory_current=GIB)
    limits = read_cgroup_limits(v2.root)
    assert limits.memory_bytes.value == 4 * GIB
    assert limits.memory_bytes.source == "cgroup memory.max"
    assert limits.memory_left_bytes.value == 3 * GIB


def test_v2_smallest_limit_on_the_way_up_binds(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max=4 * GIB, memory_current=0)
    v2.group("user.slice", memory_max=2 * GIB, memory_current=0)
    v2.group(".", memory_max=8 * GIB)
    assert read_cgroup_limits(v2.root).memory_bytes.value == 2 * GIB


def test_a_sibling_group_does_not_bind(v2: Tree) -> None:
    v2.group("user.slice/other.scope", memory_max=MIB)
    assert read_cgroup_limits(v2.root).memory_bytes.value is None


def test_left_comes_from_the_fullest_level_not_from_the_smallest_limit(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max=4 * GIB, memory_current=GIB)
    v2.group("user.slice", memory_max=16 * GIB, memory_current=15 * GIB)
    limits = read_cgroup_limits(v2.root)
    assert limits.memory_bytes.value == 4 * GIB
    assert limits.memory_left_bytes.value == GIB


def test_reclaimable_page_cache_counts_as_free(v2: Tree) -> None:
    stat = f"anon {GIB}\ninactive_file {2 * GIB}\nactive_file {GIB // 2}"
    v2.group("user.slice/app.scope", memory_max=4 * GIB, memory_current=3 * GIB, memory_stat=stat)
    assert read_cgroup_limits(v2.root).memory_left_bytes.value == 3 * GIB


def test_a_group_beyond_its_limit_has_nothing_left(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max=GIB, memory_current=GIB + MIB)
    assert read_cgroup_limits(v2.root).memory_left_bytes.value == 0


def test_memory_high_below_memory_max_binds(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max=4 * GIB, memory_high=3 * GIB, memory_current=0)
    limits = read_cgroup_limits(v2.root)
    assert limits.memory_bytes.value == 3 * GIB
    assert limits.memory_bytes.source == "cgroup memory.high"


def test_max_is_no_limit(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max="max", memory_high="max", memory_current=GIB, cpu_max="max 100000")
    limits = read_cgroup_limits(v2.root)
    assert limits.memory_bytes.value is None
    assert limits.memory_bytes.reason == "no cgroup limits memory"
    assert limits.memory_left_bytes.value is None
    assert limits.cpu_cores.value is None


@pytest.mark.parametrize("garbage", ["", "lots", "-5", "1e9", "12 34", "٣", "9" * 40])
def test_garbage_is_no_limit_and_said(v2: Tree, garbage: str) -> None:
    v2.group("user.slice/app.scope", memory_max=garbage, memory_current="?")
    limits = read_cgroup_limits(v2.root)
    assert limits.memory_bytes.value is None
    assert "memory.max: not a number" in (limits.memory_bytes.reason or "")


def test_garbage_at_one_level_leaves_the_limit_of_another(v2: Tree) -> None:
    v2.group("user.slice/app.scope", memory_max="lots")
    v2.group("user.slice", memory_max=2 * GIB, memory_current="?")
    limits = read_cgroup_limits(v2.root)
    assert limits.memory_bytes.value == 2 * GIB
    assert limits.memory_left_bytes.value == 2 * GIB


def test_binary_content_is_no_limit(v2: Tree) -> None:
    v2.write("sys/fs/cgroup/user.slice/app.scope/memory.max", b"\xff\x00\xfe")
    assert read_cgroup_limits(v2.root).memory_bytes.value is None


def test_a_file_that_cannot_be_read_is_said(v2: Tree) -> None:
    # A directory in its place fails for every user; permissions would not stop root.
    (v2.root / "sys/fs/cgroup/user.slice/app.scope/memory.max").mkdir(parents=True)
    reading = read_cgroup_limits(v2.root).memory_bytes
    assert reading.value is None
    assert "memory.max" in (reading.reason or "")
    assert "directory" in (reading.reason or "")


def test_an_unreadable_membership_is_said(tree: Tree) -> None:
    tree.write("proc/self/mountinfo", V2_MOUNT)
    (tree.root / "proc/self/cgroup").mkdir()
    assert "directory" in (read_cgroup_limits(tree.root).memory_bytes.reason or "")


def test_a_system_without_cgroups_is_said(tmp_path: Path) -> None:
    limits = read_cgroup_limits(tmp_path)
    assert limits.memory_bytes.reason == "this system has no control groups"
    assert limits.cpu_cores.reason == "this system has no control groups"


def test_v1_limits_of_the_own_group(v1: Tree) -> None:
    v1.group("memory/docker/1f", memory_limit_in_bytes=3 * GIB, memory_usage_in_bytes=GIB)
    limits = read_cgroup_limits(v1.root)
    assert limits.memory_bytes.value == 3 * GIB
    assert limits.memory_bytes.source == "cgroup memory.limit_in_bytes"
    assert limits.memory_left_bytes.value == 2 * GIB


def test_v1_writes_no_limit_as_a_huge_number(v1: Tree) -> None:
    stat = f"hierarchical_memory_limit {V1_NO_LIMIT}"
    v1.group("memory/docker/1f", memory_limit_in_bytes=V1_NO_LIMIT, memory_stat=stat)
    assert read_cgroup_limits(v1.root).memory_bytes.value is None


def test_v1_limit_of_a_parent_binds(v1: Tree) -> None:
    v1.group("memory/docker/1f", memory_limit_in_bytes=V1_NO_LIMIT, memory_usage_in_bytes=0)
    v1.group("memory/docker", memory_limit_in_bytes=GIB, memory_usage_in_bytes=0)
    assert read_cgroup_limits(v1.root).memory_bytes.value == GIB


def test_v1_limit_of_an_invisible_parent_is_in_the_statistics(v1: Tree) -> None:
    stat = f"total_inactive_file {MIB}\nhierarchical_memory_limit {2 * GIB}"
    v1.group("memory/docker/1f", memory_limit_in_bytes=V1_NO_LIMIT, memory_usage_in_bytes=GIB, memory_stat=stat)
    limits = read_cgroup_limits(v1.root)
    assert limits.memory_bytes.value == 2 * GIB
    assert limits.memory_left_bytes.value == GIB + MIB


def test_v1_group_mounted_as_a_container_sees_it(tree: Tree) -> None:
    # Without a cgroup namespace the path is the host's, and the mount shows only that part of the hierarchy.
    tree.process("12:memory:/docker/1f\n", V1_MOUNTS.format(root="/docker/1f"))
    tree.group("memory", memory_limit_in_bytes=GIB, memory_usage_in_bytes=0)
    assert read_cgroup_limits(tree.root).memory_bytes.value == GIB


def test_hybrid_system_takes_memory_from_v1(tree: Tree) -> None:
    unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    tree.process("4:memory:/job\n0::/job\n", V1_MOUNTS.format(root="/") + unified)
    tree.group("memory/job", memory_limit_in_bytes=GIB, memory_usage_in_bytes=0)
    assert read_cgroup_limits(tree.root).memory_bytes.value == GIB


@pytest.mark.parametrize("path", ["/../elsewhere", "/../../etc", "/not/mounted"])
def test_a_group_outside_of_the_mount_is_taken_as_its_top(tree: Tree, path: str) -> None:
    mount = "30 23 0:26 /container /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    tree.process(f"0::{path}\n", mount)
    tree.group(".", memory_max=GIB, memory_current=0)
    assert read_cgroup_limits(tree.root).memory_bytes.value == GIB


def test_a_path_that_climbs_out_of_the_mount_is_not_followed(tree: Tree) -> None:
    tree.process("0::/../secret\n", V2_MOUNT)
    tree.write("sys/fs/secret/memory.max", str(MIB))
    tree.group(".", memory_max=GIB, memory_current=0)
    assert read_cgroup_limits(tree.root).memory_bytes.value == GIB


def test_blanks_in_a_mount_point_are_unescaped(tree: Tree) -> None:
    tree.process("0::/\n", "30 23 0:26 / /sys/fs/my\\040groups rw - cgroup2 cgroup2 rw\n")
    tree.write("sys/fs/my groups/memory.max", str(GIB))
    assert read_cgroup_limits(tree.root).memory_bytes.value == GIB


def test_v2_cpu_quota_is_the_smallest_on_the_way_up(v2: Tree) -> None:
    v2.group("user.slice/app.scope", cpu_max="400000 100000")
    v2.group("user.slice", cpu_max="150000 100000")
    reading = read_cgroup_limits(v2.root).cpu_cores
    assert reading.value == pytest.approx(1.5)
    assert reading.source == "cgroup cpu.max"


def test_v1_cpu_quota(v1: Tree) -> None:
    v1.group("cpu,cpuacct/docker/1f", cpu_cfs_quota_us=250000, cpu_cfs_period_us=100000)
    assert read_cgroup_limits(v1.root).cpu_cores.value == pytest.approx(2.5)


def test_v1_quota_of_minus_one_is_none(v1: Tree) -> None:
    v1.group("cpu,cpuacct/docker/1f", cpu_cfs_quota_us=-1, cpu_cfs_period_us=100000)
    assert read_cgroup_limits(v1.root).cpu_cores.value is None


@pytest.mark.parametrize("text", ["", "0 100000", "100000 0", "1", "a b", "1 2 3", "-1 100000"])
def test_a_quota_that_grants_no_share_is_none(text: str) -> None:
    assert parse_quota(text) is None


def test_this_process_can_be_read() -> None:
    limits = read_cgroup_limits()
    for reading in (limits.memory_bytes, limits.memory_left_bytes, limits.cpu_cores):
        assert (reading.value is None) == (reading.reason is not None)


@settings(deadline=None)
@given(st.text())
@example("0::/\n1:name=systemd:/\n4:cpu,cpuacct:/a:b")
def test_any_membership_text_is_parsed(text: str) -> None:
    assert all(path.startswith("/") for path in parse_membership(text).values())


mount_line = st.lists(st.text(max_size=8), max_size=14).map(" ".join)


@settings(deadline=None)
@given(st.one_of(st.text(), mount_line.map(lambda line: f"1 2 0:1 / /m rw {line} - cgroup2 x y")))
def test_any_mountinfo_text_is_parsed(text: str) -> None:
    assert all(mount.version in (1, 2) for mount in parse_mounts(text))


@settings(deadline=None)
@given(st.text())
def test_any_statistics_text_is_parsed(text: str) -> None:
    assert all(value >= 0 for value in parse_stat(text).values())
    assert parse_quota(text) is None or parse_quota(text) != 0


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_every_64_bit_count_is_a_number(value: int) -> None:
    assert parse_number(f" {value}\n") == value


@settings(deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=30))
def test_any_bytes_in_proc_and_sys_give_readings(
    tmp_path_factory: pytest.TempPathFactory, membership: bytes, mounts: bytes, limit: bytes
) -> None:
    tree = Tree(tmp_path_factory.mktemp("tree"))
    tree.write("proc/self/cgroup", b"0::/a\n" + membership)
    tree.write("proc/self/mountinfo", V2_MOUNT.encode() + mounts)
    tree.write("sys/fs/cgroup/a/memory.max", limit)
    tree.write("sys/fs/cgroup/a/cpu.max", limit)
    limits = read_cgroup_limits(tree.root)
    assert limits.memory_bytes.value is None or limits.memory_bytes.value >= 0
