"""What a web address says of where it leads."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback_host(host: str) -> bool:
    """Whether a host, by name or number, is this very machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_loopback(url: str) -> bool:
    """Whether a web address is this very machine."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_loopback_host(str(parts.hostname))
