"""`vllm serve`: its configuration file and the command that starts it."""

from __future__ import annotations

import shlex

from advisor.export.deploy.file_header import head, notice_text
from advisor.export.deploy.serving import Serving
from advisor.export.deploy.vllm_args import VERSION, refuse_stages, serve_arguments
from advisor.export.deploy.yaml_text import yaml_text

_LOOPBACK = "127.0.0.1"


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
