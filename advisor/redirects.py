"""Following redirects of servers that nobody vouches for."""

from __future__ import annotations

from http.client import HTTPMessage
from typing import IO, Any
from urllib.request import HTTPRedirectHandler, Request


class ClosedRedirects(HTTPRedirectHandler):
    """As urllib follows them, but without reading the body that a redirect carries, however long it is, and with its
    connection closed even where the new address is none. Whoever inherits says in `redirect_request` where to go."""

    def http_error_302(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage) -> Any:
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
