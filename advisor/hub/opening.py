"""Opening files of the Hub by range: the token goes to the Hub alone, never to where it redirects."""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, cast
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from advisor.hub.access import HubAccess
from advisor.hub.faults import fault, garbled, unreachable
from advisor.hub.patience import Patience


def file_url(access: HubAccess, repo: str, file: str, commit: str) -> str:
    """The address of a file at a commit."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(repo, file, revision=commit, endpoint=access.endpoint)


class HubOpener:
    """Opens addresses of one repository. Raises NetworkError as `fault` and `unreachable` make it."""

    def __init__(self, access: HubAccess, repo: str, patience: Patience) -> None:
        self._access = access
        self._repo = repo
        self._patience = patience
        self._opener = build_opener(_Redirects(access, repo))

    def __call__(self, request: Request, timeout_s: float) -> HTTPResponse:
        return self._patience.ask(lambda: self._open(request, timeout_s))

    def _open(self, request: Request, timeout_s: float) -> HTTPResponse:
        asked = Request(request.full_url, headers=dict(request.header_items()))
        _authorize(asked, self._access)
        try:
            return cast(HTTPResponse, self._opener.open(asked, timeout=timeout_s))
        except HTTPError as error:
            with error:
                raise fault(
                    error.code, dict(error.headers.items()), self._repo, self._access, datetime.now(UTC)
                ) from error
        except (URLError, HTTPException, OSError, ValueError) as error:  # ValueError: a redirect to no address
            why = getattr(error, "reason", None) or error
            raise unreachable(self._access, str(why) or type(error).__name__) from error


class _Redirects(HTTPRedirectHandler):
    def __init__(self, access: HubAccess, repo: str) -> None:
        self._access = access
        self._repo = repo

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        fp.close()  # urllib would read the whole body of the redirect, however long it is
        is_web = newurl.startswith(("http://", "https://"))
        if not is_web or not self._access.may_follow(newurl):
            where = "an address that is not encrypted" if is_web else "no web address"
            raise garbled(self._repo, f"it redirects to {where}")
        followed = super().redirect_request(req, fp, code, msg, headers, newurl)
        if followed is not None:
            _authorize(followed, self._access)
        return followed


def _authorize(request: Request, access: HubAccess) -> None:
    """Send the token along, if the address is the Hub's own; urllib does not copy it to where a redirect leads."""
    if access.token is not None and access.is_own(request.full_url):
        request.add_unredirected_header("Authorization", f"Bearer {access.token}")
