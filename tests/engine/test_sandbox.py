"""What a child can no longer do, tried by children that really enter the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from advisor.engine import operations as ops
from advisor.engine.client import EngineClient
from advisor.engine.environment import child_env, worker_env
from advisor.engine.messages import BenchParams, ContextParams
from advisor.engine.sandbox import named

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a program restrict itself so far")

PREAMBLE = """
import errno, json, os, socket, subprocess, sys, threading
from pathlib import Path
from advisor.engine.sandbox import Limits, Policy, enter, limit_processor, python_places
tried = {}
def attempt(name, act):
    try:
        act()
    except OSError as error:
        tried[name] = errno.errorcode.get(error.errno, str(error))
    else:
        tried[name] = "done"
folder, outside = Path(sys.argv[1]), Path(sys.argv[2])
"""


def child(source: str, *arguments: Path, check: bool = True) -> Any:
    """What a Python child came to tell as JSON; its exit code where that is not zero."""
    command = [sys.executable, "-c", PREAMBLE + source + "\nprint(json.dumps(tried))", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=check)
    return json.loads(done.stdout) if done.returncode == 0 else done.returncode


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    own, outside = tmp_path / "own", tmp_path / "outside"
    own.mkdir()
    outside.mkdir()
    (outside / "there").write_text("secret")
    return own, outside


@linux
def test_files_are_made_in_the_own_folder_only(places: tuple[Path, Path]) -> None:
    source = """
enter(Policy(folders=(folder,)))
attempt("own", lambda: (folder / "new").write_text("x"))
attempt("new", lambda: (outside / "new").write_text("x"))
attempt("there", lambda: (outside / "there").write_text("x"))
attempt("remove", lambda: (outside / "there").unlink())
attempt("move", lambda: (outside / "there").rename(folder / "taken"))
attempt("link", lambda: (folder / "link").symlink_to(outside / "through"))
attempt("through", lambda: (folder / "link").write_text("x"))
attempt("read", lambda: (outside / "there").read_text())
attempt("null", lambda: Path("/dev/null").write_text("x"))
attempt("name", lambda: Path("/proc/self/comm").write_text("renamed"))
"""
    assert child(source, *places) == {
        **dict.fromkeys(("own", "link", "read", "null", "name"), "done"),
        **dict.fromkeys(("new", "there", "remove", "through", "move"), "EACCES"),
    }
    assert (places[1] / "there").read_text() == "secret"


@linux
def test_a_child_of_the_child_is_bound_too(places: tuple[Path, Path]) -> None:
    source = """
enter(Policy(folders=(folder,)))
done = subprocess.run(["/bin/sh", "-c", f"echo x > {outside}/new"], stderr=subprocess.DEVNULL)
tried["shell"] = done.returncode
def thread():
    attempt("thread", lambda: (outside / "new").write_text("x"))
worker = threading.Thread(target=thread); worker.start(); worker.join()
"""
    found = child(source, *places)
    assert found["shell"] != 0
    assert found["thread"] == "EACCES"


@linux
@pytest.mark.parametrize(("gpus", "local"), [(False, "EACCES"), (True, "done")])
def test_no_socket_can_be_opened(places: tuple[Path, Path], gpus: bool, local: str) -> None:
    source = f"""
waiting, go = threading.Event(), threading.Event()
def thread():
    go.wait()
    attempt("thread before", lambda: socket.socket(socket.AF_INET))
worker = threading.Thread(target=thread); worker.start()
enter(Policy(gpus={gpus}))
go.set(); worker.join()
for family in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"):
    attempt(family, lambda: socket.socket(getattr(socket, family), socket.SOCK_DGRAM))
attempt("pair", socket.socketpair)
"""
    refused = dict.fromkeys(("thread before", "AF_INET", "AF_INET6", "AF_NETLINK"), "EACCES")
    assert child(source, *places) == {**refused, "AF_UNIX": local, "pair": "done"}


@linux
def test_tcp_is_refused_by_landlock_where_no_filter_is_to_be_had(places: tuple[Path, Path]) -> None:
    source = """
from advisor.engine import seccomp
seccomp._PROCESSORS.clear()
server = socket.create_server(("127.0.0.1", 0))
tried["said"] = next(p.text for p in enter(Policy()) if p.id == "network")
attempt("connect", lambda: socket.create_connection(server.getsockname()))
"""
    found = child(source, *places)
    assert "TCP is refused by Landlock" in found["said"]
    assert found["connect"] == "EACCES"


@linux
def test_programs_are_refused_and_threads_are_not(places: tuple[Path, Path]) -> None:
    source = """
enter(Policy(programs=False))
attempt("run", lambda: subprocess.run(["/bin/true"]))
attempt("fork", os.fork)
attempt("exec", lambda: os.execv("/bin/true", ["true"]))
worker = threading.Thread(target=lambda: attempt("thread", lambda: None)); worker.start(); worker.join()
"""
    found = child(source, *places)
    assert found == {**dict.fromkeys(("run", "fork", "exec"), "EPERM"), "thread": "done"}


@linux
def test_reading_can_be_kept_to_what_python_needs(places: tuple[Path, Path]) -> None:
    source = """
