"""The lines that pass between the program and its engine child: one JSON object each.

The child greets once, then answers each request with any number of events and one result or failure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PROTOCOL_VERSION = 1
MAX_LINE_BYTES = 64 << 20
"""A longer line is no message of ours."""

FailureKind = Literal["import", "request", "load", "context", "run", "internal"]
FAILURE_KINDS: tuple[FailureKind, ...] = ("import", "request", "load", "context", "run", "internal")


class ProtocolError(Exception):
    """A line is no message."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The child is ready, or says why it never will be."""

    protocol: int
    pid: int
    error: str | None = None
    """Why llama_cpp cannot be imported."""
    protections: tuple[tuple[str, bool, str], ...] = ()
    """Of the child's sandbox: which, whether in force, and how or why not."""


@dataclass(frozen=True, slots=True)
class Request:
    """An operation asked for."""

    id: int
    op: str
    params: Mapping[str, Any]
    patience_s: float = 0.0
    """How long the answer is waited for; 0 where nobody said."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on the way to a result."""

    id: int
    kind: Literal["progress", "token", "subject"]
    """A `subject`, what is measured next, never comes from the child: the program tells it to whoever follows."""
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request."""

    id: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed."""

    id: int
    kind: FailureKind
    message: str
    why: str | None = None
    log: tuple[str, ...] = field(default=())
    """The last lines that llama.cpp wrote about it."""


Message = Hello | Request | Event | Result | Failure
_TAGS: dict[str, type[Message]] = {
    "hello": Hello,
    "request": Request,
    "event": Event,
    "result": Result,
    "failure": Failure,
}


def encode(message: Message) -> bytes:
    """The message as one line."""
    tag = next(name for name, kind in _TAGS.items() if type(message) is kind)
    fields = {name: getattr(message, name) for name in message.__slots__}
    return json.dumps({"type": tag, **fields}, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """The message in a line. Raises ProtocolError."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("no JSON") from error
    if not isinstance(raw, dict):
        raise ProtocolError("no JSON object")
    builder = _BUILDERS.get(str(raw.pop("type", None)))
    if builder is None:
        raise ProtocolError("no known type")
    try:
        return builder(raw)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"fields are missing or wrong: {error}") from error


def _hello(raw: dict[str, Any]) -> Hello:
    protections = tuple([(str(name), in_force is True, str(how)) for name, in_force, how in raw["protections"]])
    return Hello(_int(raw["protocol"]), _int(raw["pid"]), _optional_text(raw.get("error")), protections)


def _request(raw: dict[str, Any]) -> Request:
    return Request(_int(raw["id"]), str(raw["op"]), _object(raw["params"]), float(raw["patience_s"]))


def _event(raw: dict[str, Any]) -> Event:
    kind = raw["kind"]
    if kind not in ("progress", "token"):
        raise ValueError(f"event {kind!r}")
    return Event(_int(raw["id"]), kind, _object(raw["payload"]))


def _result(raw: dict[str, Any]) -> Result:
    return Result(_int(raw["id"]), _object(raw["payload"]))


def _failure(raw: dict[str, Any]) -> Failure:
    kind = next((k for k in FAILURE_KINDS if k == raw["kind"]), None)
    if kind is None:
        raise ValueError(f"failure {raw['kind']!r}")
    log = tuple([str(line) for line in raw["log"]])
    return Failure(_int(raw["id"]), kind, str(raw["message"]), _optional_text(raw.get("why")), log)


_BUILDERS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "hello": _hello,
    "request": _request,
    "event": _event,
    "result": _result,
    "failure": _failure,
}


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object is expected")
    return value
