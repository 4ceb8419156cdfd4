"""`download` against a server that speaks the Hub's API, with everything that can go wrong on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from advisor.domain.blueprint import MetadataValue
from advisor.domain.transfer import Transfer
from advisor.domain.upkeep.files import ListedFile
from advisor.errors import InputError, NetworkError
from advisor.gguf.writer import write_sparse
from advisor.hub.shelf import CacheShelf
from advisor.local_files.downloading import Meter, missing_bytes
from advisor.local_files.planning import DownloadPlan
from advisor.service import Advisor, DownloadRequest
from tests.cli.running import Cli, Outcome, as_process
from tests.gguf.making import llama_blueprint
from tests.gguf.test_split import write_parts
from tests.hub.conftest import REPO
from tests.hub.fetching import SMOL_ENTRY, SMOL_FILE, SMOL_REPO, Disk, mini_gguf
from tests.hub.server import (
    COMMIT,
    Answer,
    Corrupt,
    Fault,
    Hangup,
    HubServer,
    Repo,
    Silence,
    Slow,
    Truncated,
    Unranged,
    too_many,
)

Q4 = "Tiny-Tune-Q4_0.gguf"
ASK = ("download", "tiny-tune", "--quant", "Q4_0")
STORE = "/lfs/*"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A Hugging Face cache, caches and state of the test's own."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LLM_ADVISOR_STATE_DIR", str(tmp_path / "state"))
    return Disk(tmp_path / "hf")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(REPO, {"README.md": b"# Tiny Tune", Q4: mini_gguf(tmp_path)})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between connections are noted, not waited for; a cancellation still ends them."""
    pauses: list[float] = []

    def pause(meter: Meter, seconds: float) -> None:
        pauses.append(seconds)
        meter.stop_if_cancelled()

    monkeypatch.setattr("advisor.local_files.downloading.Meter.pause", pause)
    return pauses


@pytest.fixture
def listed(cli: Cli, hub: HubServer, disk: Disk, repo: Repo) -> HubServer:
    """The Hub, after the catalogue learned what it lists."""
    assert cli("catalog", "refresh", "tiny-tune").code == 0
    hub.asked.clear()
    return hub


def content(repo: Repo, file: str = Q4) -> bytes:
    found = repo.files[file]
    assert isinstance(found, bytes)
    return found


def assert_fails_cleanly(found: Outcome, disk: Disk, code: int, *words: str) -> None:
    """One line says it, and nothing on the disk looks like a whole file."""
    assert found.code == code, found.err
    last = found.err.splitlines()[-1]
    assert last.startswith("llm-advisor: ")
    for word in words:
        assert word in last
    assert "Traceback" not in found.err
    assert disk.ggufs() == []


# -------------------------------------------------------------------- the real thing


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
    smoked = cli("smoke", "smollm2-135m-instruct", "--quant", "Q4_1", "--json")
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


# -------------------------------------------------------------------- broken connections


def test_a_large_file_is_asked_for_in_pieces(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.transfer.PIECE_BYTES", 400_000)
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)
    ranges = [a.headers["range"] for a in listed.requests("store", STORE)]
    assert ranges[:2] == ["bytes=0-399999", "bytes=400000-799999"]
    assert len(ranges) == -(-len(content(repo)) // 400_000)


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


# -------------------------------------------------------------------- wrong content


def test_a_wrong_hash_never_looks_whole_and_is_deleted(cli: Cli, listed: HubServer, disk: Disk, repo: Repo) -> None:
    listed.script(STORE, Corrupt(), host="store")
    assert_fails_cleanly(cli(*ASK), disk, 5, "is not the published file and was deleted", repo.sha256(Q4)[:12])
    assert not disk.partial(repo, Q4).exists()
    assert not (disk.repo(REPO) / "blobs" / repo.sha256(Q4)).exists()
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)


def test_a_partial_file_that_was_damaged_on_the_disk_is_found_out(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo
) -> None:
    partial = disk.partial(repo, Q4)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(200_000))
    assert_fails_cleanly(cli(*ASK), disk, 5, "is not the published file")
    partial.write_bytes(content(repo) + b"too long")
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)


