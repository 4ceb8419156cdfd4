"""Opening files of the Hub by range: the token goes to the Hub alone, never to where it redirects."""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, cast
from urllib.error import HTTPError, URLError
from urllib.request import Request

from advisor import __version__
from advisor.hub.access import HubAccess
from advisor.hub.http_errors import fault, garbled, unreachable
from advisor.hub.retry import RetryPolicy
from advisor.redirects import ClosedRedirects
from advisor.timely import Limits, TooLate, timely_opener
from advisor.units import format_bytes

TIMEOUT_S = 20.0
"""Silence after which a connection counts as broken."""
WHOLE_ANSWER_S = 60.0
"""A server that sends a byte now and then would otherwise keep whoever asks for ever."""


def file_url(access: HubAccess, repo: str, file: str, commit: str) -> str:
    """The address of a file at a commit."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(repo, file, revision=commit, endpoint=access.endpoint)


def ask(access: HubAccess, repo: str, path: str, most_bytes: int) -> bytes:
    """The Hub's answer at a path, whole. Raises NetworkError as `fault`, `unreachable` and `garbled` make it."""
    headers = {"User-Agent": f"llm-advisor/{__version__}", "Accept": "application/json"}
    request = Request(f"{access.endpoint}{path}", headers=headers)
    chunks: list[bytes] = []
    left = most_bytes + 1
    with HubOpener(access, repo, RetryPolicy()).once(request, Limits(TIMEOUT_S, WHOLE_ANSWER_S)) as response:
        try:
            while left > 0 and (chunk := response.read1(left)):
                chunks.append(chunk)
                left -= len(chunk)
        except TooLate as error:
            raise unreachable(access, str(error)) from error
        except TimeoutError as error:
            raise unreachable(access, f"no data for {TIMEOUT_S:.0f} s") from error
        except (OSError, HTTPException, ValueError) as error:
            raise garbled(repo, "it ended early") from error
        if left <= 0:
            raise garbled(repo, f"it is longer than {format_bytes(most_bytes)}")
        if response.length:
            raise garbled(repo, "it ended early")
    return b"".join(chunks)


class HubOpener:
    """Opens addresses of one repository. Raises NetworkError as `fault` and `unreachable` make it."""

    def __init__(self, access: HubAccess, repo: str, retry: RetryPolicy) -> None:
        self._access = access
        self._repo = repo
        self._patience = retry
        self._opener = timely_opener(_Redirects(access, repo))

    def __call__(self, request: Request, timeout_s: float) -> HTTPResponse:
        return self._patience.ask(lambda: self.once(request, timeout_s))

    def once(self, request: Request, timeout_s: float) -> HTTPResponse:
        """Without waiting for a Hub that is busy."""
        asked = Request(request.full_url, headers=dict(request.header_items()))
        _authorize(asked, self._access)
        try:
            return cast(HTTPResponse, self._opener.open(asked, timeout=timeout_s))
        except HTTPError as error:
            headers = dict(error.headers.items())
            error.close()  # it holds the connection open
            raise fault(error.code, headers, self._repo, self._access, datetime.now(UTC)) from error
        except (URLError, HTTPException, OSError, ValueError) as error:  # ValueError: a redirect to no address
            why = getattr(error, "reason", None) or error
            raise unreachable(self._access, str(why) or type(error).__name__) from error


class _Redirects(ClosedRedirects):
    def __init__(self, access: HubAccess, repo: str) -> None:
        self._access = access
        self._repo = repo

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
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
