"""No secret of the environment, of a stored login or of an address is in anything that a command says or writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from advisor.cli.diagnostics import guarded
from advisor.cli.main import COMMANDS
from advisor.cluster import probing
from advisor.domain.trial.tasks import Pattern
from advisor.trial.checking import Judge
from tests.cli.running import Cli

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
)  # fmt: skip
SILENT = {"serve", "mcp", "trial"}
"""Those that serve have tests of their own, and a trial without tasks of one's own says nothing."""


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
    yield tmp_path
    told = [p for p in tmp_path.rglob("*") if p.is_file() and p != login / "token"]
    assert told
    assert [p for p in told if CANARY.encode() in p.read_bytes()] == []


def test_no_command_says_or_writes_a_secret(cli: Cli, secret_home: Path) -> None:
    lines = [*((*line, *how) for line in QUICK for how in FORMATS), *ONCE]
    assert {line[0] for line in lines} | SILENT == set(COMMANDS)
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
