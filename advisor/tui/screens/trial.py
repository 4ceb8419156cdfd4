"""A trial on the user's own tasks: which files answer what, followed live, stopped at once, gone on with later."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from advisor.domain.trial.outcome import Progress, Trial
from advisor.domain.trial.requests import TrialRequest
from advisor.domain.trial.words import progress_text
from advisor.errors import AdvisorError
from advisor.files import is_file
from advisor.text import one_line
from advisor.tui.background import in_background
from advisor.tui.messages import RankBy
from advisor.tui.screens.confirm import ConfirmScreen
from advisor.tui.widgets.marks import YesNo
from advisor.tui.widgets.meter import Meter
from advisor.tui.widgets.path_field import PathField
from advisor.tui.widgets.tick_list import TickList
from advisor.tui.widgets.trial_outcome import TrialOutcome
from advisor.units import format_bytes

if TYPE_CHECKING:
    from advisor.domain.local_files import LocalFile
    from advisor.tui.session import Session

TASKS_NAME = "tasks.jsonl"
RESULT_NAME = "trial.json"
_KEPT = "Every answer so far is kept: Ctrl+S goes on from there."
_HOW = "Name a file of tasks (its formats are in docs/trial.md), tick the files that should answer, and press Ctrl+S."
_NONE_HERE = (
    "No model file that could answer is on this machine. Esc and d in Proof fetch the selected model's, "
    "or name a GGUF file under Add."
)


class TrialScreen(ModalScreen[None]):
    """Closing it ends the trial; what was answered waits for the next time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Stop or close"),
        Binding("ctrl+s", "start", "Start"),
        Binding("b", "judge", "Judge blind"),
        Binding("s", "save", "Save the result"),
        Binding("r", "rank", "Rank by it"),
        Binding("q", "leave", show=False),
    ]
    AUTO_FOCUS = "#tasks"

    @dataclass
    class Looked(Message):
        """What lies here, and which of it should answer."""

        words: dict[str, str]
        ticked: set[str]

    @dataclass
    class Moved(Message):
        """A contestant got on."""

        now: Progress

    @dataclass
    class Ended(Message):
        """The trial is over, or why it is not."""

        outcome: Trial | AdvisorError

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._cancel = threading.Event()
        self._is_running = False
        self._progress: dict[str, Progress] = {}
        self._n_files = 0
        self._trial: Trial | None = None

    def compose(self) -> ComposeResult:
        folder = self._session.working_directory
        tasks = f"./{TASKS_NAME}" if is_file(folder / TASKS_NAME) else ""
        yield Static("Trial: who answers your tasks right?", id="trial-title", markup=False)
        with Horizontal(classes="trial-line"):
            yield Label("Tasks", classes="export-label")
            yield PathField(tasks, folder, id="tasks")
        yield TickList(id="contestants")
        with Horizontal(classes="trial-line", id="trial-add"):
            yield Label("Add", classes="export-label")
            yield PathField("", folder, id="add")
        with Horizontal(classes="trial-line"):
            yield Button("Ctrl+S: start", id="trial-start", variant="primary", action="screen.start", compact=True)
            yield Button("Esc: close", id="trial-leave", action="screen.leave", compact=True)
            yield Label("run code of answers ", id="code-label")
            yield YesNo(False)
        with Horizontal(classes="trial-line trial-after"):
            yield Label("Result", classes="export-label")
            yield PathField(f"./{RESULT_NAME}", folder, id="result")
        with Horizontal(classes="trial-line trial-after"):
            yield Button("s: save", id="trial-save", action="screen.save", compact=True)
            yield Button("r: rank by it", id="trial-rank", action="screen.rank", compact=True)
            yield Button("b: judge", id="trial-judge", action="screen.judge", compact=True)
        yield Meter(id="trial-share")
        yield Static("looking for model files …", markup=False, id="trial-state")
        yield TrialOutcome(id="trial-outcome")

    def on_mount(self) -> None:
        self.query_one(Meter).share = 0.0
        self.query_one("#tasks", Input).placeholder = "tasks: JSON lines or CSV"
        self.query_one("#add", Input).placeholder = "a GGUF file; Enter adds it"
        in_background(self, self._look, "trial files")

    def on_unmount(self) -> None:
        self._cancel.set()

    # ------------------------------------------------------------ who answers

    def _look(self) -> None:
        session = self._session
        files = [file for file in session.advisor.local_files().files if file.is_runnable]
        wanted = [c.id for c in (session.chosen, *session.marked_candidates) if c is not None]
        ticked = {file.path for file in files if _candidate(file) in wanted}
        order = sorted(files, key=lambda file: (file.path not in ticked, file.path))
        self.post_message(self.Looked({file.path: _described(file) for file in order}, ticked))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        self.query_one(TickList).show(message.words, message.ticked)
        if not self._is_running:
            self._say(_HOW if message.words else _NONE_HERE)

    @on(Input.Submitted, "#add")
    def _added(self, event: Input.Submitted) -> None:
        path = self._path(event.value)
        if not is_file(path):
            self._say(f"✗ {path} is no file.")
            return
        self.query_one(TickList).add(str(path), one_line(path.name))
        event.input.clear()

    def _path(self, typed: str) -> Path:
        return self._session.working_directory / os.path.expanduser(typed.strip())

    # ------------------------------------------------------------ the trial

    @on(Input.Submitted, "#tasks")
    def action_start(self) -> None:
        """Start, or go on after a stop or a failure."""
        typed, files = self.query_one("#tasks", Input).value.strip(), self.query_one(TickList).ticked
        if self._is_running:
            return
        if not typed or not files:
            self._say("✗ no file of tasks is named." if not typed else "✗ no model file is ticked.")
            return
        request = TrialRequest(
            tasks=self._path(typed),
            files=tuple(map(Path, files)),
            allow_code=self.query_one(YesNo).value,
        )
        self._is_running, self._cancel, self._trial = True, threading.Event(), None
        self._progress.clear()
        self._n_files = len(files)
        self._show_state("reading the tasks and the model files …")
        in_background(self, partial(self._run, request, self._cancel), "trial")

    def _run(self, request: TrialRequest, cancel: threading.Event) -> None:
        advisor = self._session.advisor

        def tell(now: Progress) -> None:
            self.post_message(self.Moved(now))

        outcome: Trial | AdvisorError = AdvisorError("the trial broke off", hint=_KEPT)
        try:
            outcome = advisor.trial(request, on_progress=tell, cancel=cancel)
            advisor.keep_trial(outcome)
        except AdvisorError as error:
            outcome = error
        finally:
            self.post_message(self.Ended(outcome))

    def action_leave(self) -> None:
        """Stop what runs, or else close."""
        if not self._is_running:
            self.dismiss()
            return
        self._cancel.set()
        self._say("stopping …")

    @on(Moved)
    def _moved(self, message: Moved) -> None:
        if not self._is_running or self._cancel.is_set():
            return
        self._progress[message.now.name] = message.now
        n_contestants = max(len(self._progress), self._n_files)
        done = sum(now.n_done for now in self._progress.values())
        self.query_one(Meter).share = done / (n_contestants * message.now.n_tasks) if message.now.n_tasks else None
        self._say(self._progress_lines())

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        self._is_running = False
        outcome = message.outcome
        if isinstance(outcome, AdvisorError):
            self._show_state(f"stopped. {_KEPT}" if self._cancel.is_set() else f"✗ {outcome}")
            return
        self._trial = outcome
        self.query_one(Meter).share = 1.0
        self.query_one(TrialOutcome).show(outcome, self._session.advisor.trial_report(outcome))
        self._show_state(self._progress_lines())

    def _progress_lines(self) -> str:
        return "\n".join(one_line(progress_text(now)) for now in self._progress.values())

    # ------------------------------------------------------------ afterwards

    def action_judge(self) -> None:
        """Judge the answers pair by pair, without names."""
        if self._trial is None:
            self._say("✗ nothing was tried yet that could be judged.")
        else:
            self.app.call_later(self.app.run_action, "app.judge")

    def action_rank(self) -> None:
        """Judge quality by this trial, and show the picks that follow."""
        if self._trial is None:
            self._say("✗ nothing was tried yet that could be ranked by.")
        else:
            self.app.post_message(RankBy(self._trial))
            self.dismiss()

    def action_save(self) -> None:
        """Write the result as `llm-advisor trial -o` does; ask first where a file of that name exists."""
        if self._trial is None:
            self._say("✗ nothing was tried yet that could be saved.")
            return
        path = self._path(self.query_one("#result", Input).value or RESULT_NAME)
        if is_file(path):
            question = f"{path} exists. Write over it?"
            self.app.push_screen(ConfirmScreen(question, "overwrite"), lambda yes: self._write(path) if yes else None)
        else:
            self._write(path)

    @on(Input.Submitted, "#result")
    def _result_entered(self) -> None:
        self.action_save()

    def _write(self, path: Path) -> None:
        advisor, trial = self._session.advisor, self._trial
        if trial is None:
            return
        try:
            advisor.save_files(path.parent, {path.name: advisor.trial_text(trial)}, overwrite=True)
        except AdvisorError as error:
            self._say(f"✗ {error.what}{f': {error.why}' if error.why else ''}. Choose another name.")
        else:
            self._say(f"✓ saved: {path}. r ranks by it; so does: llm-advisor recommend --trial {path.name}")

    # ------------------------------------------------------------ what is shown

    def _show_state(self, text: str) -> None:
        self._say(text)
        self.set_class(self._is_running, "-running")
        self.set_class(self._trial is not None, "-tried")
        self.query_one("#trial-start", Button).disabled = self._is_running
        self.query_one("#trial-leave", Button).label = "Esc: stop" if self._is_running else "Esc: close"

    def _say(self, text: str) -> None:
        self.query_one("#trial-state", Static).update(text)


def _candidate(file: LocalFile) -> str | None:
    """Id of the candidate that a file is."""
    return None if file.match is None else f"{file.match.model}:{file.match.quantization}"


def _described(file: LocalFile) -> str:
    name = _candidate(file) or Path(file.path).name
    return one_line(f"{name} · {format_bytes(file.n_bytes)} · {file.place}")
