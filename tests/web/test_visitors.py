"""One process a visitor, and none without one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest
import pytest_asyncio

from tests.web.serving import Serving, serving, until

OPENED: list[aiohttp.ClientWebSocketResponse] = []


@pytest_asyncio.fixture(autouse=True)
async def all_closed() -> AsyncIterator[None]:
    """Nothing of this side stays open, whatever the server did."""
    yield
    while OPENED:
        await OPENED.pop().close()


async def enter(session: aiohttp.ClientSession, server: Serving) -> aiohttp.ClientWebSocketResponse:
    """A visitor whose screens have begun to draw."""
    headers = {"Authorization": f"Bearer {server.token}", "Origin": server.base}
    channel = await session.ws_connect(f"{server.base}/ws?width=100&height=30", headers=headers)
    OPENED.append(channel)
    message = await channel.receive(timeout=30)
    assert message.type is aiohttp.WSMsgType.BINARY
    return channel


def gone(pids: list[int]) -> bool:
    """Whether none of the processes runs; one that has ended may still wait for its new parent to notice."""
    return not any(runs(pid) for pid in pids)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_cookie_is_named_by_the_port_that_was_free_so_that_two_servers_do_not_share_it() -> None:
    with serving() as server:
        async with aiohttp.ClientSession() as session:
            response = await session.get(server.url, allow_redirects=False)
            port = server.base.rpartition(":")[2]
            assert list(response.cookies) == [f"llm-advisor-{port}"]


async def test_a_visitor_has_one_process_that_ends_with_the_visit() -> None:
    with serving() as server:
        async with aiohttp.ClientSession() as session:
            assert server.children == []
            channel = await enter(session, server)
            pids = server.family
            assert len(server.children) == 1
            await channel.close()
            until(lambda: server.children == [])
            assert gone(pids)


async def test_a_cut_connection_ends_the_process_too() -> None:
    with serving() as server:
        session = aiohttp.ClientSession()
        channel = await enter(session, server)
        pids = server.family
        assert len(server.children) == 1
        assert not channel.closed
        await session.close()
        until(lambda: gone(pids))


async def test_nobody_more_is_let_in_than_there_are_places() -> None:
    with serving("--visitors", "2") as server:
        async with aiohttp.ClientSession() as session:
            first, second = await enter(session, server), await enter(session, server)
            pids = server.children
            assert len(pids) == 2
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await enter(session, server)
            assert refused.value.status == 503
            headers = {"Authorization": f"Bearer {server.token}"}
            async with session.get(server.base, headers=headers) as page:
                assert page.status == 503
                assert await page.text() == "All 2 places are taken. Try again later.\n"
            assert server.children == pids
            await first.close()
            until(lambda: len(server.children) == 1)
            third = await enter(session, server)
            assert len(server.children) == 2
            assert [second.closed, third.closed] == [False, False]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_the_end_of_the_server_is_the_end_of_every_visit(how: signal.Signals) -> None:
    with serving() as server:
        async with aiohttp.ClientSession() as session:
            here = [await enter(session, server), await enter(session, server)]
            pids = server.family
            assert len(server.children) == 2
            server.process.send_signal(how)
            code = server.process.wait(20)
            assert code == (0 if how is not signal.SIGKILL else -signal.SIGKILL)
            until(lambda: gone(pids))
            assert len(here) == 2


async def test_a_process_that_dies_frees_its_place_and_tells_the_browser() -> None:
    with serving("--visitors", "1") as server:
        async with aiohttp.ClientSession() as session:
            channel = await enter(session, server)
            psutil.Process(server.children[0]).kill()
            while (await channel.receive(timeout=30)).type is aiohttp.WSMsgType.BINARY:
                pass
            assert channel.closed
            # The place is free once the server has seen the visitor off, which takes it a moment more.
            headers = {"Authorization": f"Bearer {server.token}"}
            for _ in range(100):
                async with session.get(server.base, headers=headers) as page:
                    if page.status == 200:
                        break
                await asyncio.sleep(0.1)
            again = await enter(session, server)
            assert not again.closed


async def test_what_is_no_message_of_the_page_ends_the_visit_alone() -> None:
    with serving("--visitors", "16") as server:
        async with aiohttp.ClientSession() as session:
            for nonsense in ("", "{}", "[]", '["resize"]', '["resize", {}]', '["stdin", 3]', "\ufffd"):
                channel = await enter(session, server)
                await channel.send_str(nonsense)
                until(lambda: server.children == [])
            await enter(session, server)
        assert server.process.poll() is None


async def test_the_token_is_no_variable_of_a_visitors_process() -> None:
    token = "0123456789abcdef-test"
    with serving(LLM_ADVISOR_TOKEN=token) as server:
        assert server.token == "YOUR_TOKEN"
        server.token = token
        async with aiohttp.ClientSession() as session:
            await enter(session, server)
            assert "LLM_ADVISOR_TOKEN" not in psutil.Process(server.children[0]).environ()
