"""What if: other hardware and other needs tried beside the present ones, and used only when the user says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.hardware_options import Hardware, HardwareAnswer
from advisor.domain.hardware_words import hardware_paragraph
from advisor.domain.presentation import machine_text
from advisor.domain.questions import Answer, Question, answer_text, read_answer
from advisor.domain.recommend import Recommendation
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.what_if_words import what_if_lines, what_if_rows
from advisor.errors import AdvisorError, InputError
from advisor.tui.background import in_background
from advisor.tui.listening import DEBOUNCE_S, ListeningApp
from advisor.tui.screens.gpu_list import NONE, OWN, GpuList
from advisor.tui.screens.gpu_list import Choice as GpuChoice
from advisor.tui.session import Session
from advisor.tui.tryout import COUNT, NEEDS, RAM, Applied, Tryout, count_of, with_count
from advisor.tui.widgets.choice import ChoiceList
from advisor.tui.widgets.form_line import FormLine
from advisor.tui.widgets.paged import Paged
from advisor.tui.widgets.question_row import QuestionRow


class _StaleError(Exception):
    """Something else is tried by now."""


class WhatIfScreen(ModalScreen[Applied | None]):
    """None leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave it"),
        Binding("ctrl+s", "use", "Use it"),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Before", show=False),
    ]

    @dataclass
    class Tried(Message):
        """What a tryout leads to."""

        ticket: int
        machine: Machine
        outcome: Recommendation | AdvisorError

    @dataclass
    class Searched(Message):
        """What hardware would make the model possible."""

        ticket: int
        outcome: HardwareAnswer | AdvisorError

    def __init__(self, session: Session, model_id: str | None) -> None:
        super().__init__()
        self._session = session
        self._base = session.base_machine
        self._model_id = model_id
        held = session.simulation
        self._own = () if self._base is None else session.advisor.figures(self._base).gpus
        self._tryout = Tryout(Hardware() if held is None else held.hardware, dict(session.answers))
        self._invalid: set[str] = set()
        self._ticket = 0
        self._debounce: Timer | None = None
        self._is_wanted = False
        """Whether the user said to use what is still being weighed."""
        self._tried: WhatIfScreen.Tried | None = None
        self._before: Recommendation | None = session.found
        self._answer: HardwareAnswer | None = None
        self._listening = self.app if isinstance(self.app, ListeningApp) else None
        """For the threads: a screen that has closed belongs to no app."""

    # ------------------------------------------------------------ what is shown

    def compose(self) -> ComposeResult:
        questionnaire = self._session.advisor.questionnaire
        with Container(id="what-if"):
            yield Static(self._title(), markup=False, id="what-if-title")
            with Container(id="what-if-body"):
                with Paged(id="what-if-form", can_focus=False):
                    yield FormLine(self._gpu_text(), "gpu", id="gpu-line")
                    hardware = self._tryout.hardware
                    for asked, has in ((COUNT, count_of(hardware)), (RAM, hardware.ram_bytes)):
                        yield QuestionRow(asked, has, answer_text(asked, has), hint="as here")
                    for key in NEEDS:
                        question, answer = questionnaire[key], self._tryout.answers[key]
                        yield QuestionRow(question, answer, answer_text(question, answer))
                    yield FormLine("", "model", id="model-line")
                    yield OptionList(id="hardware-options")
                with VerticalScroll(id="what-if-outcome", can_focus=True):
                    yield Static(id="what-if-table")
                    yield Static(markup=False, id="what-if-lines")
            with Horizontal(id="what-if-buttons"):
                yield Button("Ctrl+S: use it", id="use", variant="primary", compact=True)
                yield Button("Back to this machine", id="restore", compact=True)
                yield Button("Esc: leave it", id="leave-it", compact=True)

    def _title(self) -> str:
        here = "unknown" if self._base is None else machine_text(self._base)
        return f"What if? This machine: {here}"

    def on_mount(self) -> None:
        self.query_one("#restore", Button).display = self._session.simulation is not None
        self._show_model()
        self._try()
        self._search()

    def on_unmount(self) -> None:
        self._ticket += 1

    def _gpu_text(self) -> str:
        hardware = self._tryout.hardware
        name = hardware.gpu.name if hardware.gpu else NONE if hardware.count == 0 else OWN
        return f"▸ GPU: {name}"

    def _show_model(self) -> None:
        found = self._session.found
        rejected = () if found is None else found.rejected
        name = next((r.model.name for r in rejected if r.model.id == self._model_id), None)
        line = self.query_one("#model-line", FormLine)
        line.update(f"▸ To make possible: {name or 'choose a model'}")
        options = self.query_one("#hardware-options", OptionList)
        options.clear_options()
        options.display = name is not None
        if self._answer is None:
            options.add_option(Option(Content("looking for hardware …"), disabled=True))
            return
        can_choose = bool(self._answer.options)
        for text in hardware_paragraph(self._answer).lines:
            options.add_option(Option(Content(text), disabled=not can_choose))

    def _show_outcome(self) -> None:
        table, lines = self.query_one("#what-if-table", Static), self.query_one("#what-if-lines", Static)
        tried, before = self._tried, self._before
        if tried is None or before is None:
            lines.update("weighing the models …")
            return
        if isinstance(tried.outcome, AdvisorError):
            lines.update(f"✗ {tried.outcome}")
            return
        badge = "SIM " if tried.machine.simulated else ""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=11)
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(Text(""), Text("now", "bold"), Text(f"{badge}then", "bold"))
        for label, now, then in what_if_rows(before, tried.outcome):
            changed = now != then
            grid.add_row(Text(label), Text(now), Text(f"→ {then}" if changed else then, "bold" if changed else ""))
        table.update(grid)
        told = [f"then: {machine_text(tried.machine)}", *what_if_lines(before, tried.outcome, self._model_id)]
        if self._invalid:
            told.insert(0, f"✗ not counted, because invalid: {len(self._invalid)}")
        lines.update("\n".join(told))

    # ------------------------------------------------------------ the user

    @on(QuestionRow.Answered)
    def _answered(self, message: QuestionRow.Answered) -> None:
        question = message.row.question
        hardware = self._tryout.hardware
        try:
            answer = read_answer(question, message.raw)
            if question is COUNT:
                hardware = with_count(hardware, answer if isinstance(answer, int) else None, self._own)
        except InputError as error:
            self._judge(message.row, error.why or error.what)
            return
        self._judge(message.row, None)
        tryout = self._tryout
        if question is COUNT:
            self._change(hardware)
        elif question is RAM:
            self._change(replace(hardware, ram_bytes=answer if isinstance(answer, int) else None))
        elif answer != tryout.answers[question.key]:
            self._tryout = replace(tryout, answers={**tryout.answers, question.key: answer})
            self._soon()

    def _judge(self, row: QuestionRow, error: str | None) -> None:
        """Say what is wrong with an answer, or that nothing is."""
        before = len(self._invalid)
        (self._invalid.discard if error is None else self._invalid.add)(row.question.key)
        row.show_error(error)
        if len(self._invalid) != before:
            self._show_outcome()

    def _change(self, hardware: Hardware) -> None:
        if hardware != self._tryout.hardware:
            self._tryout = replace(self._tryout, hardware=hardware)
            self.query_one("#gpu-line", FormLine).update(self._gpu_text())
            self._soon()

    def action_gpu(self) -> None:
        """Choose a GPU from the hardware catalogue."""
        self.app.push_screen(GpuList(self._session.advisor.gpu_specs), self._gpu_chosen)

    def _gpu_chosen(self, choice: GpuChoice | None) -> None:
        ram = self._tryout.hardware.ram_bytes
        if isinstance(choice, GpuSpec):
            self._take(Hardware(choice, self._typed_count(), ram))
        elif choice is not None:
            self._take(Hardware(None, 0 if choice == NONE else 1, ram))

    def _typed_count(self) -> int:
        try:
            answer = read_answer(COUNT, self._row_of(COUNT).query_one(Input).value)
        except InputError:
            return 1
        return answer if isinstance(answer, int) else 1

    def _row_of(self, question: Question) -> QuestionRow:
        return next(row for row in self.query(QuestionRow) if row.question is question)

    def _take(self, hardware: Hardware) -> None:
        """Try hardware that was chosen from a list; the number of GPUs goes with it."""
        self._change(hardware)
        self._fill(COUNT, count_of(hardware))

    def _fill(self, question: Question, answer: Answer) -> None:
        """Show what is tried already; what the field reports then changes nothing."""
        row = self._row_of(question)
        row.fill(answer_text(question, answer))
        self._judge(row, None)

    def action_model(self) -> None:
        """Choose the model that should become possible."""
        found = self._session.found
        names = {r.model.id: r.model.name for r in found.rejected} if found is not None else {}
        if names:
            current = self._model_id if self._model_id in names else next(iter(names))
            self.app.push_screen(ChoiceList("Which model should become possible?", names, current), self._model_chosen)

    def _model_chosen(self, model_id: str | None) -> None:
        if model_id is not None:
            self._model_id, self._answer = model_id, None
            self._show_model()
            self._show_outcome()
            self._search()

    @on(OptionList.OptionSelected, "#hardware-options")
    def _hardware_chosen(self, event: OptionList.OptionSelected) -> None:
        if self._answer is None or not self._answer.options:
            return
        hardware = self._answer.options[event.option_index].hardware
        model_id = self._answer.model.id
        if model_id not in self._tryout.named:
            self._tryout = replace(self._tryout, named=(*self._tryout.named, model_id))
        self._take(hardware)
        self._fill(RAM, hardware.ram_bytes)

    def action_use(self) -> None:
        """Go on with what is tried: at once, or as soon as it has been weighed."""
        tried = self._tried
        if self._invalid:
            self.notify("Not used: a field is invalid; what is wrong stands below it.", markup=False)
        elif tried is None or tried.ticket != self._ticket:
            self._is_wanted = True
            self.notify("It is still being weighed, and used as soon as that is done.", markup=False)
        elif isinstance(tried.outcome, AdvisorError):
            self.notify(f"Not used: {tried.outcome}", markup=False)
        else:
            self.dismiss(Applied(self._tryout, tried.machine))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "use":
            self.action_use()
        else:
            self.dismiss(Applied(None, None) if event.button.id == "restore" else None)

    # ------------------------------------------------------------ the work

    def _soon(self) -> None:
        self._ticket += 1
        self._is_wanted = False
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(DEBOUNCE_S, self._again)

    def _again(self) -> None:
        self._try()
        self._search()

    def _start(self, work: partial[None], group: str) -> None:
        in_background(self, work, group)

    def _try(self) -> None:
        if self._base is not None:
            self._start(partial(self._weigh, self._ticket, self._base, self._tryout), "what-if")

    def _check(self, ticket: int) -> None:
        if self._listening is not None:
            self._listening.stand_back()
        if ticket != self._ticket:
            raise _StaleError

    def _weigh(self, ticket: int, base: Machine, tryout: Tryout) -> None:
        advisor = self._session.advisor
        machine = advisor.with_hardware(base, tryout.hardware) if tryout.changes_hardware else base
        outcome: Recommendation | AdvisorError
        try:
            needs = advisor.constraints(tryout.answers)
            timings = self._timings(machine, needs)
            outcome = advisor.recommend(
                machine,
                needs,
                named=(*self._session.named, *tryout.named),
                timings=timings,
                trial=self._session.evidence,
                before_each=partial(self._check, ticket),
            )
        except _StaleError:
            return
        except AdvisorError as error:
            outcome = error
        self.post_message(self.Tried(ticket, machine, outcome))

    def _timings(self, machine: Machine, needs: Constraints) -> Timings:
        """What was measured; nothing of it holds on other hardware."""
        held = self._session.timings
        timings = NO_TIMINGS if machine.simulated or held is None else held
        return timings.at(needs.scale.prompt_tokens, needs.scale.mean_depth_tokens)

    def _search(self) -> None:
        if self._base is not None and self._model_id is not None:
            work = partial(self._find, self._ticket, self._base, self._tryout.answers, self._model_id)
            self._start(work, "what-hardware")

    def _find(self, ticket: int, base: Machine, answers: dict[str, Answer], model_id: str) -> None:
        advisor = self._session.advisor
        outcome: HardwareAnswer | AdvisorError
        try:
            needs = advisor.constraints(answers)
            timings = self._timings(base, needs)
            outcome = advisor.hardware_for(
                model_id, base, needs, timings=timings, before_each=partial(self._check, ticket)
            )
        except _StaleError:
            return
        except AdvisorError as error:
            outcome = error
        self.post_message(self.Searched(ticket, outcome))

    @on(Tried)
    def _was_tried(self, message: Tried) -> None:
        if message.ticket == self._ticket:
            self._tried = message
            self._show_outcome()
            is_wanted, self._is_wanted = self._is_wanted, False
            if is_wanted and self.is_current:  # who opens a list meanwhile has gone on choosing
                self.action_use()

    @on(Searched)
    def _was_searched(self, message: Searched) -> None:
        outcome = message.outcome
        if message.ticket != self._ticket:
            return
        if isinstance(outcome, AdvisorError):
            options = self.query_one("#hardware-options", OptionList)
            options.clear_options().add_option(Option(Content(f"✗ {outcome}"), disabled=True))
        elif outcome.model.id == self._model_id and outcome != self._answer:
            self._answer = outcome
            self._show_model()
