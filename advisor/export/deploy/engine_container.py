"""The engine in a container, as Compose and Kubernetes run it: image, command, environment, download, memory."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.errors import InputError
from advisor.export.deploy import llama_args, vllm_args
from advisor.export.deploy.serving import Serving
from advisor.export.deploy.weights import fetch_script, local_name
from advisor.units import MIB

MODELS = "/models"
"""Where the volume of weights lies in the container."""
_PROCESS_BYTES = 512 * MIB
"""Allowed for llama-server beside the footprint: program, threads, HTTP buffers."""


@dataclass(frozen=True, slots=True)
class Container:
    """What runs, and what it needs."""

    image: str
    command: list[str]
    arguments: list[str]
    environment: dict[str, str]
    fetch: str | None
    """Shell script that fills /models before the engine starts; None where the engine downloads by itself."""
    key_variable: str
    """Environment variable with the key of clients."""
    memory_bytes: int | None
    """System memory; None where nobody knows."""
    cores: int | None
    """To ask for; None where the GPU does the work, or where nobody knows."""
    disk_bytes: int
    """Of the weights."""
    start_minutes: int
    shared_memory_gib: int = 0
    """Of /dev/shm, by which several GPUs talk."""
    running_metric: str = ""
    """Prometheus name of the number of requests being answered."""
    notes: tuple[str, ...] = ()


def container_of(serving: Serving, target: str) -> Container:
    """Raises InputError where the target or the images cannot run it."""
    return _llama(serving, target) if serving.engine == "llama.cpp" else _vllm(serving, target)


def _llama(serving: Serving, target: str) -> Container:
    source = llama_args.source_of(serving)
    if source.repo is None:
        raise InputError(
            f"a container does not see {source.file}",
            why="weights are downloaded into its volume",
            hint="Name a repository: --gguf owner/name/FILE.gguf.",
        )
    if source.file is None:
        raise InputError(
            f"the weights of {serving.model} cannot be fetched for {target}",
            why=f"the name of the {serving.quantization} file in {source.repo} is not known",
            hint="Name it: --gguf owner/name/FILE.gguf.",
        )
    weights: list[llama_args.Argument] = [("--model", f"{MODELS}/{local_name(source.parts[0])}")]
    return Container(
        image=llama_args.image_of(serving),
        command=["/app/llama-server"],
        arguments=llama_args.flat(
            llama_args.llama_arguments(
                serving, weights, "0.0.0.0", in_container=True, sees_all_gpus=_sees_all_gpus(serving, target)
            )
        ),
        environment={"HOME": "/tmp", **(llama_args.environment_of(serving) if target == "compose" else {})},
        fetch=fetch_script(source, MODELS),
        key_variable="LLAMA_API_KEY",
        memory_bytes=None if serving.ram_bytes is None else serving.ram_bytes + _PROCESS_BYTES,
        cores=serving.cores if serving.uses_processor else 1,
        disk_bytes=source.n_bytes or serving.weights_bytes,
        start_minutes=20,
        running_metric="llamacpp:requests_processing",
        notes=llama_args.NOTES,
    )


def _sees_all_gpus(serving: Serving, target: str) -> bool:
    """Compose hands over the whole of /dev/dri, but for NVIDIA's GPUs; Kubernetes those that a pod asks for."""
    return target == "compose" and serving.backend != "cuda"


def _vllm(serving: Serving, target: str) -> Container:
    vllm_args.refuse_stages(serving, target)
    settings = vllm_args.vllm_of(serving)
    return Container(
        image=vllm_args.image_of(serving),
        command=["vllm", "serve"],
        arguments=vllm_args.command_line(serving, "0.0.0.0"),
        environment={
            "HF_HOME": MODELS,
            # Caches that the engine compiles into, and a name for a user that the image does not know.
            "HOME": "/tmp",
            "USER": "vllm",
            "VLLM_CACHE_ROOT": "/tmp/vllm",
            "VLLM_NO_USAGE_STATS": "1",
        },
        fetch=None,
        key_variable="VLLM_API_KEY",
        memory_bytes=serving.ram_bytes,
        cores=serving.cores,
        disk_bytes=serving.weights_bytes,
        start_minutes=60,
        shared_memory_gib=2 if settings.tensor_parallel > 1 else 0,
        running_metric="vllm:num_requests_running",
        notes=("vLLM downloads the weights itself when it starts for the first time.",),
    )