def test_a_file_that_was_replaced_on_the_hub_is_not_taken_for_the_catalogues(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, tmp_path: Path
) -> None:
    repo.files[Q4] = mini_gguf(tmp_path, seed=2)
    assert_fails_cleanly(cli(*ASK), disk, 5, "was replaced", "catalog refresh tiny-tune")
    assert listed.requests("store") == []


def test_another_length_than_listed_is_refused(cli: Cli, listed: HubServer, disk: Disk, repo: Repo) -> None:
    listed.script(STORE, Answer(200, b"short"), host="store")
    assert_fails_cleanly(cli(*ASK), disk, 5, "cannot be used")


@pytest.mark.parametrize("name", ["../../evil-Q4_0.gguf", "a/../../x-Q4_0.gguf", "/tmp/x-Q4_0.gguf", "a\\b-Q4_0.gguf"])
def test_a_name_of_the_hub_never_leads_out_of_the_folder(
    cli: Cli, hub: HubServer, disk: Disk, repo: Repo, tmp_path: Path, name: str
) -> None:
    repo.files = {name: mini_gguf(tmp_path)}
    before = sorted(p for p in tmp_path.rglob("*") if p.suffix == ".gguf")
    for to in ((), ("--to", tmp_path / "mine")):
        found = cli(*ASK, "--repo", REPO, *to)
        assert found.code == 5
        assert "cannot be used" in found.err
    assert sorted(p for p in tmp_path.rglob("*") if p.suffix == ".gguf") == before


# -------------------------------------------------------------------- refusals


def test_the_token_goes_to_the_hub_and_never_to_where_it_redirects(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.gated = True
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    listed.script(STORE, Truncated(100_000), host="store")
    found = cli(*ASK)
    assert found.code == 0
    assert {a.headers.get("authorization") for a in listed.requests("hub")} == {"Bearer hf_good"}
    assert len(listed.requests("store", STORE)) == 2
    assert {a.headers.get("authorization") for a in listed.requests("store")} == {None}
    assert "hf_good" not in found.out + found.err
    assert "secret-of-the-store" not in found.out + found.err


def test_an_unencrypted_redirect_is_not_followed(cli: Cli, listed: HubServer, disk: Disk) -> None:
    listed.script(f"/{REPO}/resolve/*", Answer(302, b"", {"Location": "http://192.0.2.1/model.gguf"}))
    assert_fails_cleanly(cli(*ASK), disk, 5, "not encrypted")


def test_an_unencrypted_hub_is_refused_before_anything_is_sent(
    cli: Cli, listed: HubServer, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
    assert_fails_cleanly(cli(*ASK), disk, 2, "HF_ENDPOINT http://hub.example is not encrypted", "https")


def test_a_gated_repository_says_what_to_accept_and_how_to_log_in(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.gated = True
    words = ("is gated", f"{listed.url}/{REPO}")
    assert_fails_cleanly(cli(*ASK), disk, 5, *words, "401", "hf auth login", "HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN", "hf_poor")
    found = cli(*ASK)
    assert_fails_cleanly(found, disk, 5, *words, "403", "account has no access")
    assert "hf_poor" not in found.err
    assert listed.requests("store") == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "needs a login"),
        (403, "needs a login"),
        (404, "is not on the Hub"),
        (410, "cannot be read"),
    ],
)
def test_refusals_of_the_file_are_told_at_once(
    cli: Cli, listed: HubServer, disk: Disk, status: int, words: str
) -> None:
    listed.script(f"/{REPO}/resolve/*", Answer(status))
    assert_fails_cleanly(cli(*ASK), disk, 5, words, str(status))
    assert len(listed.requests("hub", f"/{REPO}/resolve/*")) == 1


@pytest.mark.parametrize("where", [("hub", f"/{REPO}/resolve/*"), ("store", STORE), ("hub", f"/api/models/{REPO}")])
def test_a_limit_is_waited_for_as_long_as_the_server_says(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, where: tuple[str, str], no_pauses: list[float]
) -> None:
    listed.script(where[1], too_many("0"), too_many("1"), host=where[0])
    found = cli(*ASK)
    assert found.code == 0, found.err
    assert "waiting 1 s" in found.err
    assert disk.holds(repo, Q4)


