"""Docker Compose (compose-spec): weights fetched once into a volume, then one server behind a port of this machine."""

from __future__ import annotations

from typing import Any

from advisor.export.deploy.engine_container import Container, container_of
from advisor.export.deploy.file_header import annotations_of, comment, copies_here, head, notice_text
from advisor.export.deploy.serving import Serving
from advisor.export.deploy.yaml_text import yaml_text

_USER = "10001:10001"
"""Nobody's on the host; the volume is handed to it."""
_TOKEN = ("HF_TOKEN", "${HF_TOKEN:-}")


def files(serving: Serving) -> dict[str, str]:
    """The Compose file first, then the environment file without secrets."""
    name = f"compose-{serving.label}"
    container = container_of(serving, "compose")
    port = f"127.0.0.1:{serving.port}"
    usage = (
        f"    cp {name}.env.example {name}.env && chmod 600 {name}.env    # then write the key into it",
        f"    docker compose --env-file {name}.env -f {name}.yaml up -d --wait",
        f"    curl --fail http://{port}/health",
        "It listens on this machine only: put a reverse proxy with TLS before it. Pin the image by digest.",
        *_further_copies(serving, name),
        *container.notes,
    )
    services: dict[str, Any] = {}
    if container.fetch is not None:
        services["weights"] = escaped(_weights(container))
        services["weights"]["environment"] = dict([_TOKEN])
    services["server"] = escaped(_server(serving, container))
    key = container.key_variable
    services["server"]["environment"][key] = f"${{{key}:?write it into {name}.env}}"
    if container.fetch is None:
        services["server"]["environment"] |= dict([_TOKEN])
    document = {"name": serving.label, "services": services, "volumes": {"models": {}}}
    return {
        f"{name}.yaml": yaml_text(head(serving, "Docker Compose", usage), document),
        f"{name}.env.example": _environment(container, name),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def _further_copies(serving: Serving, name: str) -> list[str]:
    if serving.replicas.per_machine < 2:
        return []
    gpus = "device_ids" if serving.backend == "cuda" else "--device"
    return [
        f"{copies_here(serving)} For each of the others, copy this file, give it other {gpus} and another port before "
        f"the colon, and start it under a name of its own: docker compose -p {serving.label}-2 …"
    ]


def escaped(value: Any) -> Any:
    """With every dollar sign doubled: Compose would put a variable in its place."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: escaped(part) for key, part in value.items()}
    return [escaped(part) for part in value] if isinstance(value, list) else value


def _weights(container: Container) -> dict[str, Any]:
    """Runs once, as root, so that it can hand the volume to the server's user."""
    script = f"{container.fetch}chown -R {_USER} /models\n"
    return {
        "image": container.image,
        "entrypoint": ["/bin/sh", "-c", script],
        "restart": "on-failure:5",
        "cap_drop": ["ALL"],
        "cap_add": ["CHOWN", "DAC_OVERRIDE"],
        "security_opt": ["no-new-privileges:true"],
        "volumes": [_volume()],
    }


def _server(serving: Serving, container: Container) -> dict[str, Any]:
    found: dict[str, Any] = {
        "image": container.image,
        "entrypoint": container.command,
        "command": container.arguments,
        "environment": dict(container.environment),
        "ports": [f"127.0.0.1:{serving.port}:{serving.port}"],
        "volumes": [_volume(read_only=container.fetch is not None)],
        "tmpfs": ["/tmp"],
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": True,
        "restart": "unless-stopped",
        "stop_grace_period": "2m",
        "healthcheck": {
            "test": ["CMD", "curl", "--fail", "--silent", "--output", "/dev/null",
                     f"http://127.0.0.1:{serving.port}/health"],
            "interval": "15s",
            "timeout": "5s",
            "retries": 5,
            "start_period": f"{container.start_minutes}m",
        },
        "labels": annotations_of(serving),
    }  # fmt: skip
    if container.fetch is not None:
        found["user"] = _USER
        found["depends_on"] = {"weights": {"condition": "service_completed_successfully"}}
    if container.memory_bytes is not None:
        found["mem_limit"] = container.memory_bytes
    if container.shared_memory_gib:
        found["shm_size"] = f"{container.shared_memory_gib}gb"
    return {**found, **_gpus(serving)}


def _volume(*, read_only: bool = False) -> dict[str, Any]:
    return {"type": "volume", "source": "models", "target": "/models", "read_only": read_only}


def _gpus(serving: Serving) -> dict[str, Any]:
    if not serving.gpus:
        return {}
    if serving.backend == "cuda":
        which = {"device_ids": [str(i) for i in serving.gpus_of(0)]} if serving.leaves_gpus else {"count": serving.gpus}
        device = {"driver": "nvidia", **which, "capabilities": ["gpu"]}
        return {"deploy": {"resources": {"reservations": {"devices": [device]}}}}
    # AMD's driver computes through a device of its own, which hosts with other GPUs do not have.
    compute = ["/dev/kfd:/dev/kfd"] if serving.backend == "rocm" else []
    return {"devices": [*compute, "/dev/dri:/dev/dri"], "group_add": ["video", "render"]}


def _environment(container: Container, name: str) -> str:
    lines = comment([
        f"Copy to {name}.env. Secrets: keep it out of version control.",
        "What clients send as bearer token. Make one with: openssl rand -hex 32",
    ])  # fmt: skip
    lines += [f"{container.key_variable}=", *comment(["For a repository that asks for a login."]), "HF_TOKEN="]
    return "\n".join(lines) + "\n"
