"""Who gets in: on every route, for every way to ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from advisor.errors import InputError
from advisor.web.guard import Guard
from advisor.web.server import ScreenServer, Setting, listen

TOKEN = "a-token-for-a-test-0123"
ROUTES = ("/", "/ws", "/download/0123", "/static/js/textual.js", "/page/page.js")

Client = TestClient[aiohttp.web.Request, aiohttp.web.Application]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    setting = Setting("127.0.0.1", 0, Guard(TOKEN, 0, frozenset({"gpu-box.example"})), visitors=1)
    async with TestClient(TestServer(ScreenServer(setting).application())) as made:
        yield made


@pytest.mark.parametrize("route", ROUTES)
async def test_no_route_answers_without_the_token(client: Client, route: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "llm-advisor-0=wrong"}):
        response = await client.get(route, headers=headers)
        assert response.status == 403
        assert "token" in await response.text()
    assert (await client.get(route, params={"token": TOKEN[:-1]})).status == 403


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "192.0.2.7", "[::"]
)
async def test_a_name_that_was_rebound_to_this_address_is_refused(client: Client, route: str, host: str) -> None:
    response = await client.get(route, headers={"Host": host, "Authorization": f"Bearer {TOKEN}"})
    assert response.status == 421


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:9", "LOCALHOST", "127.0.0.1", "[::1]:9", "gpu-box.example:80"]
)
async def test_the_names_of_this_server_are_known(client: Client, host: str) -> None:
    response = await client.get("/page/page.js", headers={"Host": host, "Authorization": f"Bearer {TOKEN}"})
    assert response.status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[::"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_page_of_another_origin_is_refused_with_the_token(client: Client, route: str, origin: str) -> None:
    response = await client.get(route, headers={"Origin": origin, "Authorization": f"Bearer {TOKEN}"})
    assert response.status == 403
    assert "origin" in await response.text()


@pytest.mark.parametrize("header", [b"Authorization: Bearer ", b"Cookie: llm-advisor-0="])
async def test_a_secret_that_is_no_text_is_a_wrong_one(client: Client, header: bytes) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + b"\xff\r\n\r\n")
    status = await reader.readline()
    writer.close()
    assert status == b"HTTP/1.1 403 Forbidden\r\n"


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..b"])
def test_a_name_that_no_host_can_have_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="cannot be listened on"):
        listen(host, 0)


async def test_a_websocket_without_an_origin_is_refused(client: Client) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect("/ws", headers={"Authorization": f"Bearer {TOKEN}"})
    assert refused.value.status == 403


async def test_the_token_leaves_the_address_for_a_cookie_that_no_script_or_other_site_gets(client: Client) -> None:
    response = await client.get("/", params={"token": TOKEN, "fontsize": "20"}, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/?fontsize=20")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    page = await client.get("/")
    assert page.status == 200
    assert 'data-font-size="16"' in await page.text()


async def test_the_page_names_no_other_host_and_allows_none(client: Client) -> None:
    response = await client.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
    text = await response.text()
    assert "http://" not in text
    assert "https://" not in text
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_neither_folders_nor_other_files_are_shown(client: Client) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/static/", "/static/js", "/page/", "/page/../server.py", "/page/%2e%2e/server.py", "/etc/passwd"):
        assert (await client.get(path, headers=headers)).status in (403, 404)


@pytest.mark.parametrize("host", ["192.0.2.7", "[2001:db8::1]:8765"])
def test_a_public_server_is_known_by_its_addresses_but_not_by_any_name(host: str) -> None:
    guard = Guard(TOKEN, 8765, is_public=True)
    assert guard.knows_host(host)
    assert not guard.knows_host("evil.example:8765")
