"""`download` killed, cancelled, and run twice at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from advisor.domain.transfer import Transfer
from advisor.domain.upkeep.files import ListedFile
from advisor.errors import InputError, NetworkError
from advisor.hub.destination import CacheDestination
from advisor.local_files.downloading import missing_bytes
from advisor.local_files.planning import DownloadPlan
from advisor.service import Advisor, DownloadRequest
from tests.cli.running import Outcome, as_process
from tests.hub.conftest import REPO
from tests.hub.fetching import (
    ASK,
    Q4,
    STORE,
    Disk,
    content,
    wait_for,
)
from tests.hub.server import COMMIT, HubServer, Repo
from tests.hub.server_faults import Fault, Silence, Slow


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_killed_or_interrupted_download_goes_on_in_a_new_process(
    listed: HubServer, disk: Disk, repo: Repo, sent: signal.Signals, code: int
) -> None:
    listed.script(STORE, Slow(0.02, 20_000), host="store")
    command = [sys.executable, "-m", "advisor", *ASK]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    partial = disk.partial(repo, Q4)
    wait_for(lambda: partial.exists() and partial.stat().st_size > 100_000)
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
        wait_for(lambda: listed.n_held == 1)
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


def test_the_size_check_counts_what_an_earlier_run_left(listed: HubServer, disk: Disk, repo: Repo) -> None:
    part = ListedFile(Q4, len(content(repo)), repo.sha256(Q4))
    plan = DownloadPlan("tiny-tune", "Q4_0", REPO, COMMIT, (part,), True)
    targets = [CacheDestination(REPO, COMMIT).paths_of(Q4, repo.sha256(Q4))]
    assert missing_bytes(plan, targets) == len(content(repo))
    targets[0].partial.parent.mkdir(parents=True)
    targets[0].partial.write_bytes(content(repo)[:1000])
    assert missing_bytes(plan, targets) == len(content(repo)) - 1000


def test_errors_of_the_service_are_those_of_its_kind(listed: HubServer, disk: Disk, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lists no Q9"):
        Advisor().download("tiny-tune", DownloadRequest("Q9"))
    assert not disk.home.exists()
