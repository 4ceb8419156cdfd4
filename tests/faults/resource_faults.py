"""Disks that are full, memory that is not there."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from advisor.units import counted
from benchmarks.shared import smollm2
from tests.faults.case import Case, Group, Seen
from tests.faults.lab import PATIENCE_S, Done, Lab, stopped_at_end, wait_for
from tests.faults.making import babbler, tasks, thimble
from tests.faults.parent_faults import HERE, has_grown, hub, n_answers
from tests.hub.fetching import ASK, Q4, Disk
from tests.hub.server_faults import Slow

MIB = 1 << 20


@contextmanager
def small_disk(place: Path, n_bytes: int) -> Iterator[None]:
    """A file system in memory of so many bytes at a place."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "none", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path, keep: int = 0) -> None:
    """Fill a disk up to so many bytes."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"x" * 4096)
    os.truncate(filler, max(0, filler.stat().st_size - keep))


def _has_no_space(done: Done) -> bool:
    return done.code == 2 and "No space left" in done.last and done.is_clean and done.is_one_line


def _line(done: Done) -> str:
    return f"exit {done.code}: {done.last[:170]}" if done.last else f"exit {done.code}"


def full_save(lab: Lab) -> Seen:
    """A recommendation saved on a full disk, over an older one."""
    place = lab.work / "small"
    with small_disk(place, 64 << 10):
        first = lab.run("recommend", *HERE, "-o", place / "rec.toml")
        before = (place / "rec.toml").read_bytes()
        fill(place)
        done = lab.run("recommend", *HERE, "-o", place / "rec.toml", "--force")
        is_right = first.code == 0 and _has_no_space(done)
        is_right &= (place / "rec.toml").read_bytes() == before
        return Seen(_line(done) + "; the older file is whole", is_right, lab.left())


def full_export(lab: Lab) -> Seen:
    """Several files exported where only the first few have room."""
    place = lab.work / "small"
    lab.run("recommend", *HERE, "-o", "rec.toml")
    with small_disk(place, 1 << 20):
        fill(place, keep=60 << 10)
        done = lab.run("export", "rec.toml", "--to", "all", "-o", place, "--allow-simulated", "--gguf", "/m/x.gguf")
        written = [path.name for path in place.rglob("*") if path.is_file() and path.name != "filler"]
        is_right = _has_no_space(done) and not written
        return Seen(f"{_line(done)}; {len(written)} of its files there", is_right, lab.left())


def full_cache(lab: Lab) -> Seen:
    """No room for any cache or state."""
    with small_disk(lab.cache, 64 << 10), small_disk(lab.state, 64 << 10):
        fill(lab.cache)
        fill(lab.state)
        runs = [lab.run("probe"), lab.run("recommend", "--plain"), lab.run("size", "llama-3.2-1b-instruct", "--engine")]
        is_right = all(done.code == 0 and done.is_clean for done in runs)
        return Seen("probe, recommend, size --engine: " + ", ".join(_line(done) for done in runs), is_right, lab.left())


def full_scratch(lab: Lab) -> Seen:
    """No room for the slices of a measurement."""
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder, 24, 1024))
    with small_disk(lab.cache, 8 * MIB):
        lab.run("probe")
        fill(lab.cache, keep=1 * MIB)
        done = lab.run("speed", "thimble-1", "--measure")
        text = done.out + done.err
        why = next((line.strip() for line in text.splitlines() if "not measured" in line), "no reason")
        is_right = done.code == 0 and done.is_clean and why != "no reason"
        return Seen(f"exit {done.code}: {why[:200]}", is_right, lab.left())


def disk_fills_amid_slices(lab: Lab) -> Seen:
    """The disk has room when the slices are chosen, and none when they are written: a limit on the size of files."""
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder, 24, 1024))
    lab.run("probe")
    done = lab.run("speed", "thimble-1", "--measure", preexec_fn=_small_files)
    text = done.out + done.err
    why = next((line.strip() for line in text.splitlines() if "large" in line or "space" in line), "no reason")
    return Seen(
        f"exit {done.code}: {why[:200]}", done.code in (0, 2) and done.is_clean and why != "no reason", lab.left()
    )


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MIB, 4 * MIB))


def full_download(lab: Lab) -> Seen:
    """The disk fills up during a download, then has little room, and at last enough again."""
    place = lab.folder / "hf"
    with hub(lab) as (server, repo), small_disk(place, 4 * MIB):
        disk = Disk(place)
        part = disk.partial(repo, Q4)
        server.script("/lfs/*", Slow(0.1, 20_000), host="store")
        with stopped_at_end(lab.start(*ASK)) as process:
            wait_for(partial(has_grown, part, 100_000), PATIENCE_S)
            fill(place)
            done = lab.finish(process)
        kept = part.stat().st_size
        (place / "filler").unlink()
        fill(place, keep=900 << 10)
        little = lab.run(*ASK)
        (place / "filler").unlink()
        again = lab.run(*ASK, "--json")
        said = ((done, "it filled up during the download"), (little, "900.0 KiB are free"))
        is_right = all(one.code == 2 and one.is_clean and one.is_one_line and word in one.last for one, word in said)
        is_right &= kept > 100_000
        is_right &= again.code == 0 and disk.holds(repo, Q4)
        is_right &= json.loads(again.out)["received_bytes"] == repo.size(Q4) - kept
        text = f"{_line(done)}, {kept:,} bytes kept; with 900 KiB: {_line(little)}; with room: exit {again.code}, whole"
        return Seen(text, is_right, lab.left())


def full_trial(lab: Lab) -> Seen:
    """The disk of a trial's journal fills up after some answers."""
    file = babbler(lab.folder.parent / "made", smollm2())
    asked = ("trial", tasks(lab.work, 60), "--file", file, "--max-tokens", 8, "--threads", 1, "--ctx", 512)
    with small_disk(lab.state, 64 << 10):
        with stopped_at_end(lab.start(*asked)) as process:
            wait_for(lambda: n_answers(lab) > 0, PATIENCE_S)
            fill(lab.state)
            done = lab.finish(process)
        kept = n_answers(lab)
        (lab.state / "filler").unlink()
        again = lab.run(*asked)
        is_right = _has_no_space(done) and kept > 0 and again.code == 0
        is_right &= f"{counted(kept, 'answer')} known before" in again.err
        return Seen(f"{_line(done)}; {kept} answers kept; with room again: exit {again.code}", is_right, lab.left())


