"""What a user should know about this machine, with the way to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.domain.hardware import Engine, Finding, Memory
from advisor.probe.drm import DrmCard
from advisor.probe.engine_gpus import APPLE_SILICON
from advisor.probe.nvidia import NvidiaGpus
from advisor.units import counted, format_bytes

_REQUIREMENT = "llama-cpp-python>=0.3.36,<0.4"


def find_all(
    platform: str, engine: Engine, memory: Memory, nvidia: NvidiaGpus, amd: Sequence[DrmCard]
) -> tuple[Finding, ...]:
    """Findings, those about GPUs first."""
    return (
        *_driver_trouble(nvidia),
        *_missing_gpu_support(platform, engine, nvidia, amd),
        *_hidden_gpus(engine, nvidia),
        *_small_group(memory),
    )


def rebuild_command(option: str, platform: str) -> str:
    """The shell command that builds llama-cpp-python again with a back end."""
    pip = f'pip install --force-reinstall --no-cache-dir "{_REQUIREMENT}"'
    if platform.startswith("windows"):
        return f'$env:CMAKE_ARGS="{option}"; {pip}'
    return f'CMAKE_ARGS="{option}" {pip}'


def _driver_trouble(nvidia: NvidiaGpus) -> Iterator[Finding]:
    count = nvidia.count
    if count.value is None and nvidia.has_driver:
        yield Finding("warning", f"The NVIDIA driver cannot be asked for GPUs: {count.reason}.", count.hint)
    for gpu in nvidia.gpus:
        if gpu.name.value is None:
            yield Finding("warning", f"GPU {gpu.index} cannot be used: {gpu.name.reason}.", gpu.name.hint)
        if gpu.mig.value:
            text = f"GPU {gpu.index} is divided by MIG: llama.cpp gets one instance, whose memory is shown."
            yield Finding("warning", text, "To use all of it, turn MIG off: nvidia-smi -mig 0.")


def _missing_gpu_support(
    platform: str, engine: Engine, nvidia: NvidiaGpus, amd: Sequence[DrmCard]
) -> Iterator[Finding]:
    if engine.gpu_offload.value is not False:
        return
    if nvidia.count.value:
        yield _no_support(f"The driver reports {_gpus(nvidia.count.value, 'NVIDIA')}", "-DGGML_CUDA=on", platform)
    elif amd:
        names = ", ".join(_card(card) for card in amd)
        yield _no_support(f"The kernel lists {_gpus(len(amd), 'AMD')} ({names})", "-DGGML_HIP=on", platform)
    elif platform == APPLE_SILICON:
        yield _no_support("This Mac has a GPU that Metal can use", "-DGGML_METAL=on", platform)


def _no_support(what: str, option: str, platform: str) -> Finding:
    text = f"{what}, but llama-cpp-python was built without GPU support: llama.cpp runs on the processor only."
    return Finding("warning", text, f"Build it again: {rebuild_command(option, platform)}")


def _gpus(count: int, vendor: str) -> str:
    return counted(count, f"{vendor} GPU")


def _card(card: DrmCard) -> str:
    return card.name if card.memory_bytes is None else f"{card.name}, {format_bytes(card.memory_bytes)}"


def _hidden_gpus(engine: Engine, nvidia: NvidiaGpus) -> Iterator[Finding]:
    devices = engine.devices.value
    if not engine.gpu_offload.value or devices is None:
        return
    usable = sum(gpu.name.value is not None for gpu in nvidia.gpus)
    listed = sum(device.kind in ("gpu", "igpu") for device in devices)
    if listed < usable:
        text = f"llama.cpp lists {listed} of the {usable} GPUs that the NVIDIA driver reports."
        yield Finding("warning", text, "Check CUDA_VISIBLE_DEVICES, and that llama-cpp-python was built for CUDA.")


def _small_group(memory: Memory) -> Iterator[Finding]:
    limit, total = memory.limit_bytes.value, memory.total_bytes.value
    if limit is not None and total is not None and 2 * limit < total:
        text = f"A cgroup limits this process to {format_bytes(limit)} of {format_bytes(total)} memory."
        yield Finding("info", text, "Raise it to use more: docker run --memory, or MemoryMax of the systemd unit.")
