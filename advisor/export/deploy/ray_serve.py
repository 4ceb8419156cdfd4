"""Ray Serve LLM with vLLM: the configuration that `serve deploy` takes."""

from __future__ import annotations

import re
from typing import Any

from advisor.export.deploy.file_header import head, notice_text
from advisor.export.deploy.serving import BUSY_SHARE, GROWTH, Serving
from advisor.export.deploy.vllm_args import engine_arguments, vllm_of
from advisor.export.deploy.yaml_text import yaml_text

IMPORT_PATH = "ray.serve.llm:build_openai_app"
_ACCELERATORS = (
    (r"\bA100\b", "A100"),
    (r"\bH100\b", "H100"),
    (r"\bL4\b", "L4"),
    (r"\bA10G\b", "A10G"),
    (r"\bT4\b", "T4"),
    (r"\bV100\b", "V100"),
    (r"\bMI300X\b", "AMD-Instinct-MI300X-OAM"),
)
"""Names of ray.util.accelerators. Other GPUs have none, and go unnamed."""


def files(serving: Serving) -> dict[str, str]:
    """The configuration first."""
    name = f"ray-serve-{serving.label}"
    usage = (
        f"    serve deploy {name}.yaml        # on a Ray cluster with ray[llm] and GPUs; then: serve status",
        "It listens on the head node only, and Ray Serve asks for no key: put a gateway with keys and TLS before it.",
        "HF_TOKEN, where the weights are gated, belongs into the environment that the nodes are started in.",
    )
    document = {
        "proxy_location": "HeadOnly",
        "http_options": {"host": "127.0.0.1", "port": serving.port},
        **serve_config(serving),
    }
    return {
        f"{name}.yaml": yaml_text(head(serving, "Ray Serve", usage), document),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def serve_config(serving: Serving) -> dict[str, Any]:
    """The applications, as a cluster of any kind takes them."""
    vllm = vllm_of(serving)
    config: dict[str, Any] = {
        "model_loading_config": {"model_id": serving.model, "model_source": serving.hf_id},
        "deployment_config": deployment_config(serving),
        "engine_kwargs": engine_arguments(serving),
    }
    accelerator = accelerator_of(vllm.gpu_name)
    if accelerator is not None:
        config["accelerator_type"] = accelerator
    application = {
        "name": serving.label,
        "route_prefix": "/",
        "import_path": IMPORT_PATH,
        "args": {"llm_configs": [config]},
    }
    return {"applications": [application]}


def deployment_config(serving: Serving) -> dict[str, Any]:
    """Replicas, and how many requests one takes at a time: what it cannot start waits in the proxy."""
    return {
        "autoscaling_config": {
            "min_replicas": serving.replicas.count,
            "max_replicas": GROWTH * serving.replicas.count,
            "target_ongoing_requests": max(1.0, round(BUSY_SHARE * serving.slots, 1)),
            "downscale_delay_s": 600,
        },
        "max_ongoing_requests": serving.slots,
        "graceful_shutdown_timeout_s": 120,
    }


def accelerator_of(gpu_name: str | None) -> str | None:
    """Ray's name of a GPU, by which replicas are placed."""
    found = (ray for pattern, ray in _ACCELERATORS if gpu_name is not None and re.search(pattern, gpu_name))
    return next(found, None)