def no_tmp(lab: Lab, how: str) -> Seen:
    """The temporary directory is full, or cannot be written, or is not there."""
    lab.env["TMPDIR"] = str(lab.folder / "tiny")
    file = babbler(lab.folder.parent / "made", smollm2())
    asked = ("smoke", file, "--set", "task.context_tokens=1024")
    if how == "missing":
        return _judged_tmp(lab, lab.run(*asked), lab.run("size", "llama-3.2-1b-instruct", "--engine"))
    with small_disk(lab.folder / "tiny", 16 << 10):
        fill(lab.folder / "tiny")
        if how == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", lab.folder / "tiny"], check=True)
        return _judged_tmp(lab, lab.run(*asked), lab.run("size", "llama-3.2-1b-instruct", "--engine"))


def _judged_tmp(lab: Lab, *runs: Done) -> Seen:
    is_right = all(done.code in (0, 2, 4, 6) and done.is_clean for done in runs)
    return Seen("smoke, size --engine: " + "; ".join(_line(done) for done in runs), is_right, lab.left())


def full_output(lab: Lab) -> Seen:
    """Standard output is a full device."""
    said, is_right = [], True
    for arguments in (("models",), ("recommend", "--json"), ("--help",)):
        with open("/dev/full", "w") as full:
            done = lab.run(*arguments, stdout=full)
        is_right &= _has_no_space(done) and "standard output cannot be written" in done.last
        said.append(f"{arguments[0]}: exit {done.code}")
    return Seen("; ".join(said) + ", one line", is_right, lab.left())


