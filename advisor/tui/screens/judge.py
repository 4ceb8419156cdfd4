"""Blind judging: two answers side by side without names, a key for each verdict, names at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from advisor.domain.trial.blind import VOTES, Vote
from advisor.domain.trial.words import tally_lines
from advisor.errors import AdvisorError
from advisor.text import printable
from advisor.units import counted

if TYPE_CHECKING:
    from advisor.trial.judging_session import JudgingSession

_ABOUT = "Which answer is better? Names come at the end; every verdict is kept, so you can leave and go on later."
_BUTTONS: tuple[tuple[str, Vote], ...] = (
    ("l: left", "left"), ("r: right", "right"), ("t: as good", "tie"), ("b: neither", "both_bad"),
)  # fmt: skip


class JudgeScreen(ModalScreen[None]):
    """Holds the sitting's journal while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,left", "vote('left')", "Left"),
        Binding("r,right", "vote('right')", "Right"),
        Binding("t,equals_sign", "vote('tie')", "Equally good"),
        Binding("b", "vote('both_bad')", "Both bad"),
        Binding("u,backspace", "undo", "Undo"),
        Binding("escape,q", "dismiss", "Leave"),
        Binding("down", "scroll_answers(1)", show=False),
        Binding("up", "scroll_answers(-1)", show=False),
    ]

    AUTO_FOCUS = ""  # no button: Enter must not vote by accident

    def __init__(self, sitting: JudgingSession) -> None:
        super().__init__()
        self._sitting = sitting
        self._is_open = False

    def compose(self) -> ComposeResult:
        yield Static(markup=False, id="judge-title")
        yield VerticalScroll(Static(markup=False, id="judge-question-text"), id="judge-question", can_focus=False)
        with Horizontal(id="judge-answers"):
            for side in ("left", "right"):
                with VerticalScroll(id=f"judge-{side}", classes="judge-answer", can_focus=False):
                    yield Static(markup=False, id=f"judge-{side}-text")
        yield VerticalScroll(Static(markup=False, id="judge-result-text"), id="judge-result", can_focus=False)
        with Horizontal(id="judge-buttons"):
            for label, vote in _BUTTONS:
                yield Button(label, id=f"vote-{vote.replace('_', '-')}", action=f"screen.vote('{vote}')", compact=True)
            yield Button("u: undo", id="judge-undo", action="screen.undo", compact=True)
            yield Button("Esc: leave", id="judge-leave", action="screen.dismiss", compact=True)

    def on_mount(self) -> None:
        try:
            self._sitting.__enter__()
        except AdvisorError as error:
            self.app.notify(str(error), severity="error", timeout=10, markup=False)
            self.dismiss()
            return
        self._is_open = True
        self._show()

    def on_unmount(self) -> None:
        if self._is_open:
            self._is_open = False
            self._sitting.__exit__(None, None, None)

    # ------------------------------------------------------------ the user

    def action_vote(self, vote: str) -> None:
        """Judge the pair and go on to the next."""
        chosen = next((v for v in VOTES if v == vote), None)
        if chosen is not None and self._is_open:
            self._kept(lambda: self._sitting.vote(chosen))

    def action_undo(self) -> None:
        """Take the last verdict back."""
        if self._is_open:
            self._kept(self._sitting.undo)

    def action_scroll_answers(self, lines: int) -> None:
        """Move through answers that are longer than the screen."""
        for side in ("left", "right"):
            self.query_one(f"#judge-{side}", VerticalScroll).scroll_relative(y=lines, animate=False)

    def _kept(self, change: Callable[[], object]) -> None:
        """Make a change that is written down; what cannot be written is said and not counted."""
        try:
            change()
        except AdvisorError as error:
            self.app.notify(str(error), severity="error", timeout=10, markup=False)
        self._show()

    # ------------------------------------------------------------ what is shown

    def _show(self) -> None:
        judging = self._sitting.judging
        pair, n_done, n = judging.current, len(judging.votes), len(judging.pairs)
        self.set_class(judging.is_done, "-done")
        done = f"{'all ' if n > 1 else ''}{counted(n, 'pair is', 'pairs are')} judged"
        title = f"Blind judging: {done if pair is None else f'{n_done + 1} of {n}'}"
        self.query_one("#judge-title", Static).update(title)
        if pair is None:
            lines = "\n".join(tally_lines(judging.tally()))
            self.query_one("#judge-result-text", Static).update(Text(printable(lines)))
        else:
            self.query_one("#judge-question-text", Static).update(Text(f"{printable(pair.question)}\n\n{_ABOUT}"))
            for side, answer in (("left", pair.left), ("right", pair.right)):
                shown = printable(answer) if answer.strip() else "(an empty answer)"
                self.query_one(f"#judge-{side}-text", Static).update(Text(shown))
                self.query_one(f"#judge-{side}", VerticalScroll).scroll_home(animate=False)
        for _, vote in _BUTTONS:
            self.query_one(f"#vote-{vote.replace('_', '-')}", Button).disabled = pair is None
        self.query_one("#judge-undo", Button).disabled = not judging.votes
