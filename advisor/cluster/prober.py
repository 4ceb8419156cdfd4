"""The child that asks a Ray cluster: `python -m advisor.cluster.prober ADDRESS PROBE_S CONNECT_S`.

This file alone imports ray. Ray aborts the process that loses its cluster, retries in native threads and writes to
both streams; so the answer goes to a private descriptor, and the child ends with its parent, whose end closes standard
input.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]

_TCP_S = 5.0
_GRACE_S = 15.0
"""For starting a worker on a node, beside the seconds that its probe may take."""
_MOST_CHARACTERS = 2000
"""Most characters kept of what a node wrote when its probe failed."""


def probe_here(seconds: float, most_characters: int) -> dict[str, Any]:
    """Runs on each node: the packaged probe, in the environment of Ray's workers there.

    It is sent by value, so a node needs only the package itself. LLM_ADVISOR_MACHINE on the node names a machine file
    that says what the node is, in place of what the probe would find.
    """
    import os
    import subprocess
    import sys

    command = [sys.executable, "-P", "-X", "utf8", "-m", "advisor", "probe", "--json"]
    told = os.environ.get("LLM_ADVISOR_MACHINE")
    if told:
        command += ["--machine", told]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return {"code": None, "out": "", "err": f"the probe did not end within {seconds:g} s"}
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr[-most_characters:]}


def ask(address: str, seconds: float, connected: Callable[[], None]) -> Answer:
    """What every live node answers, or why nobody could be asked; `connected` is called in between."""
    refusal = _refusal(address)
    if refusal is not None:
        return {"error": {"kind": "unreachable", "text": refusal}}
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (ConnectionError, TimeoutError) as error:
        return {"error": {"kind": "unreachable", "text": _first_line(error)}}
    except (RuntimeError, ValueError, OSError) as error:
        return {"error": {"kind": "refused", "text": _first_line(error)}}
    connected()
    try:
        return {"nodes": _ask_nodes([node for node in ray.nodes() if node["Alive"]], seconds)}
    finally:
        ray.shutdown()


def _ask_nodes(nodes: list[dict[str, Any]], seconds: float) -> list[Answer]:
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0, max_retries=0)(probe_here)
    asked = {}
    for node in nodes:
        pinned = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
        asked[task.options(scheduling_strategy=pinned).remote(seconds, _MOST_CHARACTERS)] = node
    done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=seconds + _GRACE_S) if asked else ([], [])
    found = []
    for reference, node in asked.items():
        answer = {"id": node["NodeID"], "name": node["NodeName"], "address": node["NodeManagerAddress"]}
        if reference not in done:
            found.append({**answer, "lost": f"it did not answer within {seconds + _GRACE_S:g} s"})
            continue
        try:
            found.append({**answer, "probe": ray.get(reference)})
        except RayError as error:
            found.append({**answer, "lost": f"{type(error).__name__}: {_first_line(error)}"})
    return found


def _refusal(address: str) -> str | None:
    """Why nobody listens at HOST:PORT, which Ray would take a minute to find out; None for other forms."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return None
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_TCP_S):
            return None
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or _first_line(error)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _end_with_parent() -> None:
    """Leave when standard input closes, whatever Ray's threads are at."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Ask, and write one JSON document."""
    private = os.dup(1)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    address, probe_s, connect_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])

    def leave(document: Answer) -> None:
        with os.fdopen(private, "w", encoding="utf-8") as out:
            json.dump(document, out)
        os._exit(0)

    # Ray itself goes on asking for ever.
    text = f"what listens there did not answer as a Ray cluster within {connect_s:g} s"
    hopeless = threading.Timer(connect_s, leave, [{"error": {"kind": "unreachable", "text": text}}])
    hopeless.daemon = True
    hopeless.start()
    leave(ask(address, probe_s, hopeless.cancel))


if __name__ == "__main__":
    main()
