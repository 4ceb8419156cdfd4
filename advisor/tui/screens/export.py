"""Export: the recommendation, reports and files that run the model, seen before they are saved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Button, Input, Label, OptionList, Static

from advisor.domain.export_request import PLAIN, ExportChoice, ExportRequest
from advisor.errors import AdvisorError, NotProbedError
from advisor.tui.background import in_background
from advisor.tui.commands import bindings_at
from advisor.tui.empty import no_pick_lines
from advisor.tui.messages import Topic
from advisor.tui.previews import FILE_NAME, Preview, Wanted, Writer, plain_lines, refusal_lines, wanted_of
from advisor.tui.screens.saving import SavingScreen
from advisor.tui.widgets.choice import Choice
from advisor.tui.widgets.file_list import FileList
from advisor.tui.widgets.option_form import OptionForm
from advisor.tui.widgets.pages import Pages

_DEBOUNCE_S = 0.25
"""Wait for the next key before files are made with another option."""
_RECOMMENDATION = "recommendation"
"""In place of a target's key."""


@dataclass(frozen=True, slots=True)
class Job:
    """What files are made of, and how."""

    wanted: Wanted
    target: str | None
    """None for the recommendation itself."""
    name: str
    request: ExportRequest

    def is_same(self, other: Job | None) -> bool:
        """Whether it gives the same files."""
        if other is None or not self.wanted.is_same(other.wanted):
            return False
        return (self.target, self.name, self.request) == (other.target, other.name, other.request)


