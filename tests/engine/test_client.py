"""Everything that can go wrong with a child process, with real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from advisor.engine import operations as ops
from advisor.engine.client import EngineCancelled, EngineClient, EngineRefused, EngineUnavailable
from advisor.engine.messages import BenchParams, ContextParams, GenerateParams
from advisor.errors import EngineError
from tests.gguf.making import llama_blueprint

ABORTING = llama_blueprint(expert_count=0, expert_used_count=9)
"""Metadata on which llama.cpp fails an assertion instead of returning an error."""


def endless(smollm2: Path) -> GenerateParams:
    return GenerateParams(str(smollm2), ("Count.",), ContextParams(n_ctx=8192), max_tokens=8000, temperature=5.0)


def wait_until_gone(pid: int, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has classes of priority in place of steps")
def test_the_child_lets_the_program_go_first(client: EngineClient) -> None:
    ops.describe(client)
    assert client.pid is not None
    assert psutil.Process(client.pid).nice() > psutil.Process().nice()


def test_the_child_starts_with_the_first_request_and_stays(client: EngineClient) -> None:
    assert client.pid is None
    ops.describe(client)
    pid = client.pid
    ops.describe(client)
    assert client.pid == pid is not None
    client.close()
    assert client.pid is None
    assert not psutil.pid_exists(pid)


def test_the_request_after_a_death_gets_a_fresh_child(client: EngineClient) -> None:
    ops.describe(client)
    first = client.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while client.pid is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ops.describe(client)
    assert client.pid not in (first, None)


def test_a_child_killed_amid_a_request_is_an_engine_error(client: EngineClient, smollm2: Path) -> None:
    def kill(_event: object) -> None:
        if client.pid is not None:
            os.kill(client.pid, signal.SIGKILL)

    with pytest.raises(EngineError, match="killed by signal 9, perhaps because memory ran out"):
        ops.generate(client, endless(smollm2), on_event=kill)
    assert client.pid is None
    ops.describe(client)


def test_a_native_abort_is_an_engine_error_with_the_assertion(client: EngineClient) -> None:
    with pytest.raises(EngineError, match=r"aborted \(signal 6\): llama-model.cpp:\d+: GGML_ASSERT"):
        ops.size_blueprint(client, ABORTING, ContextParams())
    ops.describe(client)


def test_a_hung_child_is_killed_after_the_timeout(client: EngineClient) -> None:
    ops.describe(client)
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(EngineError, match="does not answer: describe took longer than 500 ms"):
        client.request("describe", {}, timeout=0.5)
    assert time.monotonic() - started < 5
    assert not psutil.pid_exists(pid)
    ops.describe(client)


def test_a_busy_child_is_killed_after_the_timeout(client: EngineClient, smollm2: Path) -> None:
    with pytest.raises(EngineError, match="does not answer"):
        ops.generate(client, endless(smollm2), timeout=1.5)
    assert client.pid is None


def test_cancel_from_another_thread_ends_the_request_at_once(client: EngineClient, smollm2: Path) -> None:
    seen = threading.Event()

    def cancel() -> None:
        seen.wait()
        client.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(EngineCancelled):
        ops.generate(client, endless(smollm2), on_event=lambda _: seen.set())
    canceller.join()
    assert client.pid is None
    ops.describe(client)


def test_cancel_without_a_request_does_nothing(client: EngineClient) -> None:
    client.cancel()
    ops.describe(client)
    pid = client.pid
    client.cancel()
    assert client.pid == pid


def test_an_error_of_the_listener_ends_the_child(client: EngineClient, smollm2: Path) -> None:
    def fail(_event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ops.generate(client, endless(smollm2), on_event=fail)
    assert client.pid is None


def shadowed(folder: Path, source: str) -> EngineClient:
    """A client whose child finds this module in place of llama_cpp."""
    (folder / "llama_cpp.py").write_text(source)
    return EngineClient(env={"PYTHONPATH": str(folder)}, threads=1)


def test_a_missing_llama_cpp_is_an_engine_error_with_the_remedy(tmp_path: Path) -> None:
    with shadowed(tmp_path, "raise ImportError('libcudart.so.12 is missing')") as client:
        with pytest.raises(EngineUnavailable) as caught:
            ops.describe(client)
        assert client.pid is None
    assert "libcudart.so.12 is missing" in str(caught.value)
    assert "pip install llama-cpp-python" in str(caught.value)


def test_a_child_that_dies_while_importing_is_an_engine_error(tmp_path: Path) -> None:
    source = "import os, sys; print('illegal instruction', file=sys.stderr, flush=True); os.kill(os.getpid(), 4)"
    with (
        shadowed(tmp_path, source) as client,
        pytest.raises(EngineUnavailable, match="signal 4: last line: illegal instruction"),
    ):
        ops.describe(client)


def test_garbage_on_the_pipe_is_an_engine_error(tmp_path: Path) -> None:
    source = """
