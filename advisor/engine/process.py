"""One engine child: started, read, and ended for certain."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from advisor.children import kill_session
from advisor.engine.logs import last_error
from advisor.engine.protocol import MAX_LINE_BYTES, Message, ProtocolError, Request, decode, encode

_TAIL_LINES = 200
_TAIL_LINE_BYTES = 4096
_GRACE_S = 5.0

Inbox = queue.Queue[Message | ProtocolError | None]


class EngineProcess:
    """A child and the threads that read from it. None in the inbox says that the child closed its pipe."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.inbox: Inbox = queue.Queue()
        self._command = list(command)
        self._env = dict(env)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._spawned = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._spawn_error: OSError | None = None
        self._kill_lock = threading.Lock()
        # Linux kills the child when the thread that made it ends, not only the process: the reader, which lives as
        # long as the pipe, makes it.
        self._reader = threading.Thread(target=self._run, name="engine-reader", daemon=True)
        self._drain = threading.Thread(target=self._read_errors, name="engine-errors", daemon=True)

    def start(self) -> None:
        """Start the child. Raises OSError where the interpreter cannot be started."""
        self._reader.start()
        self._spawned.wait()
        if self._spawn_error is not None:
            raise self._spawn_error
        self._drain.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_alive(self) -> bool:
        return self._child.poll() is None

    def send(self, request: Request) -> None:
        """Write a request. Raises OSError where the child is gone."""
        stdin = cast(BinaryIO, self._child.stdin)
        stdin.write(encode(request))
        stdin.flush()

    def log_tail(self) -> tuple[str, ...]:
        """The last lines of standard error, after a death all of them."""
        if not self.is_alive:
            self._drain.join(_GRACE_S)
        return tuple(self._tail)

    def end(self) -> str:
        """Wait for a child that closed its pipe, killing it where it lingers; says how it ended."""
        try:
            code = self._child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return "the engine closed its pipe and hung"
        return _ending(code)

    def last_error(self) -> str | None:
        """The line most likely to say what went wrong."""
        return last_error(self.log_tail())

    def kill(self) -> None:
        """End the child and all it started, at once; safe from any thread and more than once."""
        with self._kill_lock:
            if self._child.poll() is None:
                kill_session(self._child)
            self._child.wait()

    def close(self) -> None:
        """Kill the child and release threads and pipes."""
        self.kill()
        for thread in (self._reader, self._drain):
            thread.join(_GRACE_S)
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                _close(stream)

    @property
    def _child(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the engine child was never started")
        return self._process

    def _run(self) -> None:
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=self._env, start_new_session=True
            )
        except OSError as error:
            self._spawn_error = error
            return
        finally:
            self._spawned.set()
        self._read_messages(cast(BinaryIO, self._process.stdout))

    def _read_messages(self, stdout: BinaryIO) -> None:
        while line := stdout.readline(MAX_LINE_BYTES):
            if not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
                break  # it died amid a message, and how it died says more
            try:
                self.inbox.put(decode(line))
            except ProtocolError as error:
                self.inbox.put(error)
                break
        self.inbox.put(None)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_GRACE_S)  # with this thread Linux would kill it before it has told how it ended

    def _read_errors(self) -> None:
        stderr = cast(BinaryIO, self._child.stderr)
        while line := stderr.readline(_TAIL_LINE_BYTES):
            text = line.decode("utf-8", errors="replace").strip()
            if text:
                self._tail.append(text)


def worker_command(threads: int, gpu_cache: Path, memory_limit_bytes: int | None, folders: Sequence[Path]) -> list[str]:
    """How to start the worker; `-P` keeps modules of the current directory out of it."""
    command = [sys.executable, "-P", "-X", "utf8", "-m", "advisor.engine.worker"]
    command += ["--parent", str(os.getpid()), "--threads", str(threads), "--gpu-cache", str(gpu_cache)]
    if memory_limit_bytes is not None:
        command += ["--memory-limit", str(memory_limit_bytes)]
    for folder in folders:
        command += ["--folder", str(folder)]
    return command


def _close(stream: object) -> None:
    try:
        cast(BinaryIO, stream).close()
    except BrokenPipeError:
        return  # a request was still in the buffer of a dead child


def _ending(code: int) -> str:
    if code >= 0:
        return f"the engine ended with exit code {code}"
    if code == -getattr(signal, "SIGKILL", 9):
        return "the engine was killed by signal 9, perhaps because memory ran out"
    if code == -getattr(signal, "SIGXCPU", 24):
        return "the engine was stopped: its processor time was used up"
    if code == -signal.SIGABRT:
        return f"llama.cpp aborted (signal {-code})"
    return f"the engine was killed by signal {-code}"
