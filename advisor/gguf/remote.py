"""The header of a file on a web server, by ranges: a few megabytes of a model of many gigabytes."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, NoReturn, cast
from urllib.error import HTTPError, URLError
from urllib.request import Request

from advisor.addresses import is_loopback, web_address
from advisor.errors import InputError, NetworkError
from advisor.ranges import announced_part, part_request
from advisor.redirects import ClosedRedirects
from advisor.timely import Limits, timely_opener

TIMEOUT_S = 20.0
"""Silence after which a connection counts as broken."""
WHOLE_S = 180.0
"""For all ranges of all parts together: the longest headers within the slowest lines that one downloads models over."""
CHUNK_BYTES = 1 << 20
MAX_BYTES = 96 << 20
"""All ranges together; the headers of the largest vocabularies take about 15 MiB."""

Open = Callable[[Request, float], HTTPResponse]


def is_url(text: str) -> bool:
    """Whether a target names a file on a web server."""
    return text.startswith(("http://", "https://"))


def usual_limits() -> Limits:
    """For one model, from now on."""
    return Limits(TIMEOUT_S, WHOLE_S)


def shown_address(text: str) -> str:
    """An address without its query, which may be a signature that lets anyone in; a path as it is."""
    return text.partition("?")[0] if is_url(text) else text


class HttpSource:
    """Ranges of a remote file. Raises NetworkError where the server does not play along."""

    def __init__(self, url: str, *, open_url: Open | None = None, limits: Limits | None = None) -> None:
        parts = web_address(url)
        if parts is None:
            raise InputError(f"{shown_address(url)} is no web address", hint="Write https://…/model.gguf.")
        if "@" in parts.netloc:
            why = "it would stand in logs and in the list of processes"
            raise InputError("the address carries a password", why=why, hint="Download the file and name its path.")
        if not _is_safe(url):
            why = "whoever sits in between could change the figures"
            hint = "Write https://…, or download the file and name its path."
            raise InputError(f"{shown_address(url)} is not encrypted", why=why, hint=hint)
        self.name = shown_address(url)
        self._url = url
        self._open = open_url or _open
        self._limits = limits or usual_limits()
        self._bytes_read = 0
        self._size: int | None = None
        self._first = b""
        self._first = self.read_at(0, CHUNK_BYTES)

    @property
    def size(self) -> int:
        """Length of the whole file in bytes."""
        return self._size or 0

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on; fewer only at the end."""
        if offset + length <= len(self._first):
            return self._first[offset : offset + length]
        if self._bytes_read + length > MAX_BYTES:
            self._fail(f"the header is longer than {MAX_BYTES >> 20} MiB")
        request = part_request(self._url, offset, offset + length - 1)
        try:
            self._limits.wait_s()
            with self._open(request, self._limits) as response:
                found = self._receive(response, offset, length)
        except HTTPError as error:
            error.close()  # it holds the connection open
            self._fail(f"the server answered {error.code} {error.reason}", error)
        except (URLError, HTTPException, OSError, ValueError) as error:  # ValueError: a redirect to no address
            self._fail(str(getattr(error, "reason", None) or error or type(error).__name__), error)
        self._bytes_read += len(found)
        return found

    def _receive(self, response: HTTPResponse, offset: int, length: int) -> bytes:
        if response.status != 206:
            self._fail("the server does not serve parts of files")
        part = announced_part(response)
        if part is None or part[0] != offset:
            self._fail("the server sent another part than was asked for")
        _, size = part
        if self._size not in (None, size):
            self._fail("the file changed while it was read")
        self._size = size
        wanted = min(length, size - offset)
        found = response.read(wanted)
        if len(found) < wanted:
            self._fail(f"the answer ended {wanted - len(found)} bytes early")
        return found

    def _fail(self, why: str, cause: BaseException | None = None) -> NoReturn:
        raise NetworkError(
            f"{self.name} cannot be read", why=why, hint="Check the address and the connection, then try again."
        ) from cause


def _open(request: Request, timeout: float) -> HTTPResponse:
    return cast(HTTPResponse, timely_opener(_Redirects()).open(request, timeout=timeout))  # the scheme was checked


def _is_safe(url: str) -> bool:
    """Whether nobody can sit in between: TLS, or this very machine."""
    return url.startswith("https://") or is_loopback(url)


class _Redirects(ClosedRedirects):
    """Follows to web addresses over TLS, and on this machine as long as it is there."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not is_url(newurl):
            raise URLError("it redirects to something that is no web address")
        if not newurl.startswith("https://") and not (is_loopback(req.full_url) and is_loopback(newurl)):
            raise URLError("it redirects to an address that is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
