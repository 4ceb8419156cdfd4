"""What llama-server is told, in the words of llama.cpp's `common/arg.cpp`; shared by every target that runs it."""

from __future__ import annotations

from advisor.domain.placement import tensor_split
from advisor.errors import InputError
from advisor.export.deploy.serving import GgufSource, LlamaSettings, Serving

Argument = tuple[str, ...]
"""A flag, with its value where it takes one."""

IMAGE = "ghcr.io/ggml-org/llama.cpp"
"""llama.cpp's own images (docs/docker.md at 0c1e57098, 2026-10-01)."""
_IMAGE_TAGS = {
    "cpu": "server", "cuda": "server-cuda", "rocm": "server-rocm", "sycl": "server-intel", "vulkan": "server-vulkan",
}  # fmt: skip

_DEVICES = {"cuda": "CUDA", "rocm": "ROCm", "sycl": "SYCL", "vulkan": "Vulkan", "metal": "MTL"}
"""What llama.cpp calls the devices of a backend, each with its number behind: GGML_CUDA_NAME and its like in
ggml/include and ggml/src."""


def settings_of(serving: Serving) -> LlamaSettings:
    """llama.cpp's settings. Raises InputError where another engine serves."""
    if serving.llama is None:
        raise InputError(f"{serving.engine} is not llama.cpp")
    return serving.llama


def source_of(serving: Serving) -> GgufSource:
    """Where the weights come from. Raises InputError where another engine serves."""
    if serving.gguf is None:
        raise InputError(f"{serving.engine} runs no GGUF files")
    return serving.gguf


def llama_arguments(
    serving: Serving, weights: list[Argument], host: str, *, in_container: bool = False, sees_all_gpus: bool = True
) -> list[Argument]:
    """Every argument, those for the weights first. Defaults that matter are written down, since they change.

    A container serves programs alone, and may be given no GPUs but those that it uses.
    """
    llama = settings_of(serving)
    found: list[Argument] = [
        *weights,
        ("--alias", serving.model),
        ("--host", host),
        ("--port", str(serving.port)),
        ("--ctx-size", str(serving.total_context_tokens)),
        ("--parallel", str(serving.slots)),
        ("--no-kv-unified",),
        ("--n-gpu-layers", str(llama.n_gpu_layers)),
        *([("--device", names)] if sees_all_gpus and (names := devices_of(serving)) else []),
        *_split(used_shares(llama)),
        *([("--cpu-moe",)] if llama.experts_in_ram else []),
        ("--cache-type-k", llama.kv_type),
        ("--cache-type-v", llama.kv_type),
        ("--flash-attn", "on" if llama.flash_attention else "off"),
        ("--batch-size", str(llama.batch)),
        ("--ubatch-size", str(llama.ubatch)),
        ("--threads", str(llama.threads)),
        ("--load-mode", "none"),
        ("--fit", "off"),
        ("--cache-ram", "0"),
        ("--metrics",),
    ]
    if in_container:
        found.append(("--no-ui",))
    return found


def devices_of(serving: Serving, copy: int = 0) -> str | None:
    """The GPUs of a copy for `--device`; None where its machine has no others.

    A GPU without a layer would still take buffers, several times as large for the pipeline that llama.cpp then builds
    (`pipeline_parallel` in src/llama-context.cpp).
    """
    if serving.backend not in _DEVICES or not serving.leaves_gpus:
        return None
    return ",".join(f"{_DEVICES[serving.backend]}{i}" for i in serving.gpus_of(copy))


def environment_of(serving: Serving) -> dict[str, str]:
    """Variables by which llama.cpp counts the GPUs of a machine as its driver does, and as they were probed.

    CUDA would count the fastest one first (CUDA C++ Programming Guide, CUDA environment variables).
    """
    several = serving.backend == "cuda" and serving.gpus > 0 and len(settings_of(serving).gpu_layers) > 1
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if several else {}


def used_shares(llama: LlamaSettings) -> tuple[int, ...]:
    """What each GPU in use gets of the offloaded layers, as llama.cpp counts them."""
    return tuple(n for n in tensor_split(llama.gpu_layers, llama.n_gpu_layers) if n)


def _split(shares: tuple[int, ...]) -> list[Argument]:
    """Without it llama.cpp shares the layers out by the memory that is free when it starts."""
    if len(shares) < 2:
        return []
    return [("--split-mode", "layer"), ("--tensor-split", ",".join(map(str, shares)))]


def from_hub(serving: Serving) -> list[Argument]:
    """The weights as llama-server downloads them itself, or the path of those that are there."""
    source = source_of(serving)
    found: list[Argument]
    if source.file is None:
        found = [("--hf-repo", f"{source.repo}:{serving.quantization}")]
    elif source.repo is None:
        return [("--model", source.file)]
    else:
        found = [("--hf-repo", source.repo), ("--hf-file", source.file)]
    if serving.text_only:
        found.append(("--no-mmproj",))
    return found


def image_of(serving: Serving) -> str:
    """The container image. Raises InputError where llama.cpp publishes none for the GPU."""
    if serving.image is not None:
        return serving.image
    if serving.backend not in _IMAGE_TAGS:
        raise InputError(
            f"llama.cpp publishes no image for {serving.backend}",
            hint="Name one with --image, or use --to llama-server.",
        )
    return f"{IMAGE}:{_IMAGE_TAGS[serving.backend]}"


def flat(arguments: list[Argument]) -> list[str]:
    """As an argument vector."""
    return [part for argument in arguments for part in argument]


NOTES = (
    "--ctx-size is shared out evenly: each of --parallel slots holds one request of --ctx-size / --parallel tokens.",
    "--fit off keeps these settings instead of fitting them anew; --cache-ram 0 keeps llama-server's store of past "
    "prompts (8 GiB by default) out of memory that nobody counted.",
    "--load-mode none reads the weights into memory, as they were sized and measured; mapped ones can decode slower.",
)
DEVICES_NOTE = (
    "--device keeps llama.cpp from the machine's other GPUs; llama-server --list-devices prints how it calls each one."
)
