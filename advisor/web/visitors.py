"""The visitors and their processes: one each, no more than were allowed, and none that outlives its visitor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

GRACE_S = 3.0
"""Time for a child to end by itself before it is killed."""

_PRIVATE = ("LLM_ADVISOR_TOKEN",)
"""Variables that no child needs to know."""


class Visitor(AppService):
    """One visitor's child: the screens with their terminal in the browser."""

    def __init__(self, socket: web.WebSocketResponse, downloads: DownloadManager) -> None:
        super().__init__(
            "llm-advisor",
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=self._close,
            download_manager=downloads,
        )
        self.socket = socket

    async def _close(self) -> None:
        await self.socket.close()

    async def run(self) -> None:
        """Serve the child until it ends, however it ends; then the browser is told."""
        try:
            await super().run()
        finally:
            await self.socket.close()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Without a shell in between, and in a session of its own, where Ctrl+C at the server does not reach it."""
        environment = self._build_environment(width=width, height=height)
        for name in _PRIVATE:
            environment.pop(name, None)
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "advisor", stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self._stdin = process.stdin
        return process

    async def end(self) -> None:
        """End the child and whatever it started: asked first, killed after a moment."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(self.stop(), GRACE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_S)
        _kill(process)
        await process.wait()


def _kill(process: Process) -> None:
    """Kill a child and, where sessions exist, all that it started and that still runs."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()


class Visitors:
    """Who is here. A place is taken before a process is started."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._places: set[object] = set()
        self._here: set[Visitor] = set()

    @property
    def is_full(self) -> bool:
        return len(self._places) >= self.most

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place for as long as the block runs. Raises HTTPServiceUnavailable where none is free."""
        if self.is_full:
            raise web.HTTPServiceUnavailable(text=f"All {self.most} places are taken. Try again later.\n")
        mark = object()
        self._places.add(mark)
        try:
            yield
        finally:
            self._places.discard(mark)

    def let_in(self, visitor: Visitor) -> None:
        """Remember a visitor, so that the end of the server is the end of the child."""
        self._here.add(visitor)

    async def see_off(self, visitor: Visitor) -> None:
        """End a visitor's child and forget it."""
        await visitor.end()
        self._here.discard(visitor)

    async def end_all(self) -> None:
        """End every child, for the server stops."""
        here = tuple(self._here)
        await asyncio.gather(*(visitor.socket.close() for visitor in here), return_exceptions=True)
        await asyncio.gather(*(self.see_off(visitor) for visitor in here), return_exceptions=True)
