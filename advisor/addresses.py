"""What a web address says of where it leads."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def is_loopback_host(host: str) -> bool:
    """Whether a host, by name or number, is this very machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def web_address(url: str) -> SplitResult | None:
    """The parts of an http or https address; None for what is none, such as one without a host or with a wrong port."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_whole else None


def is_loopback(url: str) -> bool:
    """Whether a web address is this very machine."""
    parts = web_address(url)
    return parts is not None and is_loopback_host(str(parts.hostname))