def test_nobody_waits_for_ten_minutes(cli: Cli, listed: HubServer, disk: Disk) -> None:
    listed.script(f"/{REPO}/resolve/*", too_many("600"))
    assert_fails_cleanly(cli(*ASK), disk, 5, "429 Too Many Requests", "asks to wait 600 s")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_that_keeps_failing_is_a_network_error(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, status: int
) -> None:
    faults: list[Fault] = [Truncated(200_000), *[Answer(status)] * 4]
    listed.script(STORE, *faults, host="store")
    assert_fails_cleanly(cli(*ASK), disk, 5, f"{status} ", "fails at")
    assert disk.partial(repo, Q4).stat().st_size == 200_000
    assert cli(*ASK).code == 0
    assert disk.holds(repo, Q4)


def test_offline_is_named_as_such(cli: Cli, listed: HubServer, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert_fails_cleanly(cli(*ASK), disk, 5, "HF_HUB_OFFLINE is set")
    assert listed.asked == []


def test_a_closed_port_is_told(cli: Cli, listed: HubServer, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert_fails_cleanly(cli(*ASK), disk, 5, "http://127.0.0.1:9 cannot be reached")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("download", "tiny-tone"), "Did you mean 'tiny-tune'?"),
        (("download", "tiny-tune", "--quant", "Q5_0"), "the catalogue lists no Q5_0 of tiny-tune: it has Q4_0"),
        (("download", "tiny-tune", "--quant", "Q5_0", "--repo", REPO), f"{REPO} has no Q5_0: it has Q4_0"),
        (("download", "mistral-large-4-1t-a52b"), "--repo"),
        ((*ASK, "--to", __file__), "is no folder"),
        ((*ASK, "--to", "/dev/null/here"), "/dev/null/here"),
    ],
)
def test_what_cannot_be_downloaded_is_invalid_input(
    cli: Cli, listed: HubServer, disk: Disk, arguments: tuple[str, ...], words: str
) -> None:
    assert_fails_cleanly(cli(*arguments), disk, 2, words)


# -------------------------------------------------------------------- the disk


