"""What counts as a web address, wherever one is given."""

from __future__ import annotations

import pytest

from advisor.addresses import is_loopback, web_address
from advisor.errors import InputError
from advisor.gguf.remote import HttpSource
from advisor.hub.access import HubAccess, hub_access

NONE = ["https://[::1", "https://[bad]/x.gguf", "https://host:99999", "https://host:x", "https://host:0", "https:///x"]


@pytest.mark.parametrize("text", [*NONE, "", "host", "ftp://host/x", "https:host"])
def test_what_is_no_web_address_is_told_as_none(text: str) -> None:
    assert web_address(text) is None
    assert not is_loopback(text)


@pytest.mark.parametrize("text", ["https://host", "http://127.0.0.1:8000/x?y", "https://[::1]:443/"])
def test_an_address_has_a_host(text: str) -> None:
    parts = web_address(text)
    assert parts is not None
    assert parts.hostname


@pytest.mark.parametrize("text", NONE)
def test_a_remote_file_at_no_address_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="is no web address"):
        HttpSource(text)


@pytest.mark.parametrize("text", NONE)
def test_an_endpoint_that_is_no_address_is_refused_and_gets_no_token(text: str) -> None:
    with pytest.raises(InputError, match="HF_ENDPOINT is no web address"):
        hub_access({"HF_ENDPOINT": text})
    assert not HubAccess(token="hf_x").is_own(text)
    assert not HubAccess().may_follow(text)