@contextmanager
def memory_group(n_bytes: int) -> Iterator[Callable[[], None]]:
    """A control group below our own with so much memory; the value puts a new process into it."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        own = next(line.split(":", 2)[2] for line in lines if line.startswith("0::"))
        group, limit = Path(f"/sys/fs/cgroup{own}/llm-advisor-faults"), "memory.max"
    else:
        own = next(line.split(":", 2)[2] for line in lines if ":memory:" in line)
        group, limit = Path(f"/sys/fs/cgroup/memory{own}/llm-advisor-faults"), "memory.limit_in_bytes"
    group.mkdir(exist_ok=True)
    try:
        (group / limit).write_text(str(n_bytes))
        yield partial(_join, group)
    finally:
        # The kernel lets go of a group a moment after its last process.
        if not wait_for(partial(_is_removed, group), 5.0):
            raise RuntimeError(f"something still runs in {group}")


def _is_removed(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


def _join(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def starved(lab: Lab, arguments: Callable[[Lab], tuple[object, ...]], n_bytes: int, codes: tuple[int, ...]) -> Seen:
    """A control group that is too small for what is asked: the kernel kills the child, as where memory runs out."""
    asked = arguments(lab)
    with memory_group(n_bytes) as join:
        done = lab.run(*asked, preexec_fn=join)
    text = done.out + done.err
    words = ("memory", "signal 9", "fit")
    why = next((line.strip() for line in reversed(text.splitlines()) if any(w in line for w in words)), "no reason")
    return Seen(
        f"exit {done.code}: {why[:200]}", done.code in codes and done.is_clean and why != "no reason", lab.left()
    )


def starved_dry_run(lab: Lab, n_bytes: int) -> Seen:
    """The same for a dry run, which may just do with so little: then its figure is the one it has with room."""
    asked = ("size", "mixtral-8x7b-instruct-v0.1", "--engine", "--ctx", "32768", "--json")
    with memory_group(n_bytes) as join:
        done = lab.run(*asked, preexec_fn=join)
    if done.code == 0:
        found, wanted = (json.loads(one.out)["total_bytes"] for one in (done, lab.run(*asked)))
        return Seen(f"exit 0: {found:,} bytes, as with room", found == wanted and done.is_clean, lab.left())
    is_right = done.code == 6 and done.is_clean and done.is_one_line and ("memory" in done.last)
    return Seen(_line(done), is_right, lab.left())


_FAKED = (
    'mount --bind "$0/tree" /sys/fs/cgroup && mount --bind "$0/membership" /proc/$$/cgroup && '
    'mount --bind "$0/mounts" /proc/$$/mountinfo && exec "$@"'
)
_V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


def told_of_v2(lab: Lab) -> Seen:
    """The program in a mount namespace whose control groups are files of version 2: it goes by the tightest limit."""
    group = lab.folder / "tree" / "box.slice" / "box.scope"
    group.mkdir(parents=True)
    for place, limit in ((group, "max"), (group.parent, str(3 << 30))):
        (place / "memory.max").write_text(limit + "\n")
        (place / "memory.current").write_text(f"{600 * MIB}\n")
        (place / "memory.stat").write_text(f"anon 1\ninactive_file {88 * MIB}\n")
    (lab.folder / "membership").write_text("0::/box.slice/box.scope\n")
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines(True) if "cgroup" not in line]
    (lab.folder / "mounts").write_text("".join(mounts) + _V2_MOUNT)
    wrapped = ["unshare", "--mount", "bash", "-c", _FAKED, str(lab.folder)]
    probe = lab.run(command=[*wrapped, *lab.command("probe", "--json")])
    found = lab.run(command=[*wrapped, *lab.command("recommend", "--json")])
    memory = json.loads(probe.out)["memory"]
    limit, left = memory["limit_bytes"]["value"], memory["available_bytes"]["value"]
    pick = json.loads(found.out)["recommendation"]
    taken = pick["footprint"]["total_bytes"]
    is_right = (limit, left) == (3 << 30, (3 << 30) - 512 * MIB) and 0 < taken <= left and probe.is_clean
    text = f"limit {limit / MIB:.0f} MiB, {left / MIB:.0f} MiB left; recommends {pick['model']}, {taken / MIB:.0f} MiB"
    return Seen(text, is_right, lab.left())


def _starved_smoke(lab: Lab) -> tuple[object, ...]:
    return ("smoke", smollm2(), "--set", "task.context_tokens=8192")


def _starved_measure(lab: Lab) -> tuple[object, ...]:
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder, 24, 4096))
    return ("speed", "thimble-1", "--measure")


def little_address_space(lab: Lab) -> Seen:
    """A limit of address space that llama.cpp cannot be loaded in."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (100 * MIB, 100 * MIB))

    done = lab.run("size", "llama-3.2-1b-instruct", "--engine", preexec_fn=limit)
    return Seen(_line(done), done.code == 6 and done.is_clean and done.is_one_line, lab.left())


