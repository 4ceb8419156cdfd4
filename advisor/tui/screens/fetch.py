"""Asks whether a file may be downloaded, follows the download, and stops it at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from advisor.domain.local_files import DownloadRequest
from advisor.domain.transfer import Transfer, transfer_text
from advisor.errors import AdvisorError
from advisor.text import printable
from advisor.tui.background import in_background
from advisor.tui.widgets.meter import Meter
from advisor.units import format_bytes

if TYPE_CHECKING:
    from advisor.domain.candidate import Candidate
    from advisor.service import Advisor, DownloadOutcome

_NETWORK = "Nothing is asked of the network before you agree."
_KEPT = "What has arrived is kept: y goes on where it stopped."


class FetchScreen(ModalScreen[None]):
    """One published file. Closing it ends the download; what has arrived waits for the next time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "stop", "Stop or close"),
        Binding("y", "begin", "Download"),
    ]
    AUTO_FOCUS = "#fetch-close"

    @dataclass
    class Moved(Message):
        """The download went on."""

        now: Transfer

    @dataclass
    class Ended(Message):
        """The download is over."""

        outcome: DownloadOutcome | AdvisorError

    def __init__(self, advisor: Advisor, candidate: Candidate) -> None:
        super().__init__()
        self._advisor = advisor
        self._candidate = candidate
        self._cancel = threading.Event()
        self._is_running = False

    def compose(self) -> ComposeResult:
        with Vertical(id="fetch"):
            yield Static(self._question(), markup=False, id="fetch-what")
            yield Meter(id="fetch-share")
            yield Static(_NETWORK, markup=False, id="fetch-state")
            with Horizontal():
                yield Button("Esc: close", id="fetch-close", variant="primary", action="screen.stop", compact=True)
                yield Button("y: download", id="fetch-begin", action="screen.begin", compact=True)

    def on_mount(self) -> None:
        self.query_one(Meter).share = 0.0

    def on_unmount(self) -> None:
        self._cancel.set()

    def _question(self) -> str:
        candidate = self._candidate
        name = f"{candidate.model.name} {candidate.quantization.name}"
        try:
            row = self._advisor.published_file(candidate.model.id, self._request)
        except AdvisorError as error:
            return f"{name}: {error}"
        if row is None:
            return f"Download {name}?"
        size = "size unknown" if row.n_bytes is None else format_bytes(row.n_bytes)
        return f"Download {name} ({size}) from {row.repo} into the Hugging Face cache?"

    @property
    def _request(self) -> DownloadRequest:
        return DownloadRequest(self._candidate.quantization.name)

    # ------------------------------------------------------------ the user

    def action_begin(self) -> None:
        """Start, or go on after a stop or a failure."""
        if self._is_running:
            return
        self._is_running, self._cancel = True, threading.Event()
        self._say("asking the Hub …")
        self.query_one("#fetch-begin", Button).disabled = True
        self.query_one("#fetch-close", Button).label = "Esc: stop"
        cancel = self._cancel
        in_background(self, lambda: self._fetch(cancel), "fetch")

    def action_stop(self) -> None:
        """Stop what runs, or else close."""
        if self._is_running:
            self._cancel.set()
            self._say("stopping …")
        else:
            self.dismiss()

    def _fetch(self, cancel: threading.Event) -> None:
        def tell(now: Transfer) -> None:
            self.post_message(self.Moved(now))

        try:
            found = self._advisor.download(
                self._candidate.model.id,
                self._request,
                on_event=tell,
                cancel=cancel,
            )
        except AdvisorError as error:
            self.post_message(self.Ended(error))
        else:
            self.post_message(self.Ended(found))

    # ------------------------------------------------------------ what comes

    @on(Moved)
    def _moved(self, message: Moved) -> None:
        if self._is_running and not self._cancel.is_set():
            self.query_one(Meter).share = message.now.share
            self._say(printable(transfer_text(message.now)))

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        self._is_running = False
        outcome, begin = message.outcome, self.query_one("#fetch-begin", Button)
        self.query_one("#fetch-close", Button).label = "Esc: close"
        if isinstance(outcome, AdvisorError):
            begin.disabled, begin.label = False, "y: go on"
            self._say(f"stopped. {_KEPT}" if self._cancel.is_set() else f"✗ {outcome}")
            return
        self.query_one(Meter).share = 1.0
        self._say(f"✓ {_where(outcome)} t runs the smoke test with it.")

    def _say(self, text: str) -> None:
        self.query_one("#fetch-state", Static).update(text)


def _where(outcome: DownloadOutcome) -> str:
    if outcome.already_here is not None:
        return f"It is here already: {printable(str(outcome.already_here.path))}."
    done = outcome.downloaded
    return "It is here, its hash checked." if done is None else f"Its hash is right: {printable(str(done.paths[0]))}."
