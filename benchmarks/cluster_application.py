"""The exported llama.cpp application: made as a user makes it, and started by the command that its head names."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from advisor.domain.export_request import ExportRequest
from advisor.files import write_atomically
from advisor.service import Advisor, MachineChoice
from benchmarks.local_ray import LocalCluster, environment

REPLICAS = 2
CONTEXT_TOKENS = 2048
TARGET = "ray-llama-cpp"
MACHINE = 'schema_version = 1\n[cpu]\ncores = 1\n[memory]\ntotal = "8GiB"\n'
"""What each node is taken to be: one core, so that the exported replica has one thread."""
_READY_S = 120.0


def export(folder: Path, port: int, model: Path) -> Path:
    """The files as a user gets them: a recommendation, exported with the weights at hand. The configuration's path."""
    advisor = Advisor()
    machine = folder / "node.toml"
    machine.write_text(MACHINE, "utf-8")
    answers = advisor.answers(settings=[f"task.context_tokens={CONTEXT_TOKENS}"])
    found = advisor.recommend(advisor.machine(MachineChoice(file=machine)), advisor.constraints(answers))
    recommendation = folder / "recommendation.toml"
    write_atomically(recommendation, advisor.recommendation_text(found, answers), overwrite=False)
    request = ExportRequest(gguf=str(model), replicas=REPLICAS, port=port, allow_simulated=True)
    application = folder / "application"
    application.mkdir()
    texts = advisor.export_file(recommendation, TARGET, request)
    for name, text in texts.items():
        (application / name).write_text(text, "utf-8")
    return application / next(iter(texts))


@contextmanager
def deployed(cluster: LocalCluster, config: Path, url: str) -> Iterator[float]:
    """The application while it runs, by the command that its head names; yields the seconds until it was ready."""
    command = [str(Path(sys.executable).with_name("serve")), "run", "--address", cluster.address]
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [*command, "--working-dir", ".", config.name],
            cwd=config.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
        )
        try:
            try:
                wait_for_replicas(url, REPLICAS, server)
            except TimeoutError:
                log.seek(0)
                raise RuntimeError(f"not ready: {log.read().decode('utf-8', 'replace')[-3000:]}") from None
            yield time.perf_counter() - begin
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_for_replicas(
    url: str, count: int, server: subprocess.Popen[bytes] | None = None, also: Callable[[], bool] = lambda: True
) -> dict[str, Any]:
    """What /health says once so many replicas run and something else is so, too. Raises TimeoutError."""
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and (server is None or server.poll() is None):
        try:
            health: dict[str, Any] = httpx.get(f"{url}/health", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            health = {}
        if health.get("replicas") == count and also():
            return health
        time.sleep(0.25)
    raise TimeoutError("the replicas did not come up")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
