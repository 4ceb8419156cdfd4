"""A Ray cluster of several nodes on this machine's loopback: `python -m benchmarks.local_ray NODES.json`.

The cluster lives in a process of its own, which ends with its standard input, so that a test or a benchmark keeps no
thread, no environment and no child of Ray's in its own process. Nodes get addresses 127.0.0.2, 127.0.0.3 and so on,
because Ray takes 127.0.0.1 to mean the machine's outward address.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
OBJECT_STORE_BYTES = 100 << 20
_START_S = 120.0
_END_S = 40.0


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node of the cluster."""

    name: str
    cores: int = 1
    memory_bytes: int | None = None
    """What Ray takes the node to have; None for all of the machine's."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Of its raylet and of the workers there."""


class LocalCluster:
    """Starts the cluster, and ends it with everything that it started."""

    def __init__(self, nodes: Sequence[NodeSpec]) -> None:
        self._nodes = nodes
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the cluster
        # Short, because paths of sockets below it must stay within 107 bytes.
        self._folder = tempfile.TemporaryDirectory(prefix="ray", dir="/tmp")
        self._child: subprocess.Popen[str] | None = None
        self._seen: dict[int, psutil.Process] = {}
        self.address = ""
        """HOST:PORT of the head node."""
        self.left: list[str] = []
        """Processes that outlived the end of the cluster and had to be killed; to be empty."""

    def __enter__(self) -> LocalCluster:
        specs = [{"name": n.name, "cores": n.cores, "memory": n.memory_bytes, "env": dict(n.env)} for n in self._nodes]
        command = [sys.executable, "-m", "benchmarks.local_ray", self._folder.name, json.dumps(specs)]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment(),
            text=True,
            start_new_session=True,
        )
        assert self._child.stdout is not None
        too_late = threading.Timer(_START_S, os.killpg, (self._child.pid, signal.SIGKILL))
        too_late.start()
        line = self._child.stdout.readline()
        too_late.cancel()
        if not line:
            log = self.log()
            self.close()
            raise RuntimeError(f"the cluster did not start: {log}")
        self.address = json.loads(line)["address"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def processes(self) -> dict[int, psutil.Process]:
        """Everything that the cluster runs now, by process id; remembered until the end."""
        assert self._child is not None
        try:
            own = psutil.Process(self._child.pid)
            found = {process.pid: process for process in (own, *own.children(recursive=True))}
        except psutil.NoSuchProcess:
            found = {}
        self._seen |= found
        return found

    def replicas(self, deployment: str) -> list[int]:
        """Process ids of a deployment's replicas."""
        return sorted(pid for pid, process in self.processes().items() if _title(process, "ServeReplica", deployment))

    def log(self) -> str:
        """What Ray wrote while it started."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-2000:]

    def close(self) -> None:
        """End the cluster, and note and kill what did not end by itself."""
        child = self._child
        if child is None:
            return
        self.processes()
        assert child.stdin is not None
        child.stdin.close()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.left.append(f"{child.pid} the cluster itself, after {_END_S:.0f} s")
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        until = time.monotonic() + 5
        while self._alive() and time.monotonic() < until:
            time.sleep(0.1)
        for process in self._alive():
            self.left.append(f"{process.pid} {_cmdline(process)}")
            process.kill()
        if child.stdout is not None:
            child.stdout.close()
        self._child = None
        self._log.close()
        self._folder.cleanup()

    def _alive(self) -> list[psutil.Process]:
        """Those seen before that still run; psutil knows a reused process id by its start time."""
        return [p for p in self._seen.values() if p.is_running() and _status(p) != psutil.STATUS_ZOMBIE]


def environment(**more: str) -> dict[str, str]:
    """The environment of Ray's programs: this package, no reports to Ray's makers, nothing warned about, and patience
    with a proxy that starts on a busy machine, which Ray ends after 5 seconds otherwise."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_LOG_TO_STDERR": "0",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60",
        **more,
    }


def _title(process: psutil.Process, *parts: str) -> bool:
    text = _cmdline(process)
    return text.startswith("ray::") and all(part in text for part in parts)


def _cmdline(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return ""


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def _serve(folder: str, specs: list[dict[str, Any]]) -> None:
    """The cluster's own process."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(shutdown_at_exit=True)
    for i, spec in enumerate(specs):
        cluster.add_node(
            node_ip_address=f"127.0.0.{i + 2}",
            node_name=spec["name"],
            num_cpus=spec["cores"],
            memory=spec["memory"],
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            temp_dir=folder,
            env_vars=spec["env"] or None,
        )
    sys.stdout.write(json.dumps({"address": cluster.address}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    _serve(sys.argv[1], json.loads(sys.argv[2]))
