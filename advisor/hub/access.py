"""Where the Hub is and who asks it: the environment that huggingface_hub itself goes by, read at the edge."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from advisor.addresses import is_loopback, web_address
from advisor.errors import InputError, NetworkError

DEFAULT_ENDPOINT = "https://huggingface.co"
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})


@dataclass(frozen=True, slots=True)
class HubAccess:
    """An address and perhaps a token, which is never part of any text."""

    endpoint: str = DEFAULT_ENDPOINT
    """Without a slash at the end."""
    token: str | None = field(default=None, repr=False)

    def is_own(self, url: str) -> bool:
        """Whether an address belongs to the endpoint, so that the token may go there."""
        return _origin(url) == _origin(self.endpoint)

    def may_follow(self, url: str) -> bool:
        """Whether to go where a redirect leads: over TLS, or on this machine as long as the endpoint is here too."""
        parts = web_address(url)
        if parts is None:
            return False
        return parts.scheme == "https" or (is_loopback(self.endpoint) and is_loopback(url))

    def page(self, repo: str) -> str:
        """The address of a repository's page."""
        return f"{self.endpoint}/{repo}"


def hub_access(environ: Mapping[str, str] | None = None) -> HubAccess:
    """The access that HF_ENDPOINT, HF_TOKEN and a stored login give.

    Raises NetworkError where HF_HUB_OFFLINE forbids to ask, InputError for an endpoint that is no address.
    """
    environ = os.environ if environ is None else environ
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if environ.get(name, "").upper() in _TRUE:
            raise NetworkError("the Hub is not asked", why=f"{name} is set", hint=f"Unset {name} and try again.")
    endpoint = (environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
    parts = web_address(endpoint)
    if parts is None:
        raise InputError("HF_ENDPOINT is no web address", hint=f"Write for example HF_ENDPOINT={DEFAULT_ENDPOINT}.")
    if parts.username or parts.password:
        raise InputError("HF_ENDPOINT carries a password", hint="Give the token in HF_TOKEN instead.")
    if parts.scheme == "http" and not is_loopback(endpoint):
        why = "a token and what is downloaded could be read and changed on the way"
        raise InputError(f"HF_ENDPOINT {endpoint} is not encrypted", why=why, hint="Write https://…")
    from huggingface_hub import get_token

    return HubAccess(endpoint, get_token())


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    parts = web_address(url)
    if parts is None:
        return None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
