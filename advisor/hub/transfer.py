"""Receives one file of the Hub: on from where an earlier run stopped, and whole only after its hash was checked.

huggingface_hub (1.33) starts a broken download anew, checks lengths and no hashes, cannot be cancelled, and waits as
long as a server says. So lists, addresses, tokens and the layout of the cache are its own, and the bytes come here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, Protocol
from urllib.request import Request

from advisor.cancelling import cancelling
from advisor.domain.upkeep.files import ListedFile
from advisor.errors import InputError, NetworkError
from advisor.files import is_there
from advisor.hub.destination import FilePaths, link_up
from advisor.hub.http_errors import HubUnreachable
from advisor.hub.retry import MAX_WAIT_S
from advisor.ranges import announced_part, part_request
from advisor.timely import Limits
from advisor.units import format_bytes

TIMEOUT_S = 20.0
"""Silence after which a connection counts as broken."""
CHUNK_BYTES = 256 << 10
PIECE_BYTES = 16 << 30
"""Longest range asked for at once: the Hub's content network serves nothing above 50 GB in one answer."""
STALL_S = 30.0
STALL_BYTES = 32 << 10
"""A connection that brings less in `STALL_S` is given up: a trickle would never end and never time out."""
HEADWAY_BYTES = 16 << 10
"""What a connection must bring to count as progress."""
MAX_BREAKS = 5
"""Connections in a row that brought nothing."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Open = Callable[[Request, float], HTTPResponse]


class Watch(Protocol):
    """Who follows a transfer. Each call may raise to end it."""

    def checked(self, n_bytes: int) -> None:
        """So many bytes of an earlier run were read again."""

    def received(self, n_bytes: int) -> None:
        """So many bytes arrived; negative where they are thrown away."""

    def waiting(self, text: str) -> None:
        """Something keeps the transfer back."""

    def pause(self, seconds: float) -> None:
        """Let time pass. Raises when cancelled."""

    def stop_if_cancelled(self) -> None:
        """Raises when cancelled."""

    @property
    def cancel(self) -> threading.Event: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A file at an address, and what it must be."""

    repo: str
    url: str
    file: ListedFile
    """With size and hash."""
    open_url: Open


def fetch(source: Source, target: FilePaths, watch: Watch) -> None:
    """Bring a file to its target, unless it is there.

    Raises NetworkError where the network fails for good, InputError where the disk does. What has arrived is kept,
    except where the whole has another hash.
    """
    try:
        target.lock.parent.mkdir(parents=True, exist_ok=True)
        target.whole.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, watch):
            if not _is_there(source, target, watch):
                _receive_whole(source, target, watch)
            link_up(target)
    except OSError as error:
        raise _disk_error(target, error) from error


