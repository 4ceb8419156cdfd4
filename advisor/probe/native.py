"""The processor's name and instruction sets where there is no /proc: macOS and Windows, without a child process."""

from __future__ import annotations

import platform
import sys

from advisor.probe.cpuinfo import CpuInfo, common_sets

_APPLE_FEATURES = {
    "hw.optional.neon": "neon",
    "hw.optional.AdvSIMD": "neon",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.avx1_0": "avx",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.fma": "fma",
    "hw.optional.f16c": "f16c",
}
"""sysctl names (xnu, bsd/kern/kern_mib.c) and the kernel flags of Linux that mean the same."""

_WINDOWS_FEATURES = {19: "neon", 39: "avx", 40: "avx2", 41: "avx512f", 43: "asimddp", 46: "sve"}
"""PF_ numbers of IsProcessorFeaturePresent (winnt.h) and the kernel flags of Linux that mean the same."""


def native_cpuinfo() -> CpuInfo:
    """What the operating system's own interface says. Raises OSError where it cannot be asked."""
    if sys.platform == "darwin":
        return _apple()
    if sys.platform == "win32":
        return _windows()
    return CpuInfo(platform.processor() or None, None)


if sys.platform == "darwin":
    import ctypes

    def _apple() -> CpuInfo:
        libc = ctypes.CDLL(None, use_errno=True)
        brand = ctypes.create_string_buffer(256)
        size = ctypes.c_size_t(len(brand))
        failed = libc.sysctlbyname(b"machdep.cpu.brand_string", brand, ctypes.byref(size), None, 0)
        name = None if failed else brand.value.decode("utf-8", errors="replace")
        flags = [flag for key, flag in _APPLE_FEATURES.items() if _sysctl_flag(libc, key)]
        return CpuInfo(name, common_sets([flags]))

    def _sysctl_flag(libc: ctypes.CDLL, key: str) -> bool:
        value = ctypes.c_int64(0)
        size = ctypes.c_size_t(ctypes.sizeof(value))
        failed = libc.sysctlbyname(key.encode(), ctypes.byref(value), ctypes.byref(size), None, 0)
        return not failed and value.value != 0


if sys.platform == "win32":
    import ctypes
    import winreg

    def _windows() -> CpuInfo:
        path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
        present = ctypes.windll.kernel32.IsProcessorFeaturePresent
        flags = [flag for number, flag in _WINDOWS_FEATURES.items() if present(number)]
        return CpuInfo(name or platform.processor() or None, common_sets([flags]))
