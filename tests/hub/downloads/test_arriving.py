"""`download`: what arrives, where it lies, and how it goes on after broken connections."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from advisor.domain.blueprint import MetadataValue
from advisor.gguf.writer import write_sparse
from tests.cli.running import SHORT, Cli
from tests.gguf.making import llama_blueprint
from tests.gguf.test_split import write_parts
from tests.hub.conftest import REPO
from tests.hub.fetching import (
    ASK,
    Q4,
    SMOL_ENTRY,
    SMOL_FILE,
    SMOL_REPO,
    STORE,
    Disk,
    assert_fails_cleanly,
    content,
)
from tests.hub.server import HubServer, Repo
from tests.hub.server_faults import Hangup, Slow, Truncated, Unranged


def test_smollm2_arrives_whole_over_three_interruptions_and_smoke_runs_it(
    cli: Cli, smollm2: Path, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    (config / "models").mkdir(parents=True)
    (config / "models/mine.toml").write_text(SMOL_ENTRY, "utf-8")
    smol = Repo(SMOL_REPO, {SMOL_FILE: smollm2})
    with HubServer(smol) as hub, _asking(hub, config, monkeypatch):
        assert cli("catalog", "refresh", "smollm2-135m-instruct").code == 0
        hub.asked.clear()
        # Cut at 1, 20 and 33 MB, each counted from where the connection before it stopped.
        hub.script(STORE, Truncated(1_000_000), Truncated(20_000_000), Truncated(33_000_001), host="store")
        found = cli("download", "smollm2-135m-instruct", "--quant", "Q4_1", "--json")
        assert found.code == 0
        assert found.document["status"] == "downloaded"
        assert found.document["received_bytes"] == smollm2.stat().st_size
        assert disk.holds(smol, SMOL_FILE)
        ranges = [a.headers["range"] for a in hub.requests("store", STORE)]
        assert [r.split("=")[1].split("-")[0] for r in ranges] == ["0", "1000000", "21000000", "54000001"]
        assert found.err.count("the connection broke") == 3
    files = cli("files", "--json").document["files"]
    assert [(f["match"]["model"], f["match"]["evidence"]) for f in files] == [("smollm2-135m-instruct", "hash")]
    smoked = cli("smoke", "smollm2-135m-instruct", "--quant", "Q4_1", "--json", *SHORT)
    assert smoked.document["file"] == found.document["paths"][0], smoked.err


@contextmanager
def _asking(hub: HubServer, config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(config))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    yield


def test_huggingface_hub_itself_finds_what_was_downloaded(cli: Cli, listed: HubServer, disk: Disk, repo: Repo) -> None:
    from huggingface_hub import hf_hub_download, scan_cache_dir, try_to_load_from_cache

    assert cli(*ASK).code == 0
    cache = disk.home / "hub"
    assert try_to_load_from_cache(REPO, Q4, cache_dir=cache) == str(disk.named(repo, Q4))
    assert hf_hub_download(REPO, Q4, cache_dir=cache, local_files_only=True) == str(disk.named(repo, Q4))
    (cached,) = scan_cache_dir(cache).repos
    assert (cached.repo_id, cached.size_on_disk) == (REPO, len(content(repo)))
    assert scan_cache_dir(cache).warnings == []


def test_a_dry_run_tells_size_and_place_and_fetches_nothing(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo
) -> None:
    found = cli(*ASK, "--dry-run", "--json")
    assert found.code == 0
    assert found.document["status"] == "planned"
    assert found.document["n_bytes"] == len(content(repo))
    assert found.document["files"][0]["sha256"] == repo.sha256(Q4)
    assert found.document["free_bytes"] > 0
    assert listed.requests("store") == []
    assert not disk.home.exists()


def test_a_file_that_is_here_is_not_fetched_again_and_the_hub_is_not_asked(
    cli: Cli, listed: HubServer, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = listed.repos[REPO]
    repo.files[Q4] = _with_tokenizer(repo)
    cli("catalog", "refresh", "tiny-tune")
    assert cli(*ASK).code == 0
    listed.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = cli(*ASK, "--json")
    assert again.code == 0
    assert again.document["status"] == "already here"
    assert again.document["paths"] == [str(disk.named(repo, Q4))]
    assert listed.asked == []


def _with_tokenizer(repo: Repo) -> Path:
    made = llama_blueprint()
    path = Path(os.environ["LLM_ADVISOR_CACHE_DIR"]) / "with-tokenizer.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    extra: dict[str, MetadataValue] = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": tuple(f"t{i}" for i in range(512)),
    }
    write_sparse(type(made)({**made.metadata, **extra}, made.tensors), path)
    return path


def test_into_a_folder_it_keeps_its_name_and_is_found_there_later(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    assert cli(*ASK, "--to", folder).code == 0
    assert [p.name for p in folder.iterdir()] == [Q4]
    assert (folder / Q4).read_bytes() == content(repo)
    (file,) = cli("files", "--json").document["files"]
    assert (file["path"], file["hash_basis"]) == (str(folder / Q4), "computed")
    again = cli(*ASK, "--to", folder, "--json")
    assert again.document["received_bytes"] == 0
    (folder / Q4).write_bytes(b"something else")
    refused = cli(*ASK, "--to", folder)
    assert refused.code == 2
    assert "is another file" in refused.err
    assert (folder / Q4).read_bytes() == b"something else"


def test_split_files_come_with_all_their_parts(
    cli: Cli, hub: HubServer, disk: Disk, tmp_path: Path, repo: Repo
) -> None:
    whole = llama_blueprint()
    write_parts(tmp_path, whole, 3)
    parts = sorted(tmp_path.glob("*-of-00003.gguf"))
    repo.files = {f"Q4_0/{p.name}": p.read_bytes() for p in parts}
    assert cli("catalog", "refresh", "tiny-tune").code == 0
    hub.script(STORE, Truncated(100), host="store")
    found = cli(*ASK, "--json")
    assert found.code == 0, found.err
    assert len(found.document["paths"]) == 3
    assert all(disk.holds(repo, name) for name in repo.files)
    (file,) = cli("files", "--json").document["files"]
    assert (file["n_parts"], file["match"]["model"]) == (3, "tiny-tune")
    assert file["tensor_bytes"] == whole.tensor_bytes


def test_another_repository_can_be_named(cli: Cli, hub: HubServer, disk: Disk, repo: Repo) -> None:
    found = cli(*ASK, "--repo", REPO)
    assert found.code == 0
    assert "as the Hub states it" in found.out
    assert disk.holds(repo, Q4)


def test_a_large_file_is_asked_for_in_pieces(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.transfer.PIECE_BYTES", 400_000)
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)
    ranges = [a.headers["range"] for a in listed.requests("store", STORE)]
    assert ranges[:2] == ["bytes=0-399999", "bytes=400000-799999"]
    assert len(ranges) == -(-len(content(repo)) // 400_000)


def test_a_server_that_sends_the_whole_file_for_every_piece_is_asked_once(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.transfer.PIECE_BYTES", 400_000)
    listed.script(STORE, *[Unranged()] * 4, host="store")
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)
    assert len(listed.requests("store", STORE)) == 1


@pytest.mark.parametrize("offset", [1, 4096, 65_536, 1_000_000])
def test_a_break_at_any_offset_is_gone_on_from(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, offset: int
) -> None:
    listed.script(STORE, Truncated(offset), Truncated(offset // 2), Hangup(), host="store")
    found = cli(*ASK, "--json")
    assert found.code == 0, found.err
    assert disk.holds(repo, Q4)
    assert found.document["received_bytes"] == len(content(repo))


def test_a_server_without_ranges_starts_the_file_anew(cli: Cli, listed: HubServer, disk: Disk, repo: Repo) -> None:
    listed.script(STORE, Truncated(500_000), Unranged(), host="store")
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)


def test_connections_that_bring_nothing_end_it_and_what_came_is_kept(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, no_pauses: list[float]
) -> None:
    listed.script(STORE, Truncated(300_000), *[Hangup()] * 9, host="store")
    found = cli(*ASK)
    assert_fails_cleanly(found, disk, 5, "broke off", "5 connections in a row", "293.0 KiB are kept", "same command")
    assert disk.partial(repo, Q4).stat().st_size == 300_000
    assert no_pauses == sorted(no_pauses)
    listed.forgive()
    again = cli(*ASK, "--json")
    assert again.code == 0
    assert again.document["received_bytes"] == len(content(repo)) - 300_000
    assert disk.holds(repo, Q4)


def test_silence_in_the_middle_is_a_break_after_the_time_limit(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.transfer.TIMEOUT_S", 0.3)
    listed.script(STORE, Slow(5.0, 10_000), host="store")
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)
    assert len(listed.requests("store", STORE)) == 2


def test_a_trickle_is_given_up_although_it_never_falls_silent(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.transfer.STALL_S", 0.3)
    listed.script(STORE, *[Slow(0.02, 1)] * 5, host="store")
    found = cli(*ASK)
    assert_fails_cleanly(found, disk, 5, "broke off", "bytes in 0 s")
    assert 0 < disk.partial(repo, Q4).stat().st_size < 1000
