"""What vLLM is told, in the names of its engine arguments; shared by every target that runs it."""

from __future__ import annotations

from advisor.errors import InputError
from advisor.export.deploy.serving import Serving, VllmSettings

VERSION = "0.33.0"
"""Of vLLM whose arguments these are (PyPI, 2026-11); the image has its tag."""
_IMAGES = {"cuda": f"vllm/vllm-openai:v{VERSION}", "rocm": f"vllm/vllm-openai-rocm:v{VERSION}"}

Value = str | int | float | bool


def vllm_of(serving: Serving) -> VllmSettings:
    """vLLM's settings. Raises InputError where another engine serves."""
    if serving.vllm is None:
        raise InputError(f"{serving.engine} is not vLLM")
    return serving.vllm


def engine_arguments(serving: Serving) -> dict[str, Value]:
    """By the names of `EngineArgs`. What a plan rests on is written down, since defaults differ between GPUs."""
    vllm = vllm_of(serving)
    found: dict[str, Value] = {
        "max_model_len": serving.context_tokens,
        "max_num_seqs": serving.slots,
        "max_num_batched_tokens": vllm.batched_tokens,
        "gpu_memory_utilization": vllm.memory_share,
        "tensor_parallel_size": vllm.tensor_parallel,
        "pipeline_parallel_size": vllm.pipeline_parallel,
        "dtype": "bfloat16",
    }
    if vllm.fp8:
        found["quantization"] = "fp8"
    return found


def serve_arguments(serving: Serving, host: str) -> dict[str, Value]:
    """Of `vllm serve`, without dashes, as its configuration file has them."""
    engine = {key.replace("_", "-"): value for key, value in engine_arguments(serving).items()}
    return {
        "model": serving.hf_id,
        "served-model-name": serving.model,
        "host": host,
        "port": serving.port,
        **engine,
    }


def command_line(serving: Serving, host: str) -> list[str]:
    """The arguments behind `vllm serve`."""
    arguments = serve_arguments(serving, host)
    model = str(arguments.pop("model"))
    return [model, *(f"--{key}={value}" for key, value in arguments.items())]


def image_of(serving: Serving) -> str:
    """The container image. Raises InputError where vLLM publishes none for the GPU."""
    if serving.image is not None:
        return serving.image
    if serving.backend not in _IMAGES:
        raise InputError(f"no image of vLLM for {serving.backend} is known", hint="Name one with --image.")
    return _IMAGES[serving.backend]


def refuse_stages(serving: Serving, target: str) -> None:
    """Raises InputError where one replica takes several machines."""
    stages = vllm_of(serving).pipeline_parallel
    if stages > 1:
        raise InputError(
            f"{target} cannot run {serving.model}",
            why=f"one copy of it takes {stages} machines",
            hint="Export --to ray-serve or --to kuberay, which join machines.",
        )
