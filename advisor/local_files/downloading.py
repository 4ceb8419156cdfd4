"""A download put together: what is to come, whether there is room for it, and its parts one after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advisor.domain.local_files import DownloadRequest
from advisor.domain.model import GgufFile, Model
from advisor.domain.transfer import Rate, Stage, Transfer
from advisor.errors import InputError, NetworkError
from advisor.files import is_folder, is_there
from advisor.hub.access import HubAccess
from advisor.hub.destination import CacheDestination, Destination, FilePaths, FolderDestination
from advisor.hub.listing import list_repository
from advisor.hub.opening import HubOpener, file_url
from advisor.hub.retry import RetryPolicy
from advisor.hub.transfer import Source, fetch
from advisor.local_files.planning import DownloadPlan, plan_download
from advisor.probe.disk import read_disk_free
from advisor.units import format_bytes

OnTransfer = Callable[[Transfer], None]
_EVENT_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The outcome."""

    plan: DownloadPlan
    paths: tuple[Path, ...]
    """One a part, in order."""
    n_received: int
    """Bytes that came over the network now, repetitions included; 0 where all was there."""
    seconds: float


def cancelled() -> NetworkError:
    """The error that ends a download when somebody asked for that."""
    hint = "What has arrived is kept: run the same command again to go on."
    return NetworkError("the download was cancelled", hint=hint)


class Meter:
    """Follows all parts of a download: counts, tells, and stops when cancelled."""

    def __init__(self, plan: DownloadPlan, on_event: OnTransfer | None, cancel: threading.Event | None) -> None:
        self._plan = plan
        self._on_event = on_event
        self.cancel = cancel or threading.Event()
        self._rate = Rate()
        self._done = 0
        self._part = 1
        self._last_s = 0.0
        self.n_received = 0

    def begin(self, part: int) -> None:
        """The next part, from 1; what the parts before it held is done."""
        self._part = part
        self._done = sum(p.n_bytes or 0 for p in self._plan.parts[: part - 1])

    def checked(self, n_bytes: int) -> None:
        self.stop_if_cancelled()
        self._done += n_bytes
        self._tell("check")

    def received(self, n_bytes: int) -> None:
        self._done += n_bytes
        self.n_received += max(0, n_bytes)
        self._rate.note(time.monotonic(), self.n_received)
        self._tell("receive")

    def waiting(self, text: str) -> None:
        self._tell("wait", text)

    def done(self) -> None:
        self._done = self._plan.n_bytes
        self._last_s = 0.0
        self._tell("done")

    def pause(self, seconds: float) -> None:
        self.cancel.wait(seconds)
        self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        if self.cancel.is_set():
            raise cancelled()

    def _tell(self, stage: Stage, text: str | None = None) -> None:
        now = time.monotonic()
        if self._on_event is None or (text is None and now - self._last_s < _EVENT_EVERY_S):
            return
        self._last_s = now
        rate = self._rate.bytes_per_s if stage == "receive" else None
        name, n_parts = self._plan.parts[self._part - 1].name, len(self._plan.parts)
        self._on_event(Transfer(stage, name, self._part, n_parts, self._done, self._plan.n_bytes, rate, text))


def download(
    plan: DownloadPlan,
    destination: Destination,
    access: HubAccess,
    on_event: OnTransfer | None = None,
    cancel: threading.Event | None = None,
) -> Downloaded:
    """Bring all parts to the destination. Raises NetworkError where the network fails or the download was cancelled,
    InputError where the disk has too little room; what has arrived is kept."""
    targets = [destination.paths_of(part.name, str(part.sha256)) for part in plan.parts]
    try:
        check_room(plan, destination, targets)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            f"{destination.folder} cannot be used", why=why, hint="Choose another folder with --to."
        ) from error
    meter = Meter(plan, on_event, cancel)
    retry = RetryPolicy(sleep=meter.pause, on_wait=meter.waiting)
    open_url = HubOpener(access, plan.repo, retry)
    start = time.monotonic()
    for n, (part, target) in enumerate(zip(plan.parts, targets, strict=True), start=1):
        meter.begin(n)
        meter.stop_if_cancelled()
        fetch(Source(plan.repo, file_url(access, plan.repo, part.name, plan.commit), part, open_url), target, meter)
    destination.finish(revision_is_main=True)
    meter.done()
    return Downloaded(plan, tuple(target.path for target in targets), meter.n_received, time.monotonic() - start)


def missing_bytes(plan: DownloadPlan, targets: list[FilePaths]) -> int:
    """What is still to come, partial files of earlier runs counted as there."""
    left = 0
    for part, target in zip(plan.parts, targets, strict=True):
        if not is_there(target.whole) and not is_there(target.path):
            here = target.partial.stat().st_size if is_there(target.partial) else 0
            left += max(0, (part.n_bytes or 0) - here)
    return left


def check_room(plan: DownloadPlan, destination: Destination, targets: list[FilePaths]) -> None:
    """Raise InputError, with numbers, where the disk has not the room for what is still to come."""
    left = missing_bytes(plan, targets)
    free = read_disk_free(destination.folder).value
    if free is not None and free < left:
        raise InputError(
            f"there is not enough disk space in {destination.folder}",
            why=f"{format_bytes(left)} are still to come, {format_bytes(free)} are free",
            hint=f"Make {format_bytes(left - free)} free, or choose another disk with --to.",
        )


def plan_of(
    model: Model,
    row: GgufFile | None,
    request: DownloadRequest,
    access: HubAccess,
    on_event: OnTransfer | None,
    cancel: threading.Event | None,
) -> DownloadPlan:
    """Ask the Hub what it lists and plan the download. Raises NetworkError and InputError as `plan_download` does."""
    repo = row.repo if row is not None else str(request.repo)
    stop = cancel or threading.Event()

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise cancelled()

    def say(text: str) -> None:
        if on_event is not None:
            on_event(Transfer("wait", repo, 1, 1, 0, 0, None, text))

    found = RetryPolicy(sleep=pause, on_wait=say).ask(lambda: list_repository(access, repo))
    return plan_download(model, row, found, request)


def destination_for(plan: DownloadPlan, folder: Path | None, locks: Path) -> Destination:
    """The Hugging Face cache, or the folder that was named."""
    return CacheDestination(plan.repo, plan.commit) if folder is None else FolderDestination(folder, locks)


def check_folder(folder: Path | None) -> None:
    """Raise InputError for a folder that is none."""
    if folder is not None and is_there(folder) and not is_folder(folder):
        raise InputError(f"--to {folder} is no folder", hint="Name a folder; the file keeps its published name.")
