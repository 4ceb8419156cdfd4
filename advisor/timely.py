"""Answers of servers that nobody vouches for, whole within a time: a byte now and then is no silence, and would keep
whoever waits for the end of a line, of the head or of the body for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any, cast
from urllib.request import BaseHandler, HTTPHandler, HTTPSHandler, OpenerDirector, Request, build_opener


class TooLate(TimeoutError):
    """The answer was not whole in time."""


class Limits(float):
    """Seconds of silence after which a connection counts as broken, and with them the seconds within which everything
    must have arrived. A float, because urllib hands its timeout through every redirect to the connection.
    """

    whole_s: float
    _until: float

    def __new__(cls, silence_s: float, whole_s: float) -> Limits:
        made = super().__new__(cls, silence_s)
        made.whole_s = whole_s
        made.renew()
        return made

    def renew(self) -> None:
        """Begin anew, where what has arrived is progress."""
        self._until = time.monotonic() + self.whole_s

    def wait_s(self) -> float:
        """How long the next bytes may take. Raises TooLate where no time is left."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooLate(f"the answer was not whole within {self.whole_s:g} s")
        return min(left, self)


def timely_opener(*handlers: BaseHandler) -> OpenerDirector:
    """As `build_opener`; whoever opens with `Limits` for a timeout is answered within them."""
    return build_opener(_Http(), _Https(), *handlers)


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_timely(HTTPConnection), req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_timely(HTTPSConnection), req, context=self._context)  # type: ignore[attr-defined]


def _timely(kind: type[HTTPConnection]) -> Any:
    """A connection whose answers keep to its timeout, where that has limits."""

    def made(host: str, **options: Any) -> HTTPConnection:
        connection = kind(host, **options)
        limits = options.get("timeout")
        if isinstance(limits, Limits):
            connection.response_class = cast(type[HTTPResponse], partial(_Response, limits))
        return connection

    return made


class _Response(HTTPResponse):
    def __init__(self, limits: Limits, sock: socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = BufferedReader(_Reader(self.fp.detach(), sock.settimeout, limits))


class _Reader(RawIOBase):
    """The bytes of a socket, each read of them within what is left of the time."""

    def __init__(self, raw: RawIOBase, set_timeout: Callable[[float], None], limits: Limits) -> None:
        self._raw = raw
        self._set_timeout = set_timeout
        self._limits = limits

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        self._set_timeout(self._limits.wait_s())
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            self._limits.wait_s()
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()
