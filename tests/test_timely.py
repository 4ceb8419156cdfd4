"""Servers that send a byte now and then, for ever: whoever asks them is done in time, with one line."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.request import Request

import pytest

from advisor.errors import NetworkError
from advisor.gguf import remote, split
from advisor.hub import opening
from advisor.hub.access import HubAccess
from advisor.timely import Limits, TooLate, timely_opener

WHOLE_S = 0.4
DRIP_S = 0.02
STARTS = {
    "the status line": b"HTTP/1.1 200",
    "a header": b"HTTP/1.1 206 Partial Content\r\nX-More: ",
    "the length of a chunk": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99999/99999999\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nGG\r\n",
    "the body": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1048575/99999999\r\n"
    b"Content-Length: 1048576\r\n\r\nGG",
}
"""What is sent at once; behind it come zeros, one at a time."""


@contextlib.contextmanager
def dripping(start: bytes) -> Iterator[str]:
    """The address of a server that never ends what it began."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(start)
                    while not is_over.wait(DRIP_S):
                        connection.sendall(b"0")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            is_over.set()
            thread.join()


@pytest.mark.parametrize("where", STARTS)
def test_a_header_that_drips_is_given_up_in_time_with_one_line(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "WHOLE_S", WHOLE_S)
    with dripping(STARTS[where]) as url, pytest.raises(NetworkError, match=r"not whole within 0\.4 s") as refused:
        split.read_remote_model(f"{url}/m.gguf")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("where", STARTS)
def test_an_answer_of_the_hub_that_drips_is_given_up_in_time(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WHOLE_ANSWER_S", WHOLE_S)
    with dripping(STARTS[where]) as url, pytest.raises(NetworkError, match=r"not whole within 0\.4 s"):
        opening.ask(HubAccess(url, None), "a/b", "/api/models/a/b", 1 << 20)


def test_whoever_makes_progress_has_the_whole_time_again() -> None:
    limits = Limits(20.0, WHOLE_S)
    with dripping(STARTS["the body"]) as url:
        answer = timely_opener().open(Request(url), timeout=limits)
        with answer:
            for _ in range(30):  # longer than the whole time
                assert answer.read(1)
                limits.renew()
            with pytest.raises(TooLate):
                answer.read()


def test_silence_ends_the_wait_before_the_whole_time_does() -> None:
    limits = Limits(DRIP_S / 4, 60.0)
    with dripping(STARTS["the body"]) as url, timely_opener().open(Request(url), timeout=limits) as answer:
        with pytest.raises(TimeoutError) as broken:
            answer.read()
        assert not isinstance(broken.value, TooLate)
