"""Parts of files on web servers: how one is asked for, and which one an answer says it is (RFC 9110, section 14)."""

from __future__ import annotations

import re
from http.client import HTTPResponse
from urllib.request import Request

from advisor import __version__

_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d{1,18})-\d{1,18}/(?P<size>\d{1,18})")


def part_request(url: str, first: int, last: int) -> Request:
    """The request for the bytes from `first` to `last`, both included, as they are stored."""
    return Request(url, headers={
        "Range": f"bytes={first}-{last}",
        "Accept-Encoding": "identity",
        "User-Agent": f"llm-advisor/{__version__}",
    })  # fmt: skip


def announced_part(response: HTTPResponse) -> tuple[int, int] | None:
    """Where the part of an answer begins and how long the whole file is, in bytes; None where it does not say."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    return None if match is None else (int(match["first"]), int(match["size"]))
