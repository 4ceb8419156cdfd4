"""The one place that calls NVML."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from advisor.domain.hardware import Reading
from advisor.probe.nvml_errors import explain
from advisor.probe.readings import attempt, describe, unknown

T = TypeVar("T")


@dataclass(slots=True)
class Nvml:
    """A conversation with the driver."""

    asked: str = "import pynvml"
    """The question that was put last: where a hang happened."""
    failure: int | None = None
    """NVML's return code of the last question that failed, where it gave one."""

    def query(self, function: str, *args: object) -> Reading[Any]:
        """The answer of one function of `pynvml`, bytes decoded; the reason and a hint where it fails."""
        self.asked = function
        try:
            # Only machines with a question to the driver pay for the import of the binding.
            import pynvml

            answer = _undecorated(getattr(pynvml, function))(*args)
        except Exception as error:  # beside its own errors the binding raises those of ctypes
            return self._failed(function, error)
        if isinstance(answer, bytes):
            answer = answer.decode("utf-8", errors="replace")
        return Reading(answer, function)

    def _failed(self, function: str, error: Exception) -> Reading[Any]:
        code = getattr(error, "value", None)
        self.failure = code if isinstance(code, int) else None
        if isinstance(error, ImportError):
            return unknown(function, "the NVML binding cannot be imported", 'Install it: pip install "nvidia-ml-py"')
        if self.failure is None:
            return unknown(function, describe(error))
        return unknown(function, *explain(self.failure))

    @contextmanager
    def session(self) -> Iterator[Reading[Any]]:
        """NVML from its start to its shutdown; gives the reading of the start, which has a reason where it failed."""
        started = self.query("nvmlInit")
        try:
            yield started
        finally:
            if started.reason is None:
                self.query("nvmlShutdown")


def _undecorated(function: Callable[..., Any]) -> Callable[..., Any]:
    """The binding's decorator decodes strictly as UTF-8 and would lose a name that is not."""
    wrapped: Callable[..., Any] = getattr(function, "__wrapped__", function)
    return wrapped


def within(timeout_s: float, work: Callable[[], T]) -> Reading[T] | None:
    """What `work` returns, as a reading, or None if it is not done after that many seconds.

    It runs in a daemon thread, so that a call which never returns does not hold up the end of the program.
    """
    done: list[Reading[T]] = []
    thread = threading.Thread(target=lambda: done.append(attempt("NVML", work)), name="nvml", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return done[0] if done else None
