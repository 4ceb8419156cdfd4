"""The MCP server as an assistant meets it: the SDK's own client over the pipes of a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent

from tests.cli.running import as_process

ROOT = Path(__file__).parents[1]
COMMAND = ["-m", "advisor", "mcp"]
MODEL = "mistral-7b-instruct-v0.3"
SIMULATED = {"gpu": "RTX 4090", "ram": "64GiB"}


@asynccontextmanager
async def connected() -> AsyncIterator[Client]:
    """A session that has been initialized."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=COMMAND, env=env))) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    found = await client.call_tool(tool, arguments)
    assert isinstance(found, CallToolResult)
    return found


def text_of(found: CallToolResult) -> str:
    (content,) = found.content
    assert isinstance(content, TextContent)
    return content.text


async def test_it_introduces_itself_and_its_tools_read_only() -> None:
    async with connected() as client:
        assert client.server_info is not None
        assert client.server_info.name == "llm-advisor"
        assert client.instructions is not None
        assert "not legal advice" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"recommend", "size", "speed", "licence", "models", "show"}
        for tool in tools.values():
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is True
            assert tool.annotations.open_world_hint is False
        schema = tools["recommend"].input_schema["properties"]["needs"]["properties"]
        assert "coding" in schema["task"]["properties"]["kind"]["enum"]
        assert set(tools["licence"].input_schema["properties"]["needs"]["properties"]) == {"use"}
        assert tools["size"].input_schema["required"] == ["model"]


def steady(document: Any) -> Any:
    """The document without the free disk, which changes from moment to moment."""
    machine = {key: value for key, value in document.get("machine", {}).items() if key != "disk_free_bytes"}
    return document | {"machine": machine}


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("size", {"model": MODEL, "context_tokens": 16384, **SIMULATED}, ["size", MODEL, "--ctx", "16384"]),
        ("speed", {"model": MODEL, "depth_tokens": 4096, **SIMULATED}, ["speed", MODEL, "--depth", "4096"]),
        ("recommend", {"needs": {"task": {"kind": "coding"}}, **SIMULATED}, ["recommend", "--set", "task.kind=coding"]),
        ("licence", {"model": "llama-3.1-8b-instruct", "needs": {"use.mau_at_release": 900_000_000}},
         ["licence", "llama-3.1-8b-instruct", "--set", "use.mau_at_release=900000000"]),
        ("models", {"family": "llama"}, ["models", "--family", "llama"]),
        ("show", {"model": MODEL}, ["show", MODEL]),
    ],
)  # fmt: skip
async def test_a_tool_says_the_same_as_the_command(tool: str, arguments: dict[str, Any], line: list[str]) -> None:
    machine = ["--gpu", "RTX 4090", "--ram", "64GiB"] if "gpu" in arguments else []
    expected = as_process(*line, *machine, "--json").document
    async with connected() as client:
        found = await call(client, tool, **arguments)
    assert not found.is_error
    assert steady(found.structured_content) == steady(expected)
    assert steady(json.loads(text_of(found))) == steady(expected)


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("size", {"model": "mistral-7b-instruct-v0.4"}, "Did you mean 'mistral-7b-instruct-v0.3'?"),
        ("size", {"model": "/etc/passwd.gguf"}, "unknown model"),
        ("size", {"model": "https://example.org/model.gguf"}, "unknown model"),
        ("size", {}, "model: Field required"),
        ("size", {"model": MODEL, "quant": "Q8_0"}, "unknown argument 'quant'. Did you mean 'quantization'?"),
        ("models", {"size": 7}, "unknown argument 'size'. Arguments are family."),
        ("size", {"model": MODEL, "context_tokens": 99999}, "context_tokens: 99,999 tokens per request"),
        ("size", {"model": MODEL, "parallel": "many"}, "parallel: Input should be a valid integer"),
        ("recommend", {"needs": {"task.kind": "cooking"}}, "task.kind: 'cooking' cannot be used"),
        ("recommend", {"needs": {"task": {"knid": "coding"}}}, "Did you mean 'task.kind'?"),
        ("recommend", {"gpu": "RTX 9999"}, "RTX"),
        ("recommend", {"ram": "lots"}, "is no size"),
        ("speed", {"model": MODEL, "prompt_tokens": 0}, "prompt_tokens: Input should be greater than or equal to 1"),
        ("models", {"family": "qwen"}, "family"),
        ("delete", {}, "Unknown tool"),
    ],
)
async def test_a_bad_call_is_answered_with_one_line_and_the_server_goes_on(
    tool: str, arguments: dict[str, Any], message: str
) -> None:
    async with connected() as client:
        found = await call(client, tool, **arguments)
        assert found.is_error
        assert message in text_of(found)
        assert len(text_of(found).splitlines()) == 1
        assert not (await call(client, "show", model=MODEL)).is_error


async def test_nothing_but_the_protocol_is_on_standard_output_and_the_end_of_input_ends_it() -> None:
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "recommend", "arguments": {}}},
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, *COMMAND],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("this is no message\n" + "".join(json.dumps(line) + "\n" for line in lines))
    process.stdin.flush()
    answers: dict[int, Any] = {}
    while 2 not in answers:
        message = json.loads(process.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        answers[message.get("id")] = message
    assert answers[2]["result"]["structuredContent"]["recommendation"]["model"]
    rest, errors = process.communicate(timeout=30)
    assert rest == ""
    assert "Traceback" not in errors
    assert process.returncode == 0
