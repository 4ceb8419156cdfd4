"""`download`: wrong content, refusals, and disks without room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Cli, Outcome, as_process
from tests.hub.conftest import REPO
from tests.hub.fetching import (
    ASK,
    Q4,
    STORE,
    Disk,
    assert_fails_cleanly,
    content,
    mini_gguf,
)
from tests.hub.server import HubServer, Repo
from tests.hub.server_faults import Answer, Corrupt, Fault, Truncated, too_many


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


@pytest.mark.parametrize(("code", "part"), [("EntryNotFound", "a file"), ("RevisionNotFound", "a revision")])
def test_a_part_of_a_repository_that_is_missing_is_not_the_repository(
    cli: Cli, listed: HubServer, disk: Disk, code: str, part: str
) -> None:
    listed.script(f"/{REPO}/resolve/*", Answer(404, headers={"X-Error-Code": code}))
    assert_fails_cleanly(cli(*ASK), disk, 5, f"{part} of {REPO} is not on the Hub", "404")


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
