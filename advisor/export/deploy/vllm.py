"""`vllm serve`: its configuration file and the command that starts it."""

from __future__ import annotations

import shlex

from advisor.export.deploy.file_header import copies_here, head, notice_text
from advisor.export.deploy.serving import Serving
from advisor.export.deploy.vllm_args import VERSION, refuse_stages, serve_arguments
from advisor.export.deploy.yaml_text import yaml_text

_LOOPBACK = "127.0.0.1"
_VISIBLE = {"cuda": "CUDA_VISIBLE_DEVICES", "rocm": "HIP_VISIBLE_DEVICES"}
"""By which the drivers' runtimes hide GPUs from a program (CUDA C++ Programming Guide; AMD's HIP documentation)."""


def files(serving: Serving) -> dict[str, str]:
    """The configuration first, then the command file."""
    refuse_stages(serving, "vllm serve")
    name = f"vllm-{serving.label}"
    usage = (
        f"    vllm serve --config {name}.yaml        # or: bash {name}.sh",
        f"Its keys are those of vLLM {VERSION}. Health: curl --fail http://{_LOOPBACK}:{serving.port}/health",
    )
    config = yaml_text(head(serving, "vLLM", usage), serve_arguments(serving, _LOOPBACK))
    return {
        f"{name}.yaml": config,
        f"{name}.sh": _script(serving, name),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def _script(serving: Serving, name: str) -> str:
    usage = (
        f"Needs vLLM {VERSION} and {name}.yaml beside this file.",
        f"    VLLM_API_KEY=... bash {name}.sh",
        "More options go behind. HF_TOKEN is needed where the weights are gated.",
        *_others(serving, name),
    )
    lines = [
        "#!/usr/bin/env bash",
        *head(serving, "vLLM", usage),
        "set -euo pipefail",
        "",
        ': "${VLLM_API_KEY:?set it to what clients send as bearer token, e.g. to what openssl rand -hex 32 prints}"',
        'here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)',
        f'exec vllm serve --config "$here"/{shlex.quote(name)}.yaml "$@"',
    ]
    return "\n".join(lines) + "\n"


def _others(serving: Serving, name: str) -> list[str]:
    """How the further copies of one machine are run."""
    if serving.replicas.per_machine < 2:
        return []
    lines = [f"{copies_here(serving)} The others:"]
    for copy in range(1, serving.replicas.per_machine):
        gpus = ",".join(map(str, serving.gpus_of(copy)))
        lines.append(f"    {_VISIBLE[serving.backend]}={gpus} bash {name}.sh --port {serving.port_of(copy)}")
    return lines