enter(Policy(folders=(folder,), readable=python_places()))
(folder / "new").write_text("x")
attempt("own", lambda: (folder / "new").read_text())
attempt("outside", lambda: (outside / "there").read_text())
attempt("passwords", lambda: Path("/etc/passwd").read_text())
attempt("list", lambda: os.listdir(outside))
import decimal, fractions, statistics, xml.dom.minidom, zoneinfo
"""
    assert child(source, *places) == {
        "own": "done",
        "outside": "EACCES",
        "passwords": "EACCES",
        "list": "EACCES",
    }


@linux
def test_processor_time_and_file_size_end_what_takes_too_much(places: tuple[Path, Path]) -> None:
    assert child("enter(Policy(limits=Limits(processor_s=1)))\nwhile True: pass", *places, check=False) == -9
    assert child("enter(Policy())\nlimit_processor(0)\nwhile True: pass", *places, check=False) == -24
    source = """
enter(Policy(limits=Limits(file_size_bytes=1000), folders=(folder,)))
attempt("large", lambda: (folder / "large").write_bytes(bytes(2000)))
"""
    assert child(source, *places) == {"large": "EFBIG"}


@linux
def test_other_programs_cannot_be_signalled(places: tuple[Path, Path]) -> None:
    source = f"""
enter(Policy())
attempt("kill", lambda: os.kill({os.getpid()}, 0))
attempt("own", lambda: os.kill(os.getpid(), 0))
"""
    assert child(source, *places) == {"kill": "EPERM", "own": "done"}


@linux
def test_device_files_of_gpus_stay_writable(places: tuple[Path, Path]) -> None:
    source = """
from advisor.engine import sandbox
found = sandbox._devices(outside, sandbox._GPU_DEVICES)
tried["found"] = [path.name for path in found]
sandbox._devices = lambda root, patterns: found
enter(Policy(gpus=True))
attempt("card", lambda: os.close(os.open(outside / "dri" / "card0", os.O_RDWR)))
attempt("nvidia", lambda: os.close(os.open(outside / "nvidia0", os.O_RDWR)))
attempt("other", lambda: os.close(os.open(outside / "sda", os.O_RDWR)))
attempt("shared", lambda: (Path("/dev/shm") / f"advisor-{os.getpid()}").write_text("x"))
(Path("/dev/shm") / f"advisor-{os.getpid()}").unlink()
"""
    (places[1] / "dri").mkdir()
    for name in ("dri/card0", "nvidia0", "sda"):
        (places[1] / name).touch()
    assert child(source, *places) == {
        "found": ["nvidia0", "dri"],
        "card": "done",
        "nvidia": "done",
        "other": "EACCES",
        "shared": "done",
    }


@linux
def test_the_engine_child_lives_in_the_sandbox(shared: EngineClient) -> None:
    ops.describe(shared)
    assert shared.pid is not None
    status = Path(f"/proc/{shared.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    limits = psutil.Process(shared.pid).rlimit
    assert limits(psutil.RLIMIT_CORE) == (0, 0)
    assert limits(psutil.RLIMIT_CPU)[0] > 0
    assert {p.id for p in shared.protections if p.in_force} == {"network", "files", "limits"}


def test_a_client_without_a_child_tells_no_protections() -> None:
    assert EngineClient().protections == ()


def test_unknown_protections_of_a_child_are_left_out() -> None:
    assert [p.id for p in named((("network", True, "x"), ("magic", True, "y")))] == ["network"]


def test_secrets_stay_out_of_the_childs_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "NVIDIA_API_KEY", "LLAMA_API_KEY", "SSH_AUTH_SOCK", "EDITOR"):
        monkeypatch.setenv(name, "hidden")
    for name in ("CUDA_VISIBLE_DEVICES", "LC_ALL", "OMP_NUM_THREADS", "GGML_VK_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "0")
    with EngineClient(threads=1) as client:
        ops.describe(client)
        assert client.pid is not None
        seen = psutil.Process(client.pid).environ()
    assert "hidden" not in seen.values()
    assert {"CUDA_VISIBLE_DEVICES", "LC_ALL", "OMP_NUM_THREADS", "GGML_VK_VISIBLE_DEVICES"} <= set(seen)
    assert set(child_env({"Path": "x", "HF_HOME": "y"})) == {"Path"}


def test_nvidias_gpus_are_counted_as_the_driver_does_unless_the_user_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    assert worker_env({}, tmp_path)["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert worker_env({}, tmp_path)["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"


def test_gpu_drivers_keep_their_caches_where_the_child_may_write(tmp_path: Path) -> None:
    env = worker_env({}, tmp_path)
    assert env["CUDA_CACHE_PATH"] == env["MESA_SHADER_CACHE_DIR"] == str(tmp_path)


@linux
def test_a_limit_of_address_space_is_in_force_and_leaves_room_for_a_small_model(smollm2: Path) -> None:
    with EngineClient(threads=1, memory_limit_bytes=1 << 30) as client:
        ops.bench(client, BenchParams((str(smollm2),), ContextParams(n_ctx=512), n_prompt=4, n_decode=1))
        assert any("1.00 GiB of address space" in p.text for p in client.protections)
