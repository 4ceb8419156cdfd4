"""Loaded by every Python of a fault's environment: lets the engine child die at a named step of its life.

LLAMA_FAULT=STEP:SIGNAL names both; the name begins like llama.cpp's own variables, since others do not reach the child.
The step `write` is one of the program itself: it dies as soon as what it writes is on the disk and has no name yet.
LLAMA_PATIENCE divides the time limits of the parent, so that a child which hangs is not waited for ten minutes.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

STEP, _, SIGNAL = os.environ.get("LLAMA_FAULT", "").partition(":")
PATIENCE = float(os.environ.get("LLAMA_PATIENCE", "1"))
IS_WORKER = "advisor.engine.worker" in sys.orig_argv
_LEAST_S = 6.0
_START_S = 20.0


def strike() -> None:
    """The fault itself. A process that was only stopped stays so until somebody ends it."""
    os.kill(os.getpid(), getattr(signal, SIGNAL))
    if SIGNAL == "SIGSEGV":
        import ctypes

        ctypes.string_at(0)


def strike_soon(seconds: float) -> None:
    """The fault a moment later, in the middle of what begins now."""
    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    timer.start()


def _wrapped(function: Callable[..., Any], before: Callable[[], None]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        before()
        return function(*given, **named)

    return call


def _in_llama(module: ModuleType) -> None:
    functions = {
        "load": ("llama_model_load_from_file", lambda: strike_soon(0.002)),
        "context": ("llama_init_from_model", strike),
        "decode": ("llama_decode", strike),
        "free": ("llama_free", strike),
        "free-model": ("llama_model_free", strike),
    }
    if STEP in functions:
        name, before = functions[STEP]
        setattr(module, name, _wrapped(getattr(module, name), before))


def _in_protocol(module: Any) -> None:
    encode, decode = module.encode, module.decode

    def encoded(message: Any) -> bytes:
        kind = type(message).__name__.lower()
        if kind == STEP:
            strike()
        line: bytes = encode(message)
        if f"half-{kind}" == STEP:
            strike_soon(0.05)
            return line[: len(line) // 2]
        if f"after-{kind}" == STEP:
            strike_soon(0.05)
        return line

    def decoded(line: bytes) -> Any:
        message = decode(line)
        if STEP == "request":
            strike()
        return message

    module.encode, module.decode = encoded, decoded


def _in_client(module: Any) -> None:
    request = module.EngineClient.request

    def hurried(self: Any, op: str, params: Any, *, timeout: float, on_event: Any = None) -> Any:
        return request(self, op, params, timeout=min(timeout, max(_LEAST_S, timeout / PATIENCE)), on_event=on_event)

    module.EngineClient.request = hurried
    started = module.EngineClient.__init__

    def init(self: Any, **named: Any) -> None:
        started(self, **named)
        self._start_timeout_s = _START_S

    module.EngineClient.__init__ = init


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, after: Callable[[Any], None]) -> None:
        self._loader, self._after = loader, after

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._after(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Changes a module right after it was loaded."""

    def __init__(self, changes: dict[str, Callable[[Any], None]]) -> None:
        self._changes = changes

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name == "llama_cpp" and STEP == "import" and IS_WORKER:
            strike()
        if name not in self._changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._changes[name])
        return spec


def _amid_writing(fd: Any) -> None:
    _FSYNC(fd)
    strike()


_FSYNC = os.fsync

if STEP == "write" and not IS_WORKER:
    os.fsync = _amid_writing
elif STEP and IS_WORKER:
    sys.meta_path.insert(0, _Finder({"llama_cpp": _in_llama, "advisor.engine.protocol": _in_protocol}))
elif PATIENCE != 1:
    sys.meta_path.insert(0, _Finder({"advisor.engine.client": _in_client}))
