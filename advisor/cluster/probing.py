"""This program's side of the child that asks a Ray cluster."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from advisor.children import finding_this_package, kill_session
from advisor.errors import InputError, NetworkError
from advisor.redaction import is_secret_name
from advisor.text import one_line

EXTRA = "cluster"
PROBE_S = 60.0
"""For the probe on a node, which may have to start llama.cpp once."""
CONNECT_S = 30.0
"""For importing ray and connecting: some seconds on a slow disk."""
_CHILD_S = 30.0
"""For starting workers, beside both."""
_ADDRESS = re.compile(r"auto|(ray://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}")
_NO_PACKAGE = "No module named advisor"


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What one node answered: its machine as a document, or why there is none."""

    name: str
    machine: dict[str, Any] | None
    reason: str | None = None
    hint: str | None = None


def ask_cluster(address: str, *, probe_s: float = PROBE_S, connect_s: float = CONNECT_S) -> tuple[NodeAnswer, ...]:
    """The answer of every live node of a Ray cluster, by name.

    `address` is HOST:PORT of the head node, `ray://HOST:PORT` from outside the cluster, or `auto` for the cluster on
    this machine. Raises InputError where ray is not installed or the address is none, NetworkError where no cluster
    answers there.
    """
    if find_spec("ray") is None:
        raise InputError(
            "asking a Ray cluster needs an extra",
            why="ray is not installed",
            hint=f"Install it: pip install 'llm-advisor[{EXTRA}]'",
        )
    if _ADDRESS.fullmatch(address) is None:
        raise InputError(f"{address!r} is no address", hint="Write HOST:PORT, ray://HOST:PORT or auto.")
    document = _run(address, probe_s, connect_s)
    if "error" in document:
        raise _unreachable(address, document["error"])
    nodes = document["nodes"]
    if not nodes:
        raise NetworkError(f"the Ray cluster at {address} has no live node", hint="Start one with: ray start")
    names = _names(nodes)
    return tuple(sorted((_answer(names[node["id"]], node) for node in nodes), key=lambda answer: answer.name))


def _run(address: str, probe_s: float, connect_s: float) -> dict[str, Any]:
    """The child's document. Raises NetworkError where it gives none in time."""
    command = [sys.executable, "-P", "-X", "utf8", "-m", "advisor.cluster.prober", address, f"{probe_s:g}"]
    command.append(f"{connect_s:g}")
    seconds = probe_s + connect_s + _CHILD_S
    with tempfile.TemporaryFile() as errors, _lifeline() as reading:
        child = subprocess.Popen(
            command, stdin=reading, stdout=subprocess.PIPE, stderr=errors, env=_env(), start_new_session=True
        )
        try:
            out, _ = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            why = f"the cluster did not answer within {seconds:g} s"
            raise NetworkError(f"{address} cannot be asked", why=why, hint=_ADDRESS_HINT) from None
        finally:
            _end(child)
        try:
            found: dict[str, Any] = json.loads(out)
        except (ValueError, RecursionError):
            errors.seek(0)
            why = _last_line(errors.read().decode("utf-8", "replace")) or f"ray ended with code {child.returncode}"
            raise NetworkError(f"{address} cannot be asked", why=why, hint=_ADDRESS_HINT) from None
        return found


_ADDRESS_HINT = "Give the address that `ray start` printed on the head node, or ray://HOST:10001 from elsewhere."


@contextmanager
def _lifeline() -> Iterator[int]:
    """The reading end of a pipe that closes when this process ends, whatever ends it."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        kill_session(child)
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _env() -> dict[str, str]:
    """Without reports to Ray's makers and secrets of others, and with this package where it is not installed."""
    told = {name: value for name, value in os.environ.items() if _is_rays(name) or not is_secret_name(name)}
    return finding_this_package({**told, "RAY_USAGE_STATS_ENABLED": "0"})


def _is_rays(name: str) -> bool:
    """Clusters may ask for a token of their own."""
    return name.startswith("RAY_")


def _unreachable(address: str, error: dict[str, str]) -> NetworkError:
    text = one_line(error["text"])
    if error["kind"] == "refused":
        return NetworkError(f"the Ray cluster at {address} refused", why=text, hint=_ADDRESS_HINT)
    return NetworkError(f"no Ray cluster answers at {address}", why=text, hint=_ADDRESS_HINT)


def _names(nodes: Sequence[dict[str, Any]]) -> dict[str, str]:
    """A name for each node id: its own where no other has it, else with the start of the id."""
    own = {node["id"]: node["name"] or node["address"] for node in nodes}
    counts = list(own.values())
    return {key: name if counts.count(name) == 1 else f"{name} ({key[:8]})" for key, name in own.items()}


def _answer(name: str, node: dict[str, Any]) -> NodeAnswer:
    if "lost" in node:
        return NodeAnswer(name, None, one_line(node["lost"]), "See that the node is up: ray status")
    probe = node["probe"]
    if probe["code"] == 0:
        try:
            machine = json.loads(probe["out"])
        except (ValueError, RecursionError):
            machine = None
        if isinstance(machine, dict):
            return NodeAnswer(name, machine)
        return NodeAnswer(name, None, "its probe printed no JSON document", _SAME_VERSION)
    if probe["code"] is None:
        return NodeAnswer(name, None, _last_line(probe["err"]), "See there how long it takes: llm-advisor probe")
    if _NO_PACKAGE in probe["err"]:
        hint = "Install it there, in the environment of Ray's workers: pip install llm-advisor"
        return NodeAnswer(name, None, "llm-advisor is not installed on it", hint)
    reason = _last_line(probe["err"]) or f"its probe ended with code {probe['code']}"
    return NodeAnswer(name, None, reason, _SAME_VERSION)


_SAME_VERSION = "Run the same version of llm-advisor on every node."


def _last_line(text: str) -> str:
    lines = [one_line(line) for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
