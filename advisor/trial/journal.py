"""The answers of one model file, kept as they come: a line each, with a checksum, so that a kill loses at most the
line that was being written.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from filelock import FileLock, Timeout

from advisor.domain.trial.outcome import Answer, Sampling
from advisor.domain.trial.tasks import Task
from advisor.errors import InputError
from advisor.units import MIB

MAX_BYTES = 32 * MIB
"""Of what is read again: about eight thousand long answers. Whatever is behind it is asked for anew."""
_TAIL_BYTES = 64 << 10
_FORMAT = 1
"""Of a key: another format voids what was kept."""


def answer_key(task: Task, sampling: Sampling, context_tokens: int, engine: str) -> str:
    """What an answer depends on beside the file: the conversation, the sampling, the context, the engine's version."""
    parts = {
        "format": _FORMAT,
        "messages": [[m.role, m.content] for m in task.messages],
        "stop": list(task.stop),
        "max_tokens": task.max_tokens or sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed if sampling.temperature > 0 else 0,
        "context": context_tokens,
        "engine": engine,
    }
    return sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


class Journal:
    """Lines of a file with a checksum each. One process writes it at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"), timeout=0)
        self._stream: IO[bytes] | None = None
        self.n_dropped = 0
        """Lines that were torn or damaged and are left out."""

    def __enter__(self) -> Journal:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            why = f"it holds {self._path}"
            raise InputError("another trial of the same file is running", why=why, hint="Wait for it.") from error
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                stream.close()
        except OSError as problem:  # what a full disk did not take
            if error is None:
                raise self._unwritable(problem) from problem
        finally:
            self._lock.release()

    def entries(self) -> Iterator[dict[str, Any]]:
        """What was kept, oldest first; damaged lines are counted and left out, and what is behind too many."""
        self.n_dropped = 0
        left = MAX_BYTES
        try:
            with self._path.open("rb") as stream:
                while (line := stream.readline(left + 1)) and (left := left - len(line)) >= 0:
                    entry = _entry(line[:-1]) if line.endswith(b"\n") else None
                    if entry is None:
                        self.n_dropped += 1
                    else:
                        yield entry
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unwritable(error) from error

    def append(self, entry: dict[str, Any]) -> None:
        """Keep an entry: it is on the disk when this returns. Raises InputError where it cannot be written."""
        body = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        try:
            stream = self._stream or self._open()
            stream.write(b"%08x %s\n" % (zlib.crc32(body), body))
            stream.flush()
            os.fsync(stream.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def _open(self) -> IO[bytes]:
        """For appending, after whatever a kill left of the last line is cut off."""
        self._path.touch()
        with self._path.open("r+b") as stream:
            stream.truncate(_end_of_lines(stream))
        self._stream = self._path.open("ab")
        return self._stream

    def _unwritable(self, error: OSError) -> InputError:
        hint = "Point LLM_ADVISOR_STATE_DIR at a directory that can be written."
        return InputError(f"{self._path} cannot be used", why=error.strerror or str(error), hint=hint)


def _end_of_lines(stream: IO[bytes]) -> int:
    """Where the last whole line ends, looked for from the end."""
    end = stream.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - _TAIL_BYTES)
        stream.seek(begin)
        place = stream.read(end - begin).rfind(b"\n")
        if place >= 0:
            return begin + place + 1
        end = begin
    return 0


def _entry(line: bytes) -> dict[str, Any] | None:
    checksum, space, body = line.partition(b" ")
    if not space or checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class Answers:
    """A journal of answers by key."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[str, Answer] = {}
        for entry in journal.entries():
            answer = _answer(entry)
            if answer is not None:
                self._known[str(entry.get("key"))] = answer

    @property
    def n_dropped(self) -> int:
        return self._journal.n_dropped

    def get(self, key: str) -> Answer | None:
        return self._known.get(key)

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer at once."""
        self._journal.append({"key": key, "answer": asdict(answer)})
        self._known[key] = answer


def _answer(entry: dict[str, Any]) -> Answer | None:
    try:
        return Answer(**entry["answer"])
    except (KeyError, TypeError):
        return None
