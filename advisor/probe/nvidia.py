"""NVIDIA GPUs, as their driver reports them through NVML."""

from __future__ import annotations

from typing import Any

from advisor.domain.hardware import Gpu, Reading
from advisor.probe import nvidia_child
from advisor.probe.nvml import Nvml, within
from advisor.probe.nvml_errors import LIBRARY_NOT_FOUND, NOT_SUPPORTED, explain
from advisor.probe.readings import attempt, unknown
from advisor.values import value

TIMEOUT_S = 3.0
"""A sick driver can block a question for ever; a healthy one answers all of them within a fraction of a second."""

_SICK = "Try nvidia-smi: if it fails too, check the kernel log for Xid errors and reboot."

_MAX_GPUS = 256
"""A count beyond this is no count."""


@value
class NvidiaGpus:
    """The driver's answer."""

    count: Reading[int]
    gpus: tuple[Gpu, ...]
    has_driver: bool
    """The driver's library is installed, whether or not it answers."""


def read_nvidia(timeout_s: float = TIMEOUT_S) -> NvidiaGpus:
    """All NVIDIA GPUs. Never raises, and returns after the timeout when the driver hangs, and where it crashes."""
    if nvidia_child.is_library_missing():
        # The binding would find no more than that, and takes a while to load.
        return NvidiaGpus(unknown("nvmlInit", *explain(LIBRARY_NOT_FOUND)), (), has_driver=False)
    if not nvidia_child.can_ask():
        return read_here(timeout_s)
    found = nvidia_child.ask(timeout_s)
    if isinstance(found, str):
        return NvidiaGpus(unknown("NVML", found, _SICK), (), has_driver=True)
    return NvidiaGpus(Reading(**found["count"]), nvidia_child.gpus_of(found), found["has_driver"])


def read_here(timeout_s: float) -> NvidiaGpus:
    """The same in this process."""
    nvml = Nvml()
    answer = within(timeout_s, lambda: _survey(nvml))
    if answer is None:
        reason = f"the driver did not answer {nvml.asked} within {timeout_s:g} s"
        return NvidiaGpus(unknown("NVML", reason, _SICK), (), has_driver=True)
    if answer.value is None:
        return NvidiaGpus(unknown("NVML", answer.reason or "no answer"), (), has_driver=True)
    return answer.value


def _survey(nvml: Nvml) -> NvidiaGpus:
    with nvml.session() as started:
        if started.reason is not None:
            return NvidiaGpus(started, (), has_driver=nvml.failure not in (None, LIBRARY_NOT_FOUND))
        count = nvml.query("nvmlDeviceGetCount")
        driver = nvml.query("nvmlSystemGetDriverVersion")
        indices = range(min(count.value or 0, _MAX_GPUS))
        return NvidiaGpus(count, tuple(_gpu(nvml, index, driver) for index in indices), has_driver=True)


def _gpu(nvml: Nvml, index: int, driver: Reading[str]) -> Gpu:
    handle = nvml.query("nvmlDeviceGetHandleByIndex", index)
    if handle.value is None:
        lost = unknown(handle.source, handle.reason or "no handle", handle.hint)
        return Gpu(index, name=lost, total_bytes=lost, free_bytes=lost, driver=driver, mig=lost)
    name = nvml.query("nvmlDeviceGetName", handle.value)
    mig = _mig(nvml, handle.value)
    memory, is_unified = _memory(nvml, _instance(nvml, handle) if mig.value else handle)
    return Gpu(
        index,
        name=name,
        total_bytes=_amount(memory, "total"),
        free_bytes=_amount(memory, "free"),
        driver=driver,
        mig=mig,
        unified_memory=is_unified,
    )


def _mig(nvml: Nvml, handle: object) -> Reading[bool]:
    modes = nvml.query("nvmlDeviceGetMigMode", handle)
    if modes.value is None:
        no_such_mode = nvml.failure == NOT_SUPPORTED
        return Reading(False, modes.source) if no_such_mode else modes
    return Reading(bool(modes.value[0]), modes.source)


def _instance(nvml: Nvml, gpu: Reading[Any]) -> Reading[Any]:
    """The first instance of a divided GPU: CUDA gives a process no more than one."""
    most = nvml.query("nvmlDeviceGetMaxMigDeviceCount", gpu.value)
    for index in range(most.value or 0):
        instance = nvml.query("nvmlDeviceGetMigDeviceHandleByIndex", gpu.value, index)
        if instance.value is not None:
            return instance
    hint = "Create an instance (nvidia-smi mig -cgi … -C), or turn MIG off (nvidia-smi -mig 0)."
    return unknown(most.source, "MIG is on, but the GPU has no instance", hint)


def _memory(nvml: Nvml, handle: Reading[Any]) -> tuple[Reading[Any], bool]:
    """The memory figures, and whether the GPU has no memory of its own, which NVML answers with `not supported`."""
    if handle.value is None:
        return handle, False
    memory = nvml.query("nvmlDeviceGetMemoryInfo", handle.value)
    if memory.value is None and nvml.failure == NOT_SUPPORTED:
        return unknown(memory.source, "the GPU shares the memory of the system"), True
    return memory, False


def _amount(memory: Reading[Any], part: str) -> Reading[int]:
    if memory.value is None:
        return memory
    return attempt(memory.source, lambda: int(getattr(memory.value, part)))
