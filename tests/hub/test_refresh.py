"""`catalog refresh` against a server that speaks the Hub's API."""

from __future__ import annotations

import os
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from advisor.service import Advisor
from tests.cli.running import Cli, Outcome, as_process
from tests.gguf.making import llama_blueprint
from tests.gguf.test_split import write_parts
from tests.hub.conftest import REPO
from tests.hub.server import COMMIT, HubServer, Repo
from tests.hub.server_faults import Answer, Hangup, Silence, Truncated, too_many

API = f"/api/models/{REPO}"
Q4, Q8 = "Tiny-Tune-Q4_0.gguf", "Tiny-Tune-Q8_0.gguf"


def written(overlay: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((overlay / "gguf/tiny-tune.toml").read_text("utf-8"))
    return found


def left_behind(overlay: Path) -> list[str]:
    return sorted(p.relative_to(overlay).as_posix() for p in overlay.rglob("*") if p.is_file())


def assert_fails_cleanly(found: Outcome, overlay: Path, *words: str) -> None:
    """One line says it, exit code 5, and no file was written."""
    assert found.code == 5
    last = found.err.splitlines()[-1]
    assert last.startswith("llm-advisor: ")
    for word in words:
        assert word in last
    assert "Traceback" not in found.err
    assert left_behind(overlay) == ["models/mine.toml"]


def test_sizes_hashes_and_headers_come_from_the_hub(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    found = cli("catalog", "refresh", "tiny-tune", "--json")
    assert found.code == 0
    assert [(c["file"], c["change"]) for c in found.document["changes"]] == [(Q4, "added"), (Q8, "added")]
    rows = {row["file"]: row for row in written(overlay)["file"]}
    content = repo.files[Q4]
    assert isinstance(content, bytes)
    assert rows[Q4] == {
        "model": "tiny-tune",
        "repo": REPO,
        "file": Q4,
        "quantization": "Q4_0",
        "n_parts": 1,
        "n_bytes": len(content),
        "tensor_bytes": llama_blueprint().tensor_bytes,
        "sha256": [sha256(content).hexdigest()],
        "source": "hub-1",
    }
    assert rows[Q8]["quantization"] == "Q8_0"
    assert written(overlay)["sources"]["hub-1"]["text"] == f"Hugging Face Hub, {REPO}@{COMMIT}"


def test_what_was_refreshed_is_shown_and_valid(cli: Cli, hub: HubServer, overlay: Path) -> None:
    cli("catalog", "refresh", "tiny-tune")
    assert f"{REPO}/{Q4}" in cli("show", "tiny-tune", "--plain").out
    found = cli("catalog", "validate", "--no-engine", "--json")
    assert found.code == 0
    # The tiny files are no Llama 3.2 1B, which is what their entry's base says they are.
    assert [(f["level"], f["file"], f["key"]) for f in found.document["findings"]] == [
        ("warning", str(overlay / "gguf/tiny-tune.toml"), f"file[{name}].tensor_bytes") for name in (Q4, Q8)
    ]


def test_a_second_refresh_reads_no_header_again_and_changes_nothing(cli: Cli, hub: HubServer, overlay: Path) -> None:
    cli("catalog", "refresh", "tiny-tune")
    before = len(hub.requests("store"))
    found = cli("catalog", "refresh", "tiny-tune", "--json")
    assert found.document["changes"] == []
    assert len(hub.requests("store")) == before > 0


def test_a_file_that_changed_or_went_away_is_told_and_its_old_row_is_gone(
    cli: Cli, hub: HubServer, overlay: Path, repo: Repo
) -> None:
    cli("catalog", "refresh", "tiny-tune")
    content = repo.files[Q4]
    assert isinstance(content, bytes)
    repo.files[Q4] = content + b"\0" * 32
    del repo.files[Q8]
    found = cli("catalog", "refresh", "tiny-tune", "--plain")
    lines = {line.split("\t")[2]: line.split("\t")[3:] for line in found.out.splitlines()}
    assert lines[Q4][0] == "changed"
    assert f"n_bytes {len(content):,}" in lines[Q4][1]
    assert "sha256" in lines[Q4][1]
    assert lines[Q8] == ["gone", ""]
    assert [row["file"] for row in written(overlay)["file"]] == [Q4]


def test_a_dry_run_shows_the_same_and_writes_nothing(cli: Cli, hub: HubServer, overlay: Path) -> None:
    found = cli("catalog", "refresh", "tiny-tune", "--dry-run", "--json")
    assert len(found.document["changes"]) == 2
    assert found.document["written"] == []
    assert left_behind(overlay) == ["models/mine.toml"]


def test_shipped_knowledge_is_never_written(cli: Cli, hub: HubServer, overlay: Path) -> None:
    knowledge = Advisor().knowledge
    before = {path: path.stat().st_mtime_ns for path in knowledge.rglob("*")}
    cli("catalog", "refresh", "tiny-tune")
    assert {path: path.stat().st_mtime_ns for path in knowledge.rglob("*")} == before


def test_parts_of_a_split_file_count_as_one(
    cli: Cli, hub: HubServer, overlay: Path, repo: Repo, tmp_path: Path
) -> None:
    whole = llama_blueprint()
    write_parts(tmp_path, whole, 3)
    names = [f"model-0000{i}-of-00003.gguf" for i in (1, 2, 3)]
    repo.files = {f"Q4_0/{name}": (tmp_path / name).read_bytes() for name in names}
    repo.files["Q4_0/other-00001-of-00002.gguf"] = b"a part whose other half is missing"
    assert cli("catalog", "refresh", "tiny-tune").code == 0
    [row] = written(overlay)["file"]
    assert (row["file"], row["n_parts"]) == (f"Q4_0/{names[0]}", 3)
    assert row["n_bytes"] == sum(repo.size(name) for name in repo.files if "other" not in name)
    assert row["tensor_bytes"] == whole.tensor_bytes
    assert len(row["sha256"]) == 3


def test_a_publishers_own_mixture_keeps_its_name(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    repo.files = {"Tiny-Tune-UD-Q4_K_XL.gguf": repo.files[Q4], "Tiny-Tune-wrong-Q6_K.gguf": repo.files[Q8]}
    cli("catalog", "refresh", "tiny-tune")
    labels = {row["file"]: row["quantization"] for row in written(overlay)["file"]}
    assert labels == {"Tiny-Tune-UD-Q4_K_XL.gguf": "UD-Q4_K_XL", "Tiny-Tune-wrong-Q6_K.gguf": "Q8_0"}


def test_the_token_goes_to_the_hub_and_nowhere_else(
    cli: Cli, hub: HubServer, overlay: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.gated = True
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 0
    assert {a.headers.get("authorization") for a in hub.requests("hub")} == {"Bearer hf_good"}
    assert {a.headers.get("authorization") for a in hub.requests("store")} == {None}
    assert "hf_good" not in found.out + found.err
    assert "secret-of-the-store" not in found.out + found.err
    assert all("hf_good" not in (overlay / name).read_text("utf-8") for name in left_behind(overlay))


def test_a_renamed_repository_is_followed(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    hub.repos = {"example/New-Name-GGUF": Repo("example/New-Name-GGUF", repo.files)}
    hub.moved = {REPO: "example/New-Name-GGUF"}
    assert cli("catalog", "refresh", "tiny-tune").code == 0
    assert len(written(overlay)["file"]) == 2


def test_a_gated_repository_says_what_to_accept_and_how_to_log_in(
    cli: Cli, hub: HubServer, overlay: Path, repo: Repo
) -> None:
    repo.gated = True
    found = cli("catalog", "refresh", "tiny-tune")
    assert_fails_cleanly(found, overlay, "is gated", "401", f"{hub.url}/{REPO}", "hf auth login", "HF_TOKEN")
    assert len(hub.requests("hub", "*/resolve/*")) == 1


def test_a_token_without_access_is_told_from_no_token(
    cli: Cli, hub: HubServer, overlay: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.gated = True
    monkeypatch.setenv("HF_TOKEN", "hf_poor")
    found = cli("catalog", "refresh", "tiny-tune")
    assert_fails_cleanly(found, overlay, "is gated", "403", "account has no access")
    assert "hf_poor" not in found.err


def test_a_token_that_is_not_valid_is_named_as_that(
    cli: Cli, hub: HubServer, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_forged")
    found = cli("catalog", "refresh", "tiny-tune")
    assert_fails_cleanly(found, overlay, "to this token", "401", "hf auth login")
    assert "hf_forged" not in found.out + found.err


def test_a_private_repository_may_need_a_login(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    repo.private = True
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "does not exist or needs a login", "401")


def test_a_repository_that_is_gone_is_a_404(
    cli: Cli, hub: HubServer, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos = {}
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "is not on the Hub", "404", "renamed")


@pytest.mark.parametrize("path", [API, f"/{REPO}/resolve/*"])
def test_a_busy_hub_is_asked_again_after_what_it_says(cli: Cli, hub: HubServer, overlay: Path, path: str) -> None:
    hub.script(path, too_many("0"), too_many("1"))
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 0
    assert "waiting 1 s" in found.err
    assert len(written(overlay)["file"]) == 2


@pytest.mark.parametrize("path", [API, f"/{REPO}/resolve/*"])
def test_nobody_waits_for_ten_minutes(cli: Cli, hub: HubServer, overlay: Path, path: str) -> None:
    hub.script(path, too_many("600"))
    found = cli("catalog", "refresh", "tiny-tune")
    assert_fails_cleanly(found, overlay, "429 Too Many Requests", "asks to wait 600 s", "logged in")
    assert len(hub.requests("hub", path)) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_hub_that_keeps_failing_is_a_network_error(cli: Cli, hub: HubServer, overlay: Path, status: int) -> None:
    hub.script(API, *[Answer(status, b"<html>oops</html>", {"Retry-After": "0"})] * 9)
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, f"{status} ", "fails at")
    assert len(hub.requests("hub", API)) == 4


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1, 2]", b'"text"', b"{}", b'{"id": "a/b"}', b'{"id": "a/b", "siblings": [{"size": 1}]}']
)
def test_an_answer_that_is_no_description_is_refused(cli: Cli, hub: HubServer, overlay: Path, body: bytes) -> None:
    hub.script(API, Answer(200, body, {"Content-Type": "application/json"}))
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "the Hub's answer", "cannot be used")


def test_a_list_that_ends_early_is_refused(cli: Cli, hub: HubServer, overlay: Path) -> None:
    hub.script(API, Truncated(100))
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "ended early")


def test_a_header_that_ends_early_is_refused(cli: Cli, hub: HubServer, overlay: Path) -> None:
    hub.script("/lfs/*", Truncated(100), host="store")
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "bytes early")


@pytest.mark.parametrize("path", [API, f"/{REPO}/resolve/*"])
def test_silence_is_told_after_the_time_limit(
    cli: Cli, hub: HubServer, overlay: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.opening.TIMEOUT_S", 0.3)
    monkeypatch.setattr("advisor.gguf.remote.TIMEOUT_S", 0.3)
    hub.script(path, Silence())
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "cannot be reached")


def test_a_hub_that_hangs_up_is_a_network_error(cli: Cli, hub: HubServer, overlay: Path) -> None:
    hub.script(API, Hangup())
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay)


