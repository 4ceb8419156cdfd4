"""A server on loopback that answers with the bytes it was given, and the environment that leads every request to it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from types import TracebackType

from tests.fuzz.codecs import BETWEEN
from tests.fuzz.guard import trust_port, trust_this_thread

_RANGE = re.compile(rb"^Range: *bytes=(\d+)-(\d+)", re.IGNORECASE | re.MULTILINE)
_MOST_ANSWERS = 40
_MOST_SENT = 4 << 20
FAR_BYTES = 1 << 38
"""So that a table of tensors of real sizes is believed."""
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")


class _Server:
    """One for the whole process: a port and a thread are dear."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.n_asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        trust_port(self.port)
        threading.Thread(target=self._serve, name="fuzz-server", daemon=True).start()

    def _serve(self) -> None:
        trust_this_thread()
        while True:
            connection, _ = self._socket.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2.0)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            chunk = connection.recv(65536)
            if not chunk:
                return
            asked += chunk
        place, self.n_asked = min(self.n_asked, len(self.answers) - 1), self.n_asked + 1
        answer = self.answers[place] if self.n_asked <= _MOST_ANSWERS else b""
        match = _RANGE.search(asked)
        if match is not None:
            answer = _ranged(answer, int(match[1]), int(match[2]))
        connection.sendall(answer)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            # Until the other side is done, so that what was sent is not thrown away by a reset.
            while connection.recv(65536):
                continue


def _ranged(answer: bytes, first: int, last: int) -> bytes:
    """The answer with the asked range filled in; where it gives a `{size}`, with that part of its body, as a sound
    server sends it. At a `{far}` size nothing but zeros follows the body, as far as anybody asks."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    for mark, size in ((b"{size}", len(body)), (b"{far}", len(body) + FAR_BYTES)):
        if mark in head:
            last = min(last, size - 1, first + _MOST_SENT)
            body = body[first : last + 1].ljust(max(0, last + 1 - first), b"\0")
            head = head.replace(mark, b"%d" % size).replace(b"{length}", b"%d" % len(body))
            break
    head = head.replace(b"{first}", b"%d" % first).replace(b"{last}", b"%d" % last)
    return head + blank + body


_server: _Server | None = None


class Scripted:
    """Answers in turn, and the last one again and again. `{first}` and `{last}` are those of the asked range, `{size}`
    and `{length}` those of the file that the body is.

    Proxies of the environment point here, so a redirect to any host stays on this machine: an attempt to go anywhere
    in another way is what the harness looks for.
    """

    def __init__(self, raw: bytes) -> None:
        global _server
        if _server is None:
            _server = _Server()
        self._server = _server
        self._raw = raw
        self._before: dict[str, str | None] = {}

    @property
    def url(self) -> str:
        """The server itself."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def web_url(self) -> str:
        """A file on it."""
        return f"{self.url}/model-00001-of-00002.gguf?token=secret"

    def __enter__(self) -> Scripted:
        self._server.answers, self._server.n_asked = self._raw.split(BETWEEN), 0
        self._before = {name: os.environ.get(name) for name in (*_PROXIES, "no_proxy", "NO_PROXY")}
        os.environ.update(dict.fromkeys(_PROXIES, self.url))
        os.environ.pop("no_proxy", None)
        os.environ.pop("NO_PROXY", None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
