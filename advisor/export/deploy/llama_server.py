"""llama-server by hand and under systemd: a command file, hardened units, an environment file without secrets."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import PurePosixPath

from advisor.export.deploy import systemd_text
from advisor.export.deploy.file_header import comment, copies_here, head, notice_text
from advisor.export.deploy.llama_args import (
    DEVICES_NOTE,
    NOTES,
    Argument,
    devices_of,
    environment_of,
    from_hub,
    llama_arguments,
    source_of,
)
from advisor.export.deploy.serving import GgufSource, Serving
from advisor.export.deploy.weights import fetch_script, local_name

_BINARY = "/usr/local/bin/llama-server"
_LOOPBACK = "127.0.0.1"
_FAMILIES = "AF_INET AF_INET6 AF_UNIX"


def files(serving: Serving) -> dict[str, str]:
    """The command file first, then units, environment and notice."""
    name = f"llama-server-{serving.label}"
    source = source_of(serving)
    found = {f"{name}.sh": _script(serving, name), f"{name}.service": _unit(serving, name, source)}
    if _is_fetched(source):
        found[f"{name}-weights.service"] = _weights_unit(serving, name)
        found[f"{name}-weights.sh"] = _weights_script(serving, source)
    found[f"{name}.env"] = _environment(serving, name)
    found[f"{name}.NOTICE.txt"] = notice_text(serving)
    return found


def _is_fetched(source: GgufSource) -> bool:
    """Whether a unit of its own downloads the weights, so that the server needs no network."""
    return source.repo is not None and source.file is not None


def _script(serving: Serving, name: str) -> str:
    arguments = llama_arguments(serving, from_hub(serving), _LOOPBACK)
    usage = (
        "Needs a llama-server of llama.cpp on the PATH, or its path in LLAMA_SERVER.",
        f"    bash {name}.sh                       # then: curl http://{_LOOPBACK}:{serving.port}/health",
        f"    LLAMA_API_KEY=... bash {name}.sh --host 0.0.0.0",
        "More options go behind; the last of two counts. Keys and tokens come from the environment: LLAMA_API_KEY for",
        "clients, HF_TOKEN where the weights are gated.",
        *_others(serving, "The others, once this one is ready:", lambda copy: _script_of(serving, name, copy)),
        *_notes(serving),
    )
    lines = [
        "#!/usr/bin/env bash",
        *head(serving, "llama-server", usage),
        "set -euo pipefail",
        *(f"export {name}={value}" for name, value in environment_of(serving).items()),
        "",
        "args=(",
        *(f"  {' '.join(map(shlex.quote, argument))}" for argument in arguments),
        ")",
        'case " $* " in',
        '  *" --host "*)',
        '    : "${LLAMA_API_KEY:?set it before you listen elsewhere, e.g. to what openssl rand -hex 32 prints}"',
        "    ;;",
        "esac",
        'exec "${LLAMA_SERVER:-llama-server}" "${args[@]}" "$@"',
    ]
    return "\n".join(lines) + "\n"


def _notes(serving: Serving) -> tuple[str, ...]:
    return (*NOTES, DEVICES_NOTE) if devices_of(serving) else NOTES


def _others(serving: Serving, what: str, command_of: Callable[[int], str]) -> list[str]:
    """How the further copies of one machine are run, each with a command of its own."""
    if serving.replicas.per_machine < 2:
        return []
    return [f"{copies_here(serving)} {what}", *(command_of(copy) for copy in range(1, serving.replicas.per_machine))]


def _script_of(serving: Serving, name: str, copy: int) -> str:
    return f"    bash {name}.sh --device {devices_of(serving, copy)} --port {serving.port_of(copy)}"


def _unit_of(serving: Serving, name: str, copy: int) -> str:
    """The unit with other GPUs and another port, as a unit with another name."""
    changes = [
        f"s/--device {devices_of(serving)} /--device {devices_of(serving, copy)} /",
        f"s/--port {serving.port} /--port {serving.port_of(copy)} /",
        f"s/:{serving.port}\\//:{serving.port_of(copy)}\\//",
    ]
    return f"    sed '{'; '.join(changes)}' {name}.service > /etc/systemd/system/{name}-{copy + 1}.service"


def _unit(serving: Serving, name: str, source: GgufSource) -> str:
    weights: list[Argument] = [("--model", f"/var/lib/{name}/{local_name(part)}") for part in source.parts[:1]]
    arguments = llama_arguments(serving, weights if _is_fetched(source) else from_hub(serving), _LOOPBACK)
    health = f"http://{_LOOPBACK}:{serving.port}/health"
    usage = (
        "Install, as root:",
        *_install(name, source),
        *([] if source.repo is not None else ["Every user must be able to read the file of weights."]),
        f"Health: curl --fail {health}. Logs: journalctl -u {name}.",
        "It listens on this machine only: put a reverse proxy with TLS before it.",
        *_others(
            serving, "Units of the others, as root, once this one is ready:", lambda copy: _unit_of(serving, name, copy)
        ),
        *_notes(serving),
    )
    first = f"{name}-weights.service" if _is_fetched(source) else "network-online.target"
    needs = [f"{'Requires' if _is_fetched(source) else 'Wants'}={first}", f"After={first}"]
    minutes = 15 if source.file is not None else 240
    lines = [
        *head(serving, "llama-server under systemd", usage),
        "[Unit]",
        f"Description={systemd_text.value(f'llama-server: {serving.title} in {serving.quantization}')}",
        *needs,
        "StartLimitIntervalSec=300",
        "StartLimitBurst=5",
        "",
        *_service(name, arguments, health, minutes),
        *_identity(serving, name),
        *_sandbox(),
        *(f"Environment={name}={value}" for name, value in environment_of(serving).items()),
        *_devices(serving),
        *_home(source),
        *_network(name, source),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _service(name: str, arguments: list[Argument], health: str, minutes: int) -> list[str]:
    """How the server is started, when it counts as ready, and what happens where it ends."""
    return [
        "[Service]",
        "Type=exec",
        f"EnvironmentFile=/etc/llm-advisor/{name}.env",
        "# A proxy would open a server without a key to everybody.",
        """ExecStartPre=/bin/sh -c 'test -n "$$LLAMA_API_KEY" || { echo "LLAMA_API_KEY is empty" >&2; exit 1; }'""",
        *_exec_start(arguments),
        "# Started means ready: the weights are loaded and requests are answered.",
        f"ExecStartPost=/usr/bin/curl --silent --fail --output /dev/null --retry {30 * minutes} --retry-delay 2 "
        f"--retry-connrefused {health}",
        f"TimeoutStartSec={minutes}min",
        "TimeoutStopSec=2min",
        "Restart=on-failure",
        "RestartSec=5",
        "",
    ]


def _network(name: str, source: GgufSource) -> list[str]:
    if source.file is None:
        cache = f"Environment=LLAMA_CACHE=/var/lib/{name}"
        return ["# It downloads the weights by itself.", cache, f"RestrictAddressFamilies={_FAMILIES} AF_NETLINK"]
    return [
        "# Only this machine can reach it, and it reaches nothing else.",
        f"RestrictAddressFamilies={_FAMILIES}",
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
    ]


def _install(name: str, source: GgufSource) -> list[str]:
    units = f"{name}.service {name}-weights.service" if _is_fetched(source) else f"{name}.service"
    lines = [
        f"    install -D -m 600 {name}.env /etc/llm-advisor/{name}.env    # then write the key into it",
        f"    install -m 644 {units} /etc/systemd/system/",
    ]
    if _is_fetched(source):
        lines.append(f"    install -D -m 755 {name}-weights.sh /usr/local/libexec/llm-advisor/{name}-weights.sh")
    return [*lines, f"    systemctl daemon-reload && systemctl enable --now {name}"]


def _exec_start(arguments: list[Argument]) -> list[str]:
    rows = [" ".join(systemd_text.command_word(part) for part in argument) for argument in arguments]
    return [f"ExecStart={_BINARY} \\", *(f"    {row} \\" for row in rows[:-1]), f"    {rows[-1]}"]


def _identity(serving: Serving, name: str) -> list[str]:
    return [
        "DynamicUser=yes",
        f"User=llm-{serving.label[:24].strip('-')}",
        f"StateDirectory={name}",
        "StateDirectoryMode=0700",
        "UMask=0077",
    ]


def _sandbox() -> list[str]:
    switches = (
        "NoNewPrivileges", "PrivateTmp", "ProtectClock", "ProtectControlGroups", "ProtectHostname",
        "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces",
        "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
    )  # fmt: skip
    return [
        "ProtectSystem=strict",
        *(f"{switch}=yes" for switch in switches),
        "ProtectProc=invisible",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallErrorNumber=EPERM",
    ]


def _devices(serving: Serving) -> list[str]:
    if not serving.gpus:
        return ["PrivateDevices=yes", "MemoryDenyWriteExecute=yes"]
    return [
        "# The GPUs, and no other device; drivers compile kernels while they run, so memory may become executable.",
        "DevicePolicy=closed",
        "DeviceAllow=char-nvidia* rw",
        "DeviceAllow=char-drm rw",
        "DeviceAllow=char-kfd rw",
        "SupplementaryGroups=video render",
    ]


def _home(source: GgufSource) -> list[str]:
    """Nothing of the homes, but the file where it lies in one."""
    folder = str(PurePosixPath(source.file or "").parent)
    if source.repo is None and folder.split("/")[1:2] in (["home"], ["root"]):
        return ["ProtectHome=tmpfs", f"BindReadOnlyPaths={systemd_text.quoted(folder)}"]
    return ["ProtectHome=yes"]


def _weights_unit(serving: Serving, name: str) -> str:
    lines = [
        *head(serving, "Downloads the weights, once"),
        "[Unit]",
        f"Description={systemd_text.value(f'Weights of {serving.title} in {serving.quantization}')}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        f"EnvironmentFile=/etc/llm-advisor/{name}.env",
        f"ExecStart=/bin/sh /usr/local/libexec/llm-advisor/{name}-weights.sh",
        "# Begun anew by hand after a failure, where it left off: systemctl start " + name,
        "TimeoutStartSec=infinity",
        "",
        *_identity(serving, name),
        *_sandbox(),
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "ProtectHome=yes",
        f"RestrictAddressFamilies={_FAMILIES} AF_NETLINK",
    ]
    return "\n".join(lines) + "\n"


def _weights_script(serving: Serving, source: GgufSource) -> str:
    lines = ["#!/bin/sh", *head(serving, "Downloads the weights into the folder that systemd names")]
    return "\n".join(lines) + "\n" + fetch_script(source, '"$STATE_DIRECTORY"')


def _environment(serving: Serving, name: str) -> str:
    lines = comment(
        [
            f"Secrets of {name}: keep it readable for root only (mode 600), and out of version control.",
            "What clients send as bearer token. Make one with: openssl rand -hex 32",
        ]
    )
    lines.append("LLAMA_API_KEY=")
    if source_of(serving).repo is not None:
        lines += comment(["For a repository that asks for a login: https://huggingface.co/settings/tokens"])
        lines.append("HF_TOKEN=")
    return "\n".join(lines) + "\n"
