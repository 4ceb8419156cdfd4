"""The program's side of the engine child."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from advisor import paths
from advisor.engine.environment import worker_env
from advisor.engine.process import EngineProcess, worker_command
from advisor.engine.protocol import (
    PROTOCOL_VERSION,
    Event,
    Failure,
    Hello,
    Message,
    ProtocolError,
    Request,
    Result,
)
from advisor.engine.sandbox import Protection, named
from advisor.errors import EngineError
from advisor.units import format_milliseconds

START_TIMEOUT_S = 60.0
"""Importing llama_cpp takes a third of a second warm, and many seconds from a cold network disk."""

_INSTALL = "Install it with `pip install llama-cpp-python`, then try `llm-advisor doctor`."

_MORE_MEMORY = "Close other programs, or choose a smaller model or context."
_AGAIN = "Try again; if it ends the same way, the file or this build of llama.cpp is broken."

OnEvent = Callable[[Event], None]


class EngineUnavailable(EngineError):
    """llama.cpp is not there or cannot be started, whatever is asked of it."""


class EngineLateError(EngineError):
    """No answer came in time, and the child was killed for it."""


class EngineCancelled(EngineError):
    """The request was cancelled from another thread."""


class EngineRefused(EngineError):
    """llama.cpp refused or failed a request; the child goes on living."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, why=failure.why)
        self.kind = failure.kind
        self.log = failure.log
        """The last lines that llama.cpp wrote about it."""


class EngineClient:
    """Sends requests to a child that starts with the first of them, and starts again after a death.

    One request runs at a time; `cancel` may be called from any thread. The child writes nowhere but in `folders`,
    which it makes where they are missing; drivers of GPUs also keep compiled code in the cache.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        memory_limit_bytes: int | None = None,
        folders: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._threads = threads
        self._memory_limit_bytes = memory_limit_bytes
        self._folders = tuple(folders)
        self._env = dict(env or {})
        self._start_timeout_s = start_timeout_s
        self._process: EngineProcess | None = None
        self._request_lock = threading.Lock()
        self._state_lock = threading.Lock()
        self._cancelled = False
        self._busy = False
        self._next_id = 1
        self._protections: tuple[Protection, ...] = ()

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is no child."""
        process = self._process
        return process.pid if process is not None and process.is_alive else None

    @property
    def protections(self) -> tuple[Protection, ...]:
        """What the sandbox of the latest child came to; empty before there was one."""
        return self._protections

    def request(
        self, op: str, params: Mapping[str, Any], *, timeout: float, on_event: OnEvent | None = None
    ) -> dict[str, Any]:
        """The result of an operation, within `timeout` seconds. Raises EngineError, and then leaves no child behind
        unless the child itself reported the failure."""
        with self._request_lock:
            with self._state_lock:
                self._cancelled, self._busy = False, True
            try:
                return self._request(op, params, timeout, on_event)
            except BaseException as error:
                if not isinstance(error, EngineRefused):
                    self._discard()
                raise
            finally:
                with self._state_lock:
                    self._busy = False

    def cancel(self) -> None:
        """End the running request, which raises EngineCancelled; does nothing where none runs."""
        with self._state_lock:
            if not self._busy:
                return
            self._cancelled = True
            process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the child. A running request is cancelled; the client can be used again."""
        self.cancel()
        with self._request_lock:
            self._discard()

    def _request(self, op: str, params: Mapping[str, Any], timeout: float, on_event: OnEvent | None) -> dict[str, Any]:
        process = self._ready_process()
        request = Request(self._next_id, op, params, timeout)
        self._next_id += 1
        try:
            process.send(request)
        except OSError:
            raise self._dead(process) from None  # the way it ended says more than the broken pipe
        deadline = time.monotonic() + timeout
        while True:
            message = self._receive(process, deadline, f"{op} took longer than {format_milliseconds(1000 * timeout)}")
            if isinstance(message, Event) and message.id == request.id:
                if on_event is not None:
                    on_event(message)
            elif isinstance(message, Result) and message.id == request.id:
                return dict(message.payload)
            elif isinstance(message, Failure) and message.id == request.id:
                raise EngineRefused(message)
            else:
                raise EngineError("the engine answered something else", why=type(message).__name__)

    def _ready_process(self) -> EngineProcess:
        """The child, started where there is none."""
        if self._process is not None:
            if self._process.is_alive:
                return self._process
            self._discard()
        process = self._spawn()
        deadline = time.monotonic() + self._start_timeout_s
        try:
            hello = self._receive(process, deadline, f"no greeting within {self._start_timeout_s:.0f} s")
        except EngineCancelled:
            raise
        except EngineError as error:
            raise EngineUnavailable(error.what, why=error.why, hint=error.hint) from error
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL_VERSION:
            raise EngineUnavailable("the engine speaks another protocol", hint="Install llm-advisor again.")
        if hello.error is not None:
            raise EngineUnavailable("llama-cpp-python cannot be loaded", why=hello.error, hint=_INSTALL)
        self._protections = named(hello.protections)
        return process

    def _spawn(self) -> EngineProcess:
        gpu_cache = paths.cache_dir() / "gpu-code"
        threads = self._threads or usable_cores()
        command = worker_command(threads, gpu_cache, self._memory_limit_bytes, self._folders)
        process = EngineProcess(command, worker_env(self._env, gpu_cache))
        with self._state_lock:
            if self._cancelled:
                raise EngineCancelled("the engine was stopped")
            try:
                process.start()
            except OSError as error:
                why = error.strerror or str(error)
                raise EngineUnavailable("the engine cannot be started", why=why) from error
            self._process = process
        return process

    def _receive(self, process: EngineProcess, deadline: float, too_late: str) -> Message:
        try:
            message = process.inbox.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            hint = "Try again on an idle machine, or with a smaller model or context."
            raise EngineLateError("the engine does not answer", why=_joined(too_late, process), hint=hint) from None
        if message is None:
            raise self._dead(process)
        if isinstance(message, ProtocolError):
            why = _joined(str(message), process)
            raise EngineError("the engine sent something that is no message", why=why) from message
        return message

    def _dead(self, process: EngineProcess) -> EngineError:
        if self._cancelled:
            return EngineCancelled("the engine was stopped")
        how, said = process.end(), process.last_error()
        if said is not None and not how.startswith("llama.cpp aborted"):
            said = f"last line: {said}"  # of a death from outside it says where, not why
        return EngineError(how, why=said, hint=_MORE_MEMORY if "memory" in how else _AGAIN)

    def _discard(self) -> None:
        with self._state_lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()


def usable_cores() -> int:
    """Physical cores, as far as this process may use them: the threads that llama.cpp gains from."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def _joined(why: str, process: EngineProcess) -> str:
    last = process.last_error()
    return why if last is None else f"{why}; the engine's last line: {last}"