DISK = Group(
    "The disk is full",
    "File systems in memory of a few kilobytes, filled to the last.",
    (
        Case(
            "disk-save",
            "while a recommendation is saved over an older one",
            "exit 2, one line; the older file whole",
            full_save,
            True,
        ),
        Case("disk-export", "while several files are exported", "exit 2, one line; none of them there", full_export),
        Case("disk-cache", "no room for cache and state", "all works without", full_cache),
        Case(
            "disk-scratch",
            "no room for the slices of a measurement",
            "the estimate, and why nothing was measured",
            full_scratch,
        ),
        Case(
            "disk-limit",
            "files limited to 4 MiB (RLIMIT_FSIZE) while slices are written",
            "the estimate, and why",
            disk_fills_amid_slices,
        ),
        Case("disk-download", "during a download", "exit 2, one line; goes on with room", full_download),
        Case("disk-trial", "during a trial", "exit 2, one line; no answer lost, goes on with room", full_trial),
        Case("disk-tmp-full", "the temporary directory is full", "works or says so", partial(no_tmp, how="full")),
        Case(
            "disk-tmp-read-only",
            "the temporary directory is read-only",
            "works or says so",
            partial(no_tmp, how="read-only"),
        ),
        Case("disk-tmp-missing", "TMPDIR names nothing", "works or says so", partial(no_tmp, how="missing")),
        Case("disk-output", "standard output is a full device", "exit 2, one line", full_output, True),
    ),
)
MEMORY = Group(
    "Memory is taken away",
    "A control group of its own; where it is too small the kernel kills.",
    (
        Case(
            "memory-smoke",
            "150 MiB for a smoke test of a file of 98 MB",
            "exit 4, and why",
            partial(starved, arguments=_starved_smoke, n_bytes=150 * MIB, codes=(4,)),
        ),
        Case(
            "memory-dry-run",
            "70 MiB for a dry run of Mixtral 8x7B",
            "a figure, or exit 6 and why",
            partial(starved_dry_run, n_bytes=70 * MIB),
        ),
        Case(
            "memory-measure",
            "90 MiB for a measurement",
            "exit 2: it does not fit into the group's limit",
            partial(starved, arguments=_starved_measure, n_bytes=90 * MIB, codes=(2,)),
        ),
        Case(
            "memory-v2",
            "a limit of version 2 (3 GiB, 512 MiB used)",
            "what is left is known, and the pick fits into it",
            told_of_v2,
        ),
        Case(
            "memory-address-space", "100 MiB of address space (RLIMIT_AS)", "exit 6 and one line", little_address_space
        ),
    ),
)