def test_too_little_disk_space_is_told_with_numbers_before_anything_is_fetched(
    cli: Cli, listed: HubServer, disk: Disk, small_disk: Path
) -> None:
    found = cli(*ASK, "--to", small_disk)
    assert_fails_cleanly(found, disk, 2, "not enough disk space", "1 MiB are still to come", "are free", "--to")
    assert listed.requests("store") == []
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_keeps_what_came_and_goes_on_later(
    cli: Cli, listed: HubServer, disk: Disk, repo: Repo, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The space was there when it was looked at.
    monkeypatch.setattr("advisor.local_files.downloading.check_room", lambda *_: None)
    found = cli(*ASK, "--to", small_disk)
    assert_fails_cleanly(found, disk, 2, f"the disk of {small_disk} is full", "is kept")
    (partial,) = small_disk.iterdir()
    assert partial.name == f"{Q4}.incomplete"
    assert 0 < partial.stat().st_size < len(content(repo))
    assert content(repo).startswith(partial.read_bytes())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for half of the file."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs privileges")
    yield folder
    subprocess.run(["umount", folder], check=True)


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
from advisor.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are a thing of Unix")
def test_a_limit_of_file_size_is_a_full_disk_too(listed: HubServer, disk: Disk, repo: Repo) -> None:
    command = [sys.executable, "-c", _LIMITED, *ASK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert_fails_cleanly(Outcome(done.returncode, done.stdout, done.stderr), disk, 2, "is full", "is kept")
    assert disk.partial(repo, Q4).stat().st_size == 400_000
    found = as_process(*ASK, "--json")
    assert found.code == 0
    assert found.document["received_bytes"] == len(content(repo)) - 400_000
    assert disk.holds(repo, Q4)


# -------------------------------------------------------------------- killed, cancelled, twice


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_killed_or_interrupted_download_goes_on_in_a_new_process(
    listed: HubServer, disk: Disk, repo: Repo, sent: signal.Signals, code: int
) -> None:
    listed.script(STORE, Slow(0.02, 20_000), host="store")
    command = [sys.executable, "-m", "advisor", *ASK]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    partial = disk.partial(repo, Q4)
    _wait_for(lambda: partial.exists() and partial.stat().st_size > 100_000)
    process.send_signal(sent)
    assert process.wait(timeout=30) == code
    here = partial.stat().st_size
    assert 100_000 < here < len(content(repo))
    assert disk.ggufs() == []
    found = as_process(*ASK, "--json")
    assert found.code == 0
    assert found.document["received_bytes"] == len(content(repo)) - here
    assert disk.holds(repo, Q4)


def test_two_downloads_of_one_file_share_one_transfer(listed: HubServer, disk: Disk, repo: Repo) -> None:
    listed.script(STORE, Slow(0.02, 40_000), host="store")
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(as_process(*ASK, "--json"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [o.code for o in outcomes] == [0, 0], [o.err for o in outcomes]
    assert sorted(o.document["received_bytes"] for o in outcomes) == [0, len(content(repo))]
    assert any("another download of this file is running" in o.err for o in outcomes)
    assert len(listed.requests("store", STORE)) == 1
    assert disk.holds(repo, Q4)


@pytest.mark.parametrize("fault", [Silence(15.0), Slow(15.0)])
def test_a_cancellation_waits_for_no_answer_and_no_byte(
    listed: HubServer, disk: Disk, repo: Repo, fault: Fault
) -> None:
    listed.script(STORE, fault, host="store")
    cancel = threading.Event()

    def stop_once_held() -> None:
        _wait_for(lambda: listed.n_held == 1)
        cancel.set()

    waiter = threading.Thread(target=stop_once_held)
    waiter.start()
    with pytest.raises(NetworkError, match="was cancelled"):
        Advisor().download("tiny-tune", DownloadRequest("Q4_0"), cancel=cancel)
    assert listed.n_held == 1  # the server is still keeping it back
    waiter.join()
    assert disk.ggufs() == []


def test_a_cancellation_keeps_what_came(listed: HubServer, disk: Disk, repo: Repo) -> None:
    listed.script(STORE, Slow(0.02, 10_000), host="store")
    cancel = threading.Event()

    def stop_at_half(now: Transfer) -> None:
        if now.share > 0.4:
            cancel.set()

    with pytest.raises(NetworkError, match="was cancelled"):
        Advisor().download("tiny-tune", DownloadRequest("Q4_0"), on_event=stop_at_half, cancel=cancel)
    here = disk.partial(repo, Q4).stat().st_size
    assert 0.4 * len(content(repo)) < here < len(content(repo))
    assert disk.ggufs() == []
    done = Advisor().download("tiny-tune", DownloadRequest("Q4_0"))
    assert done.downloaded is not None
    assert done.downloaded.n_received == len(content(repo)) - here
    assert disk.holds(repo, Q4)


def test_events_tell_bytes_rate_and_time_left(
    listed: HubServer, disk: Disk, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.domain.transfer.STEADY_S", 0.1)
    listed.script(STORE, Slow(0.02, 30_000), host="store")
    events: list[Transfer] = []
    Advisor().download("tiny-tune", DownloadRequest("Q4_0"), on_event=events.append)
    received = [e for e in events if e.stage == "receive"]
    assert [e.done_bytes for e in received] == sorted(e.done_bytes for e in received)
    assert {e.total_bytes for e in events} == {len(content(repo))}
    told = [e for e in received if e.bytes_per_s]
    assert told
    assert all(e.bytes_per_s and e.bytes_per_s < 30_000 / 0.02 * 1.5 for e in told)
    assert all(e.seconds_left is not None and e.seconds_left >= 0 for e in told)
    assert events[-1].stage == "done"
    assert events[-1].share == 1.0


def _wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_size_check_counts_what_an_earlier_run_left(listed: HubServer, disk: Disk, repo: Repo) -> None:
    part = ListedFile(Q4, len(content(repo)), repo.sha256(Q4))
    plan = DownloadPlan("tiny-tune", "Q4_0", REPO, COMMIT, (part,), True)
    spots = [CacheShelf(REPO, COMMIT).spot(Q4, repo.sha256(Q4))]
    assert missing_bytes(plan, spots) == len(content(repo))
    spots[0].partial.parent.mkdir(parents=True)
    spots[0].partial.write_bytes(content(repo)[:1000])
    assert missing_bytes(plan, spots) == len(content(repo)) - 1000


def test_errors_of_the_service_are_those_of_its_kind(listed: HubServer, disk: Disk, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lists no Q9"):
        Advisor().download("tiny-tune", DownloadRequest("Q9"))
    assert not disk.home.exists()
