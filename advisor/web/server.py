"""The server: textual-serve's page, websocket and downloads behind a guard, with no process beyond its visitors."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from textual_serve.server import Server, to_int

from advisor.errors import InputError
from advisor.web.guard import Guard, add_headers, middleware
from advisor.web.visitors import Visitor, Visitors

PAGE = Path(__file__).with_name("page")
HEARTBEAT_S = 15
"""After so long a visitor whose connection was cut is known to be gone."""
CLOSING_S = 1.0
"""How long a browser may take to agree that the visit is over; its place is free then."""
_SHUTDOWN_S = 10.0
_LARGEST = 1000
"""Cells of a terminal in each direction; a browser that asks for more gets this."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where to listen, for whom and for how many."""

    host: str
    port: int
    guard: Guard
    visitors: int


class ScreenServer(Server):
    """textual-serve with a page of its own, a guard, and an end to every child."""

    def __init__(self, setting: Setting) -> None:
        super().__init__("llm-advisor", setting.host, setting.port, templates_path=PAGE)
        self.setting = setting
        self.visitors = Visitors(setting.visitors)

    def application(self) -> web.Application:
        """All routes behind the guard."""
        app = web.Application(middlewares=[middleware(self.setting.guard)])
        aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(PAGE), autoescape=True)
        app.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.get("/ws", self.handle_websocket, name="websocket"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.static("/static", self.statics_path, name="static"),
                web.static("/page", PAGE, name="page"),
            ]
        )
        app.on_response_prepare.append(add_headers)
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page; 503 where nobody more can be let in."""
        if self.visitors.is_full:
            raise web.HTTPServiceUnavailable(text=f"All {self.visitors.most} places are taken. Try again later.\n")
        context = {
            "font_size": max(6, min(40, to_int(request.query.get("fontsize", "16"), 16))),
            "machine": socket.gethostname(),
        }
        return aiohttp_jinja2.render_template("index.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One visitor, from the first byte to the end of the child."""
        with self.visitors.place():
            channel = web.WebSocketResponse(heartbeat=HEARTBEAT_S, timeout=CLOSING_S, max_msg_size=1 << 20)
            await channel.prepare(request)
            visitor = Visitor(channel, self.download_manager)
            self.visitors.let_in(visitor)
            try:
                await visitor.start(*(_cells(request, name) for name in ("width", "height")))
                await self._process_messages(channel, visitor)
            except (ConnectionError, ValueError, TypeError, KeyError, IndexError, AssertionError):
                pass  # the connection was cut, or what came over it is no message of the page
            finally:
                await asyncio.shield(self.visitors.see_off(visitor))
            return channel

    async def on_shutdown(self, app: web.Application) -> None:
        await self.visitors.end_all()


def _cells(request: web.Request, name: str) -> int:
    return max(1, min(_LARGEST, to_int(request.query.get(name, "80"), 80)))


def run(setting: Setting, on_ready: Callable[[int], Any]) -> None:
    """Serve until interrupted or terminated; `on_ready` gets the port. Raises InputError where it cannot listen."""
    listener = listen(setting.host, setting.port)
    port = listener.getsockname()[1]
    on_ready(port)
    # Port 0 takes any that is free, and the cookie is named by the one that it became.
    app = ScreenServer(replace(setting, port=port, guard=replace(setting.guard, port=port))).application()
    # textual-serve writes what a broken child said to standard output, which is for data.
    with redirect_stdout(sys.stderr):
        web.run_app(app, sock=listener, shutdown_timeout=_SHUTDOWN_S, print=None, access_log=None)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises InputError for an address that is taken or not of this machine."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError, OverflowError) as error:  # a name that is none, a port that is too high
        why = getattr(error, "strerror", None) or str(error)
        hint = "Choose another with --host or --port."
        raise InputError(f"{host}:{port} cannot be listened on", why=why, hint=hint) from error
