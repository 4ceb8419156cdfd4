"""No secret of the environment, of a stored login or of an address is in anything that a command says or writes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from advisor.cli.diagnostics import guarded
from advisor.cli.main import COMMANDS
from advisor.cluster import probing
from advisor.domain.trial.tasks import Pattern
from advisor.trial.checking import Judge
from tests.cli.running import Cli
from tests.test_terminal import ESCAPES
from tests.trial.test_reading import written
from tests.web.serving import ROOT, Serving, serving

CANARY = "c4naryc4nary"
"""Part of every secret here."""
SECRETS = {
    "HF_TOKEN": f"hf_{CANARY}",
    "HUGGING_FACE_HUB_TOKEN": f"hf_{CANARY}2",
    "OPENAI_API_KEY": f"sk-{CANARY}",
    "AWS_SECRET_ACCESS_KEY": f"aws+{CANARY}/=",
    "LLM_ADVISOR_TOKEN": f"{CANARY}-serve",
    "DATABASE_PASSWORD": f"pw {CANARY}",
    "HTTPS_PROXY": f"http://me:{CANARY}@127.0.0.1:9",
}
SMALL = ("--gpu", "none", "--ram", "16GiB")
MODEL = "mistral-7b-instruct-v0.3"
FORMATS = ((), ("--json",))
QUICK = (
    ("models",), ("show", MODEL), ("presets",), ("settings",), ("files",), ("licence", MODEL), ("speed", MODEL, *SMALL),
    ("probe",), ("size", MODEL, *SMALL), ("catalog", "coverage"),
)  # fmt: skip
ONCE = (
    ("doctor", "--json"), ("schema", "recommendation"), ("completion", "bash"), ("recommend", "--json"),
    ("compare", MODEL, "llama-3.1-8b-instruct", "--plain"), ("plan", "--ray", f"ray://me:{CANARY}@host"),
    ("recommend", "--report", "report.html"), ("recommend", "-o", "recommendation.toml"),
    ("probe", "-o", "machine.toml"),
    ("verify", "recommendation.toml", "--json"), ("export", "recommendation.toml", "--to", "all", "-o", "deploy"),
    ("smoke", "nowhere.gguf", "--debug"), ("catalog", "validate", "--no-engine", "--plain"),
    # These need a network, which is not there.
    ("download", MODEL, "--debug"), ("catalog", "refresh", MODEL, "--debug"),
    ("size", f"https://me:{CANARY}@host.invalid/m.gguf", "--debug"),
    ("size", f"https://127.0.0.1:9/m.gguf?X-Amz-Signature={CANARY}", "--debug"),
    ("size", f"http://host.invalid/m.gguf?X-Amz-Signature={CANARY}", "--debug"),
    ("probe", "--ray", f"ray://me:{CANARY}@host", "--debug"),
    # Addresses where a path is wanted.
    ("recommend", "--constraints", f"https://me:{CANARY}@host.invalid/c.toml", "--debug"),
    ("smoke", f"https://me:{CANARY}@host.invalid/m.gguf"), ("verify", f"https://me:{CANARY}@host.invalid/r.toml"),
)  # fmt: skip
LONG = {"serve", "mcp", "trial"}
"""Those that go on for a while have tests of their own below."""


@pytest.fixture
def secret_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose environment and stored login are full of secrets, as the current directory."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"LLM_ADVISOR_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    login = tmp_path / "login"
    login.mkdir()
    (login / "token").write_text(f"hf_{CANARY}stored", "utf-8")
    monkeypatch.setenv("HF_HOME", str(login))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(login / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield tmp_path
    told = [p for p in tmp_path.rglob("*") if p.is_file() and p != login / "token"]
    assert told
    assert [p for p in told if CANARY.encode() in p.read_bytes()] == []


def test_no_command_says_or_writes_a_secret(cli: Cli, secret_home: Path) -> None:
    lines = [*((*line, *how) for line in QUICK for how in FORMATS), *ONCE]
    assert {line[0] for line in lines} | LONG == set(COMMANDS)
    for line in lines:
        found = cli(*line)
        assert CANARY not in found.out + found.err, line
    written = {path.name for path in secret_home.iterdir()}
    assert written >= {"report.html", "recommendation.toml", "deploy"}


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_that_nobody_foresaw_says_no_secret(
    capsys: pytest.CaptureFixture[str], secret_home: Path, debug: bool
) -> None:
    (secret_home / "told").touch()

    def fail() -> None:
        raise ValueError(f"{dict(os.environ)} and https://me:{CANARY}@host/?X-Amz-Signature={CANARY}")

    assert guarded(fail, debug=debug) == 1
    said = capsys.readouterr().err
    assert "[HF_TOKEN]" in said
    assert CANARY not in said


def test_the_children_of_trials_and_clusters_are_told_no_secret(secret_home: Path) -> None:
    (secret_home / "told").touch()
    before = set(psutil.Process().children())
    with Judge() as judge:
        assert judge.judge(Pattern("a"), "a").score == 1
        (checker,) = set(psutil.Process().children()) - before
        seen = checker.environ()
    assert "PATH" in seen
    assert CANARY not in " ".join(seen.values())
    os.environ["RAY_AUTH_TOKEN"] = "of the cluster"
    try:
        asking = probing._env()
    finally:
        del os.environ["RAY_AUTH_TOKEN"]
    assert asking["RAY_AUTH_TOKEN"] == "of the cluster"
    assert not [name for name in asking if CANARY in asking[name] and name != "HTTPS_PROXY"]


def test_a_trial_says_and_keeps_no_secret(cli: Cli, secret_home: Path, smollm2: Path) -> None:
    tasks = written(secret_home, {"id": "yes", "prompt": "Say yes.", "check": {"kind": "regex", "pattern": "y"}})
    asked = ("trial", tasks, "--file", smollm2, "--max-tokens", "4", "--threads", "1", "--ctx", "256")
    again = ("trial", f"https://me:{CANARY}@host.invalid/tasks.jsonl", "--file", smollm2, "--debug")
    journal = secret_home / "state" / "trials"
    for line, code in (
        (asked, 0),
        ((*asked, "--json", "-o", "result.json"), 0),
        ((*asked, "--threads", "0"), 2),
        (again, 2),
    ):
        found = cli(*line)
        assert (found.code, CANARY in found.out + found.err) == (code, False), found.err
    # What a trial remembers is searched for secrets when the test ends.
    assert [path.suffix for path in journal.iterdir()]
    assert (secret_home / "result.json").exists()


async def test_a_visitor_of_serve_is_sent_no_secret(secret_home: Path) -> None:
    (secret_home / "told").touch()
    with serving() as server:
        assert server.token == "YOUR_TOKEN"
        told, refused, drawn = await visit(server, SECRETS["LLM_ADVISOR_TOKEN"])
        server.process.terminate()
        assert server.process.stderr is not None
        told += server.process.stderr.read()
    assert refused == [403, 403]
    assert CANARY not in told + drawn


async def visit(server: Serving, token: str) -> tuple[str, list[int], str]:
    """What a visitor is told by pages and headers, the answers to wrong tokens, and what the screens draw."""
    headers = {"Authorization": f"Bearer {token}", "Origin": server.base}
    told, refused, drawn = "", list[int](), ""
    async with aiohttp.ClientSession() as session:
        for route, shown in (("/", token), ("/nowhere", token), ("/", f"{token}x"), (f"/?token={token}x", "")):
            asked = headers | {"Authorization": f"Bearer {shown}"}
            async with session.get(server.base + route, headers=asked) as response:
                told += f"{response.headers} {await response.text()}"
                refused += [response.status] if shown != token else []
        async with session.ws_connect(f"{server.base}/ws?width=120&height=36", headers=headers) as channel:
            for keys, word in (("2", "Commercial use"), ("5", "Save as"), ("\x10", "Search")):
                drawn += await drawn_after(channel, keys, word)
    return told, refused, drawn


async def drawn_after(channel: aiohttp.ClientWebSocketResponse, keys: str, word: str) -> str:
    """What the screens draw until they show a word; keys that come before the screens are there count for nothing."""
    drawn, text, end = b"", "", time.monotonic() + 120.0
    while word not in text:
        assert time.monotonic() < end, f"{word!r} was not drawn, but: {text[-2000:]}"
        await channel.send_json(["stdin", keys])
        with suppress(TimeoutError):
            while word not in text:
                drawn += await channel.receive_bytes(timeout=1.0)
                text = ESCAPES.sub("", drawn.decode("utf-8", "replace"))
    return text


async def test_an_assistant_is_told_no_secret(secret_home: Path) -> None:
    (secret_home / "told").touch()
    arguments: list[dict[str, Any]] = [
        {"model": MODEL}, {"model": f"https://me:{CANARY}@host/m.gguf"}, {"model": f"HF_TOKEN=hf_{CANARY}"},
        {"model": MODEL, "gpu": f"https://host/?X-Amz-Signature={CANARY}"},
    ]  # fmt: skip
    with (secret_home / "stderr.txt").open("w") as errors:
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "advisor", "mcp"], env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        async with Client(stdio_client(server, errlog=errors)) as client:
            tools = await client.list_tools()
            told = [str(tools), *[str(await client.call_tool("size", given)) for given in arguments]]
            told += [str(await client.call_tool("recommend", {"needs": {f"https://me:{CANARY}@host/": 1}}))]
    assert "weights_bytes" in told[1]
    assert CANARY not in " ".join(told)