@contextmanager
def _locked(target: FilePaths, watch: Watch) -> Iterator[None]:
    """Hold the lock that huggingface_hub takes too; it ends with the process that holds it."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.lock, mode=0o664)
    has_said = False
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.2)
        except Timeout:
            watch.stop_if_cancelled()
            if not has_said:
                has_said = True
                watch.waiting("another download of this file is running: waiting for it")
    try:
        yield
    finally:
        lock.release()


def _is_there(source: Source, target: FilePaths, watch: Watch) -> bool:
    """Whether the file is there already. Raises InputError where another one is."""
    found = target.whole if is_there(target.whole) or target.link is None else target.link
    if not is_there(found):
        return False
    size = found.stat().st_size
    if target.link is not None:
        if size == source.file.n_bytes:  # the cache calls it by its hash
            watch.checked(size)
            return True
        target.whole.unlink(missing_ok=True)
        return False
    with found.open("rb") as stream:
        if size == source.file.n_bytes and _hash_of(stream, watch).hexdigest() == source.file.sha256:
            return True
    raise InputError(
        f"{found} exists and is another file",
        hint="Choose another folder with --to, or move the file away.",
    )


def _receive_whole(source: Source, target: FilePaths, watch: Watch) -> None:
    with open(target.partial, "a+b") as stream:
        if stream.tell() > (source.file.n_bytes or 0):
            stream.truncate(0)
        stream.seek(0)
        digest = _hash_of(stream, watch)
        digest = _Receiver(source, stream, digest, watch).run()
        stream.flush()
        os.fsync(stream.fileno())
    if digest.hexdigest() != source.file.sha256:
        target.partial.unlink()
        raise NetworkError(
            f"what was downloaded of {source.file.name} is not the published file and was deleted",
            why=f"its SHA-256 is {digest.hexdigest()[:12]}… and should be {str(source.file.sha256)[:12]}…",
            hint="Download it again; if it happens twice, tell the publisher or use another mirror.",
        )
    os.replace(target.partial, target.whole)


def _hash_of(stream: BinaryIO, watch: Watch) -> hashlib._Hash:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES * 4):
        digest.update(chunk)
        watch.checked(len(chunk))
    return digest


class _Receiver:
    """Appends to a partial file until it has the announced length."""

    def __init__(self, source: Source, stream: BinaryIO, digest: hashlib._Hash, watch: Watch) -> None:
        self._source = source
        self._stream = stream
        self._digest = digest
        self._watch = watch
        self._size = source.file.n_bytes or 0
        self._done = stream.seek(0, os.SEEK_END)

    def run(self) -> hashlib._Hash:
        breaks = 0
        while self._done < self._size:
            before = self._done
            why = self._connection()
            breaks = 0 if self._done - before >= HEADWAY_BYTES or self._done == self._size else breaks + 1
            if self._done == self._size or why is None:
                continue
            if breaks >= MAX_BREAKS:
                raise NetworkError(
                    f"the download of {self._source.file.name} broke off",
                    why=f"{breaks} connections in a row brought nothing; the last: {why}",
                    hint=f"{format_bytes(self._done)} are kept: run the same command again to go on from there.",
                )
            self._watch.waiting(f"the connection broke ({why}): going on from {format_bytes(self._done)}")
            self._watch.pause(min(2.0**breaks - 1, 15.0))
        return self._digest

    def _connection(self) -> str | None:
        """Receive over one connection; why it ended early, or None."""
        last = min(self._done + PIECE_BYTES, self._size) - 1
        request = part_request(self._source.url, self._done, last)
        limits = Limits(TIMEOUT_S, MAX_WAIT_S + STALL_S)  # the opener may wait for a busy Hub
        try:
            response = _opened(self._source.open_url, request, limits, self._watch)
        except HubUnreachable as error:
            return error.why or "no answer"
        with response, cancelling(lambda: _shut(response), self._watch.cancel):
            self._check(response)
            is_whole = response.status == 200
            return self._read(response, self._size if is_whole else last + 1, limits)

    def _check(self, response: HTTPResponse) -> None:
        """That the answer is the part that was asked for."""
        if response.status == 200 and self._done:
            # The server ignores ranges: what was received is received again.
            self._watch.received(-self._done)
            self._stream.truncate(0)
            self._digest, self._done = hashlib.sha256(), 0
        if response.status == 200:
            length = response.headers.get("Content-Length", str(self._size))
            is_right = length == str(self._size)
        else:
            is_right = announced_part(response) == (self._done, self._size)
        if not is_right:
            why = f"it is not {self._size:,} bytes long, as listed, or another part than was asked for"
            raise NetworkError(
                f"the server's {self._source.file.name} cannot be used", why=why, hint="Try again later."
            )

    def _read(self, response: HTTPResponse, end: int, limits: Limits) -> str | None:
        since, mark = time.monotonic(), self._done
        while self._done < end:
            try:
                chunk = response.read1(min(CHUNK_BYTES, end - self._done))
            except (OSError, HTTPException, ValueError) as error:
                self._watch.stop_if_cancelled()
                return "no data for a while" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            self._watch.stop_if_cancelled()
            if not chunk:
                return "it ended early"
            limits.renew()
            self._stream.write(chunk)
            self._digest.update(chunk)
            self._done += len(chunk)
            self._watch.received(len(chunk))
            now = time.monotonic()
            if now - since >= STALL_S:
                if self._done - mark < STALL_BYTES:
                    return f"only {self._done - mark} bytes in {now - since:.0f} s"
                since, mark = now, self._done
        return None


def _opened(open_url: Open, request: Request, limits: Limits, watch: Watch) -> HTTPResponse:
    """The answer to a request, asked for in a thread of its own so that a cancellation need not wait for it."""
    found: list[HTTPResponse] = []
    failed: list[BaseException] = []
    is_done, is_given_up = threading.Event(), threading.Event()

    def ask() -> None:
        try:
            response = open_url(request, limits)
            found.append(response)
            if is_given_up.is_set():
                response.close()
        except BaseException as error:
            failed.append(error)
        finally:
            is_done.set()

    threading.Thread(target=ask, name="hub-request", daemon=True).start()
    try:
        while not is_done.wait(0.05):
            watch.stop_if_cancelled()
    except BaseException:
        is_given_up.set()
        for response in found:  # it may have come after the thread last looked
            response.close()
        raise
    if failed:
        raise failed[0]
    return found[0]


def _shut(response: HTTPResponse) -> None:
    """Shut the connection down, so that nobody waits for its next byte."""
    try:
        # A duplicate of the descriptor: the response keeps and closes its own.
        with socket.socket(fileno=os.dup(response.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    except (OSError, ValueError):
        return  # it is closed already


def _disk_error(target: FilePaths, error: OSError) -> InputError:
    if error.errno in _FULL:
        return InputError(
            f"the disk of {target.whole.parent} is full",
            why="it filled up during the download",
            hint="What has arrived is kept: make room and run the same command again.",
        )
    return InputError(
        f"{error.filename or target.whole.parent} cannot be written",
        why=error.strerror or str(error),
        hint="Choose another folder with --to.",
    )