class ExportScreen(SavingScreen):
    """Files are made in a thread: a target may have to plan for many users first."""

    place = "export"
    BINDINGS = bindings_at("export")
    AUTO_FOCUS = "#save"

    @dataclass
    class Made(Message):
        """Files are ready, or there are none."""

        job: Job
        outcome: tuple[Preview, ...] | AdvisorError

    _job: Job | None = None
    _choice: ExportChoice | None = None
    _insists = False
    _debounce: Timer | None = None

    def body(self) -> ComposeResult:
        self._writer = Writer(self.session.advisor)
        self._choices = {choice.key: choice for choice in self.session.advisor.export_choices()}
        words = {_RECOMMENDATION: f"{FILE_NAME} – all that the advice rests on, to replay it"}
        words |= {key: choice.label for key, choice in self._choices.items()}
        yield Static(markup=False, id="export-title")
        with Horizontal(id="export-what"):
            yield Label("Output", classes="export-label")
            yield Choice("What to make of the pick", words, _RECOMMENDATION)
            yield Button("a: make them anyway", id="anyway", action="screen.anyway", compact=True)
        yield OptionForm(id="options")
        yield from self.where()
        with Container(id="export-body"):
            yield FileList(id="files")
            yield Pages(id="preview")

    def show_topic(self, topic: Topic) -> None:
        if self.is_current:
            self._show_all()

    @on(events.ScreenResume)
    def _resumed(self) -> None:
        # The screen should be there before its files are looked at; built ahead, it makes none before anybody comes.
        if self.is_current:
            self.call_after_refresh(self._show_all)

    # ------------------------------------------------------------ what is shown

    def _show_all(self) -> None:
        """Make what is not made yet; where nothing changed, nothing is drawn anew."""
        wanted = wanted_of(self.session)
        self.has_pick = wanted is not None
        if wanted is None:
            self._job = None
            self._take((), "\n".join(no_pick_lines(self.session)))
            return
        wrong = self.query_one(OptionForm).invalid
        if wrong:
            self._job = None
            self._take((), f"✗ no files are made while an option cannot be used: {', '.join(wrong)}")
            return
        choice = self._choice
        job = Job(wanted, None if choice is None else choice.target, self.recommendation_name, self._request())
        if job.is_same(self._job):
            return
        self._job = job
        self._take((), "making the files …")
        in_background(self, partial(self._make, job), "export")

    def _request(self) -> ExportRequest:
        """What is decided about the files."""
        if self._choice is None:
            return PLAIN
        decided: dict[str, Any] = self.query_one(OptionForm).answers
        return ExportRequest(engine=self._choice.engine, allow_simulated=self._insists, **decided)

    def _make(self, job: Job) -> None:
        outcome: tuple[Preview, ...] | AdvisorError
        try:
            outcome = self._files_of(job)
        except AdvisorError as error:
            outcome = error
        self.post_message(self.Made(job, outcome))

    def _files_of(self, job: Job) -> tuple[Preview, ...]:
        found = self._writer.files(job.wanted, job.target, job.name, job.request)
        for preview in found:
            _ = preview.lines  # colours take longest, and this is not the thread that draws
        return found

    @on(Made)
    def _made(self, message: Made) -> None:
        if self._job is not message.job:
            return
        if isinstance(message.outcome, AdvisorError):
            self._take((), refusal_lines(message.outcome))
            self.set_class(isinstance(message.outcome, NotProbedError), "-refused")
        else:
            self.made_from = self._writer.recommendation(message.job.wanted)
            self._take(message.outcome)

    def _take(self, previews: tuple[Preview, ...], instead: str = "") -> None:
        """Show files, or a text in their stead."""
        self.previews, self.index = previews, 0
        self.remove_class("-refused")
        self.set_class(len(previews) > 1, "-several")
        self.query_one(FileList).show([_entry(preview) for preview in previews])
        self._show_title()
        self.show_saving()
        self._show_text(instead)

    def _show_title(self) -> None:
        chosen, smoke = self.session.chosen, self.session.chosen_smoke
        title = self.query_one("#export-title", Static)
        if chosen is None:
            title.update("Nothing to export")
            return
        proved = smoke is not None and smoke.report is not None
        parts = [f"{chosen.model.name} {chosen.quantization.name}"]
        if len(self.previews) > 1:
            parts.append(f"{self.index + 1} of {len(self.previews)}: {self.previews[self.index].name}")
        else:
            parts.append("with its smoke test" if proved else "no smoke test yet; t runs one")
        title.update(" · ".join(parts))

    def _show_text(self, instead: str = "") -> None:
        shown = self.shown
        self.query_one(Pages).show(shown.lines if shown is not None else plain_lines(instead))

    # ------------------------------------------------------------ the user

    @on(Choice.Changed)
    def _target_chosen(self, message: Choice.Changed) -> None:
        self._choice, self._insists = self._choices.get(message.value), False
        self.query_one(OptionForm).offer(self._choice.options if self._choice is not None else ())
        self.to_folder(self._choice is not None)
        self._show_all()

    @on(OptionList.OptionHighlighted, "#files")
    def _file_chosen(self, event: OptionList.OptionHighlighted) -> None:
        self.index = event.option_index
        self._show_title()
        self._show_text()

    @on(OptionForm.Changed)
    def _option_changed(self) -> None:
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(_DEBOUNCE_S, self._show_all)

    async def action_options(self) -> None:
        """Open or fold what can be decided about the files."""
        form = self.query_one(OptionForm)
        if form.display:
            await form.toggle()
        else:
            self.notify("A report and the recommendation have no options; o chooses another target.", markup=False)

    async def action_back(self) -> None:
        """Out of a field, then of the options, then back to Proof."""
        form = self.query_one(OptionForm)
        if form.is_open and not isinstance(self.focused, Input):
            await form.toggle()
        else:
            await super().action_back()

    def action_target(self) -> None:
        """List what can be made."""
        self.query_one(Choice).action_choose()

    def action_next_file(self) -> None:
        """Show the next file."""
        if len(self.previews) > 1:
            self.query_one(FileList).highlighted = (self.index + 1) % len(self.previews)

    def action_anyway(self) -> None:
        """Make the files for a machine that was only described."""
        if self.has_class("-refused"):
            self._insists = True
            self._show_all()

    def action_copy(self) -> None:
        """Send what is shown to the terminal's clipboard."""
        shown = self.shown
        if shown is not None:
            self.app.copy_to_clipboard(shown.text)
            self.notify(f"{shown.name} was sent to the clipboard. Some terminals ignore that.", markup=False)

    @on(Input.Submitted, "#path")
    def _path_entered(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Write what was made; ask first where a file of a name exists."""
        job = self._job
        if job is not None and job.target is None and not self.previews:
            # A recommendation is quickly written: who saves at once need not wait for its colours.
            try:
                self.previews = self._writer.files(job.wanted, None, job.name)
            except AdvisorError as error:
                self.show_outcome(f"✗ {error}", failed=True)
                return
        self.save()


def _entry(preview: Preview) -> str:
    return preview.name if preview.is_file else f"! {preview.name}"
