"""Where `serve` refuses to listen."""

from __future__ import annotations

import builtins
import socket
from typing import Any

import pytest

from tests.cli.running import Cli

LONG = "0123456789abcdef"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
@pytest.mark.parametrize("options", [(), ("--public",), ("--token", LONG)])
def test_a_public_address_needs_a_flag_and_a_token(cli: Cli, host: str, options: tuple[str, ...]) -> None:
    found = cli("serve", "--host", host, *options)
    assert found.code == 2
    assert "Add --public and a token" in found.err
    assert len(found.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["gpu-box.example:9000", "http://gpu-box.example", "gpu-box.example.", "", "[::"])
def test_a_name_that_no_request_can_carry_is_refused(cli: Cli, name: str) -> None:
    found = cli("serve", "--port", "0", "--name", name)
    assert (found.code, found.out) == (2, "")
    assert "is no host name" in found.err


def test_a_short_token_is_refused(cli: Cli) -> None:
    found = cli("serve", "--token", LONG[:-1])
    assert found.code == 2
    assert "shorter than 16 characters" in found.err


def test_a_port_that_is_taken_is_named(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = cli("serve", "--port", port)
    assert found.code == 2
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use" in found.err


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [("serve", "aiohttp", "web"), ("serve", "textual_serve", "web"), ("mcp", "mcp", "mcp")],
)
def test_a_missing_extra_is_told_with_the_line_that_installs_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, package: str, extra: str
) -> None:
    import sys

    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **named)

    for module in [m for m in sys.modules if m.startswith(("advisor.web", "advisor.mcp_server"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    found = cli(command)
    assert found.code == 2
    assert f"pip install 'llm-advisor[{extra}]'" in found.err
    assert len(found.err.splitlines()) == 1
