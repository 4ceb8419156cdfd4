"""llama.cpp on Ray Serve, on processors or GPUs: an application of its own and its configuration.

Ray Serve LLM runs vLLM alone, so the application comes with the files. It holds a model in llama-cpp-python, which
answers one request at a time: users are served by replicas, not by slots.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advisor.errors import InputError
from advisor.export.deploy.file_header import head, notice_text
from advisor.export.deploy.llama_args import used_shares
from advisor.export.deploy.serving import GgufSource, LicenceDuties, LlamaSettings, Serving
from advisor.export.deploy.yaml_text import yaml_text

SLOTS = 1
"""Requests that a replica answers at once."""
RETRIES = 2
"""Other replicas that an accepted request is given to where its own dies."""
AT_THE_DOOR = 1
"""Requests that wait at a replica while it answers another, so that it need not wait for the next one."""
QUEUED_PER_REPLICA = 8
"""Requests that wait for a place; further ones are refused, because they would wait for ever longer."""
LONGEST_REQUEST_S = 600
APP = "llama_app.py"
_APP_TEXT = Path(__file__).with_name("ray_llama_app.py.txt")


def files(serving: Serving) -> dict[str, str]:
    """The configuration first, then the application that it names. Raises InputError for more than one slot."""
    if serving.slots != SLOTS or serving.llama is None or serving.gguf is None:
        raise InputError(
            f"ray-llama-cpp answers {SLOTS} request at a time with each copy, not {serving.slots}",
            hint="Leave --slots and --node out; copies (--replicas) serve more users.",
        )
    if serving.llama.experts_in_ram:
        raise InputError(
            f"ray-llama-cpp cannot run {serving.model} as recommended",
            why="llama-cpp-python cannot leave the experts in system memory",
            hint="Export --to llama-server, or recommend for GPUs that hold the whole model.",
        )
    name = f"ray-llama-cpp-{serving.label}"
    usage = (
        "    pip install 'ray[serve]' llama-cpp-python huggingface_hub   # on every node",
        "In a directory that holds these files alone, on the head node:",
        f"    serve run --address auto --working-dir . {name}.yaml",
        f"A request whose copy dies goes to another one, up to {RETRIES} times (`retries`); then the client gets 503. "
        "One that finds the queue full gets 429 (`max_queued_requests`). What the gateway itself holds is lost when "
        "its node dies.",
        "It listens on the head node only, and asks for no key: put a gateway with keys and TLS before it.",
    )
    document = {
        "proxy_location": "HeadOnly",
        "http_options": {"host": "127.0.0.1", "port": serving.port, "request_timeout_s": LONGEST_REQUEST_S},
        "applications": [_application(serving, serving.llama, serving.gguf)],
    }
    return {
        f"{name}.yaml": yaml_text(head(serving, "llama.cpp on Ray Serve", usage), document),
        APP: _APP_TEXT.read_text(encoding="utf-8"),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def _application(serving: Serving, llama: LlamaSettings, gguf: GgufSource) -> dict[str, Any]:
    return {
        "name": serving.label,
        "route_prefix": "/",
        "import_path": "llama_app:build",
        "args": {
            "model": serving.model,
            **_weights(gguf),
            "context_tokens": serving.context_tokens,
            "threads": llama.threads,
            "gpu_layers": llama.n_gpu_layers,
            **({"gpu_shares": list(used_shares(llama))} if serving.gpus > 1 else {}),
            "batch": llama.batch,
            "ubatch": llama.ubatch,
            "flash_attention": llama.flash_attention,
            "kv_type": llama.kv_type,
            "retries": RETRIES,
            "longest_request_s": LONGEST_REQUEST_S,
            "notices": _notices(serving.licence),
        },
        "deployments": [_gateway(), _replicas(serving, llama)],
    }


def _notices(licence: LicenceDuties) -> list[str]:
    """The words that the licence prescribes, those for a cautious reader too."""
    owed = (*licence.duties, *licence.cautious_duties)
    return list(dict.fromkeys(duty.exact for duty in owed if duty.exact))


def _weights(gguf: GgufSource) -> dict[str, Any]:
    if gguf.repo is None:
        return {"model_path": gguf.file}
    return {"model_repo": gguf.repo, "model_files": list(gguf.parts)}


def _gateway() -> dict[str, Any]:
    return {
        "name": "Gateway",
        "num_replicas": 1,
        "max_ongoing_requests": 1000,
        "graceful_shutdown_timeout_s": LONGEST_REQUEST_S,
        "ray_actor_options": {"num_cpus": 0},
    }


def _replicas(serving: Serving, llama: LlamaSettings) -> dict[str, Any]:
    needs: dict[str, Any] = {"num_cpus": llama.threads if serving.uses_processor else 1}
    if serving.gpus:
        needs["num_gpus"] = serving.gpus
    if serving.ram_bytes is not None:
        needs["memory"] = serving.ram_bytes
    return {
        "name": "LlamaReplica",
        "num_replicas": serving.replicas.count,
        # A second copy on the same cores would only halve the speed of the first.
        **({} if serving.gpus else {"max_replicas_per_node": 1}),
        "max_ongoing_requests": SLOTS + AT_THE_DOOR,
        "max_queued_requests": QUEUED_PER_REPLICA * serving.replicas.count,
        "health_check_period_s": 5,
        "health_check_timeout_s": 30,
        "graceful_shutdown_timeout_s": LONGEST_REQUEST_S,
        "ray_actor_options": needs,
    }
