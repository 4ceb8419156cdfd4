"""The memory that this process holds and has held, and the processor time that others take."""

from __future__ import annotations

import ctypes
import re
import sys
import time
from pathlib import Path

from advisor.units import KIB, MIB

KEPT_BYTES = 64 * MIB
"""What the allocator may keep of freed memory; a dry run of the largest models takes less."""
_LARGE_BYTES = 32 * MIB
"""Where glibc's own moving threshold ends (`DEFAULT_MMAP_THRESHOLD_MAX`). What is larger goes back when it is freed."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def keep_freed_memory() -> None:
    """Let glibc keep what one dry run frees for the next: taken back page by page it costs a third of the time. Other
    allocators have no such switch."""
    option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if option is not None:
        option(_M_TRIM_THRESHOLD, KEPT_BYTES)
        option(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def baseline_rss_bytes() -> int:
    """Resident memory now; where the system allows, the peak is counted from here on."""
    if sys.platform == "linux":
        _give_back()
        try:
            _CLEAR.write_text("5")  # resets VmHWM; the peak would otherwise include earlier requests
            _status("VmHWM")
            return _status("VmRSS")
        except OSError:
            return peak_rss_bytes()  # then only growth of the peak can be told
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_rss_bytes() -> int:
    """The most resident memory since the baseline, or since the process began where the peak cannot be reset."""
    if sys.platform == "linux":
        try:
            return _status("VmHWM")
        except OSError:
            return _largest_rss() * KIB  # a kernel that does not tell, such as gVisor's
    import psutil

    memory = psutil.Process().memory_info()
    if sys.platform == "win32":
        return int(memory.peak_wset)
    return _largest_rss()  # macOS counts bytes there


def _largest_rss() -> int:
    """The most resident memory since the process began: KiB on Linux, bytes on macOS."""
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _give_back() -> None:
    """Return what earlier requests freed to the system; glibc would reuse it, and the growth would look too small."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class OthersMeter:
    """Counts the cores that other processes keep busy from its making on."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._others_s = _others_seconds()

    def cores(self) -> float:
        """Cores, on average; 0 where nothing can be told in so short a time."""
        elapsed = time.monotonic() - self._started
        return max(0.0, (_others_seconds() - self._others_s) / elapsed) if elapsed > 0.1 else 0.0


def _others_seconds() -> float:
    """Processor seconds that the whole system spent on other processes, since it started."""
    import psutil

    times = psutil.cpu_times()._asdict()
    idle = times["idle"] + times.get("iowait", 0.0)
    # Linux counts the time of guests also as user time, and stolen time was taken by another machine.
    counted = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    own = psutil.Process().cpu_times()
    return float(counted - idle - own.user - own.system)


def _status(field: str) -> int:
    match = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    if match is None:
        raise OSError(f"no {field} in {_STATUS}")
    return int(match[1]) * KIB
