"""Who may come in: the right token, a host that is this one, and no page of another origin.

A page of another site can make a visitor's browser send requests here. It cannot read the token, and the cookie that
stands for it is not sent along (`SameSite=Strict`). By DNS rebinding it can turn its own name into this address; such
a request carries that name in `Host`, which is refused.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

SHORTEST_TOKEN = 16
"""Characters of a token that a person chose; 16 random ones take longer to guess than any server runs."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets a request through or refuses it."""

    token: str
    port: int
    names: frozenset[str] = frozenset()
    """Host names that this server is known under, besides `localhost`."""
    is_public: bool = False
    """Whether addresses other than those of the machine itself are served."""
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """What the cookie of a visitor who showed the token says; new each time the server starts."""

    @property
    def cookie(self) -> str:
        """Cookies are shared by all ports of a host, so the port is in the name."""
        return f"llm-advisor-{self.port}"

    def knows_host(self, host: str | None) -> bool:
        """Whether a `Host` header means this server. An address is safe: only a name can be rebound."""
        name = host_name(host)
        if name is None:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self.names | {"localhost"}
        return self.is_public or address.is_loopback

    def admits(self, request: web.Request) -> bool:
        """Whether the request shows the token in its URL or header, or the cookie that was given for it."""
        shown = request.query.get("token") or request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
        if _same(shown, self.token):
            return True
        return _same(request.cookies.get(self.cookie, ""), self.session)


def _same(shown: str, secret: str) -> bool:
    """Compared in a time that tells nothing about how much of it is right."""
    # What was no UTF-8 in a header has become surrogates.
    return secrets.compare_digest(shown.encode("utf-8", "surrogatepass"), secret.encode())


def host_name(host: str | None) -> str | None:
    """The name of `name:port` in lower case; None for what is none."""
    try:
        found = urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return None
    return found.rstrip(".") if found else None


def middleware(guard: Guard) -> Middleware:
    """The guard before every route: page, websocket, downloads and static files."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not guard.knows_host(request.headers.get(hdrs.HOST)):
            raise web.HTTPMisdirectedRequest(text="This server is not known under that name.\n")
        if not _is_own_origin(request):
            raise web.HTTPForbidden(text="A page of another origin may not ask here.\n")
        if not guard.admits(request):
            raise web.HTTPForbidden(text="The token is missing or wrong. Use the address that llm-advisor printed.\n")
        if "token" in request.query and request.path == "/":
            raise _without_token(request, guard)
        return await handler(request)

    return check


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing of another host is loaded, framed or told where the visitor came from."""
    response.headers.update(_HEADERS)


def _is_own_origin(request: web.Request) -> bool:
    """A browser says where a request comes from, always for a websocket."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return request.headers.get(hdrs.UPGRADE, "").lower() != "websocket"
    try:
        where = urlsplit(origin).netloc
    except ValueError:
        return False
    return where.lower() == (request.headers.get(hdrs.HOST) or "").lower()


def _without_token(request: web.Request, guard: Guard) -> web.HTTPSeeOther:
    """The same page without the secret in the address bar, the history and the log of a proxy; a cookie instead."""
    query = {key: value for key, value in request.query.items() if key != "token"}
    response = web.HTTPSeeOther(request.rel_url.with_query(query))
    response.set_cookie(guard.cookie, guard.session, httponly=True, samesite="Strict", secure=request.secure)
    return response