def test_a_file_that_is_no_gguf_is_named(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    repo.files = {Q4: b"<!DOCTYPE html>" + bytes(100)}
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, Q4, "web page")


def test_a_broken_file_does_not_keep_the_others_back(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    repo.files[Q4] = b"GGUF but no more"
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 5
    assert Q4 in found.err.splitlines()[-1]
    assert [row["file"] for row in written(overlay)["file"]] == [Q8]


def test_a_repository_without_gguf_files_is_told(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    repo.files = {"README.md": b"moved"}
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "holds no GGUF files", "gguf_repos")


def test_a_repository_that_the_hub_fails_at_does_not_keep_others_back(
    cli: Cli, hub: HubServer, overlay: Path, repo: Repo
) -> None:
    entry = overlay / "models/mine.toml"
    text = entry.read_text("utf-8").replace(f'["{REPO}"]', f'["example/Broken-GGUF", "{REPO}"]')
    entry.write_text(text, "utf-8")
    hub.script("/api/models/example/Broken-GGUF", *[Answer(500, b"", {"Retry-After": "0"})] * 4)
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 5
    assert "the Hub fails at example/Broken-GGUF" in found.err.splitlines()[-1]
    assert len(written(overlay)["file"]) == 2


def test_what_was_read_before_a_failure_is_kept_and_said(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    hub.script(f"/{REPO}/resolve/{COMMIT}/{Q8}", Answer(404, b"", {"X-Error-Code": "EntryNotFound"}))
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 5
    assert f"kept: {overlay / 'gguf/tiny-tune.toml'}" in found.err
    assert [row["file"] for row in written(overlay)["file"]] == [Q4]


def test_a_failure_leaves_what_an_earlier_refresh_found(cli: Cli, hub: HubServer, overlay: Path) -> None:
    cli("catalog", "refresh", "tiny-tune")
    before = (overlay / "gguf/tiny-tune.toml").read_bytes()
    hub.script(API, Answer(404))
    assert cli("catalog", "refresh", "tiny-tune").code == 5
    assert (overlay / "gguf/tiny-tune.toml").read_bytes() == before


def test_other_repositories_are_asked_after_one_failed(cli: Cli, hub: HubServer, overlay: Path, repo: Repo) -> None:
    entry = overlay / "models/mine.toml"
    text = entry.read_text("utf-8").replace(f'["{REPO}"]', f'["example/Gone-GGUF", "{REPO}", "example/Gone-Too"]')
    entry.write_text(text, "utf-8")
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 5
    assert "2 of 3 repositories could not be refreshed" in found.err.splitlines()[-1]
    assert len([line for line in found.err.splitlines() if "does not exist or needs a login" in line]) == 2
    assert len(written(overlay)["file"]) == 2


def test_after_no_answer_at_all_nothing_else_is_asked(cli: Cli, hub: HubServer, overlay: Path) -> None:
    hub.script("/api/models/*", *[too_many("999")] * 5)
    found = cli("catalog", "refresh", "llama-3.1-8b-instruct", "tiny-tune", "--json")
    assert found.code == 5
    assert found.document["repositories"] == 1
    assert found.document["not_asked"] > 1
    assert left_behind(overlay) == ["models/mine.toml"]


def test_a_closed_port_is_told(cli: Cli, hub: HubServer, overlay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    found = cli("catalog", "refresh", "tiny-tune")
    assert_fails_cleanly(found, overlay, "http://127.0.0.1:9 cannot be reached", "refused")


def test_offline_is_named_as_such_and_nothing_is_asked(
    cli: Cli, hub: HubServer, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert_fails_cleanly(cli("catalog", "refresh", "tiny-tune"), overlay, "HF_HUB_OFFLINE is set")
    assert hub.asked == []


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [("huggingface.co", "no web address"), ("https://me:secret@hub.example", "carries a password")],
)
def test_an_endpoint_that_cannot_be_used_is_invalid_input(
    cli: Cli, hub: HubServer, monkeypatch: pytest.MonkeyPatch, endpoint: str, words: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 2
    assert words in found.err
    assert "secret" not in found.err


def test_a_model_without_a_repository_says_what_to_add(cli: Cli, hub: HubServer) -> None:
    found = cli("catalog", "refresh", "mistral-large-4-1t-a52b")
    assert found.code == 2
    assert "gguf_repos" in found.err
    assert cli("catalog", "refresh", "no-such-model").code == 2


def test_a_list_of_ones_own_that_is_broken_is_replaced(cli: Cli, hub: HubServer, overlay: Path) -> None:
    path = overlay / "gguf/tiny-tune.toml"
    path.parent.mkdir()
    path.write_text('model = "tiny-tune"', "utf-8")
    found = cli("catalog", "refresh", "tiny-tune")
    assert found.code == 0
    assert "It is replaced." in found.err
    assert len(written(overlay)["file"]) == 2


def test_the_real_program_refreshes_too(hub: HubServer, overlay: Path) -> None:
    env = {**os.environ, "HF_TOKEN": "hf_good"}
    found = as_process("catalog", "refresh", "tiny-tune", env=env)
    assert found.code == 0
    assert len(written(overlay)["file"]) == 2
    assert "hf_good" not in found.out + found.err