import os
for fd in range(3, 20):
    try:
        os.write(fd, b"llama_model_loader: garbage\\n")
    except OSError:
        pass
"""
    with shadowed(tmp_path, source) as client:
        with pytest.raises(EngineError, match="no message"):
            ops.describe(client)
        assert client.pid is None


def test_a_child_that_dies_amid_a_message_is_told_as_a_death(tmp_path: Path) -> None:
    source = """
import os
for fd in range(3, 20):
    try:
        os.write(fd, b'{"type": "hel')
    except OSError:
        pass
os.kill(os.getpid(), 9)
"""
    with shadowed(tmp_path, source) as client, pytest.raises(EngineUnavailable, match="killed by signal 9"):
        ops.describe(client)


def test_what_native_code_prints_does_not_reach_the_protocol(tmp_path: Path) -> None:
    source = "import os\nos.write(1, b'noise on stdout\\n')\nos.write(2, b'noise on stderr\\n')\nraise ImportError('x')"
    with shadowed(tmp_path, source) as client, pytest.raises(EngineUnavailable, match="ImportError: x"):
        ops.describe(client)


def test_modules_of_the_current_directory_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('wrong one')")
    (tmp_path / "json.py").write_text("raise ImportError('wrong one')")
    monkeypatch.chdir(tmp_path)
    with EngineClient() as client:
        assert ops.describe(client).version


def test_a_memory_limit_is_an_engine_error_not_a_dead_machine(smollm2: Path) -> None:
    with EngineClient(threads=1, memory_limit_bytes=1 << 30) as client:
        ops.describe(client)
        with pytest.raises(EngineError):
            ops.bench(client, BenchParams((str(smollm2),), ContextParams(n_ctx=65536, n_seq_max=8)))


def test_unknown_operations_and_wrong_parameters_are_refused(shared: EngineClient) -> None:
    ops.describe(shared)
    pid = shared.pid
    for op, params in (("nope", {}), ("describe", {"x": 1}), ("dry_run", {"model_path": 3})):
        with pytest.raises(EngineRefused) as caught:
            shared.request(op, params, timeout=10)
        assert caught.value.kind == "request"
    assert shared.pid == pid


def test_the_child_survives_the_thread_that_started_it(client: EngineClient) -> None:
    starter = threading.Thread(target=ops.describe, args=(client,))
    starter.start()
    starter.join()
    pid = client.pid
    time.sleep(0.2)
    ops.describe(client)
    assert client.pid == pid is not None


def test_requests_from_several_threads_take_turns(shared: EngineClient) -> None:
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ops.describe(shared))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1


OWNER = """
import sys
from advisor.engine.client import EngineClient
from advisor.engine.messages import ContextParams, GenerateParams
from advisor.engine import operations as ops
client = EngineClient(threads=1)
ops.describe(client)
print(client.pid, flush=True)
context = ContextParams(n_ctx=8192)
ops.generate(client, GenerateParams(sys.argv[1], ("Count.",), context, max_tokens=8000, temperature=5.0))
"""


def test_no_orphan_stays_when_the_program_is_killed(smollm2: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(smollm2)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    assert wait_until_gone(pid)


def test_a_program_that_forgets_to_close_leaves_no_child() -> None:
    source = OWNER.split("context =")[0]
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True)
    assert wait_until_gone(int(done.stdout))
    assert done.stderr == ""


def test_the_parent_never_loads_llama_cpp() -> None:
    source = OWNER.split("context =")[0] + "import json; print(json.dumps(sorted(sys.modules)))\nclient.close()"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True)
    modules = done.stdout.splitlines()[1]
    assert '"advisor.engine.client"' in modules
    assert '"llama_cpp' not in modules
    assert '"numpy' not in modules
