"""The environment of a child: what Python, llama.cpp and GPU drivers read, and nothing that is secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from advisor.children import finding_this_package
from advisor.redaction import is_secret_name

_NAMES = {
    # Python and the operating systems
    "HOME", "PATH", "PYTHONHOME", "PYTHONPATH", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR",
    "COMSPEC", "PATHEXT", "USERPROFILE", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS",
    "LANG", "LD_LIBRARY_PATH", "LD_PRELOAD", "XDG_DATA_DIRS", "XDG_RUNTIME_DIR",
}  # fmt: skip
_PREFIXES = (
    # Translations, loaders of macOS, and the environments of Conda and Nix that libraries are found by
    "LC_", "DYLD_", "CONDA_", "NIX_",
    # Threads and libraries of arithmetic
    "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "BLIS_",
    # llama.cpp's own switches
    "GGML_", "LLAMA_",
    # CUDA, ROCm, Vulkan, Mesa, SYCL, Metal
    "CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_", "ROCM_", "AMD_", "VK_", "MESA_", "RADV_", "GPU_", "ONEAPI_", "SYCL_",
    "ZE_", "MTL_", "METAL_",
)  # fmt: skip
_AS_THE_DRIVER_COUNTS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
"""CUDA would count the fastest GPU first, where NVML, by which the machine is probed, goes by the bus; with unlike GPUs
layers would go to others than were meant (CUDA C++ Programming Guide, CUDA environment variables)."""
_CACHES = ("CUDA_CACHE_PATH", "MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH")


def worker_env(overrides: Mapping[str, str], gpu_cache: Path) -> dict[str, str]:
    """The environment of the engine child, which finds this package also where it is not installed.

    GPU drivers keep compiled code in `gpu_cache`, since the child writes nowhere else.
    """
    caches = {name: str(gpu_cache) for name in _CACHES}
    found = {**_AS_THE_DRIVER_COUNTS, **child_env(os.environ)}
    return finding_this_package({**found, **caches, "GGML_NO_BACKTRACE": "1", **overrides})


def child_env(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a child of any kind may see."""
    return {name: value for name, value in environ.items() if _is_harmless(name.upper())}


def _is_harmless(name: str) -> bool:
    return (name in _NAMES or name.startswith(_PREFIXES)) and not is_secret_name(name)
