"""The app: it takes messages, changes the session and tells the places."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen
from textual.signal import Signal
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from advisor.errors import AdvisorError, InputError, nearest
from advisor.settings import Settings, config_file, remember_theme, remembered_theme
from advisor.tui.ascii import AsciiFilter
from advisor.tui.backstage import Backstage
from advisor.tui.commands import commands_at
from advisor.tui.crash import CrashingApp
from advisor.tui.ending import EndingApp
from advisor.tui.harmless import HarmlessFilter
from advisor.tui.judging import STYLES as JUDGING_STYLES
from advisor.tui.judging import JudgingApp
from advisor.tui.keymap import keymap
from advisor.tui.messages import Advised, AnswersChanged, Counted, Probed, ProbeFailed, Topic
from advisor.tui.picking import PickingApp
from advisor.tui.places import PLACE_IDS, PlaceId
from advisor.tui.proving import ProvingApp
from advisor.tui.readying import ReadyingApp
from advisor.tui.screens import screen_of
from advisor.tui.screens.place import Place
from advisor.tui.session import Session
from advisor.tui.sturdy import SturdyApp
from advisor.tui.theme import THEMES
from advisor.tui.trying import STYLES as TRYING_STYLES
from advisor.tui.trying import TryingApp

if TYPE_CHECKING:
    from advisor.service import Advisor, MachineChoice

DEBOUNCE_S = 0.12
"""Wait for the next key before a new recommendation is made."""


class AdvisorApp(PickingApp, ProvingApp, JudgingApp, TryingApp, SturdyApp, ReadyingApp, EndingApp, CrashingApp):
    """Machine, Needs, Picks, Proof, Export."""

    TITLE = "llm-advisor"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "app.tcss",
        "screens/screens.tcss",
        "screens/picks.tcss",
        "screens/proof.tcss",
        "screens/export.tcss",
        "widgets/widgets.tcss",
        "screens/needs.tcss",
        "screens/what_if.tcss",
        *JUDGING_STYLES,
        *TRYING_STYLES,
        "screens/scale.tcss",
        "screens/fetch.tcss",
    ]
    DEFAULT_MODE = "machine"
    # Textual declares these two as instance variables, so they cannot be marked as belonging to the class.
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        advisor: Advisor,
        choice: MachineChoice | None = None,
        working_directory: Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or Settings()
        keys = keymap(self.settings.keys, name=str(config_file()))
        self._own_filters = (HarmlessFilter(), *((AsciiFilter(),) if self.settings.ascii else ()))
        self.session = Session(advisor, choice, working_directory or Path.cwd(), keys)
        self.changed: Signal[Topic] = Signal(self, "session")
        self._backstage = Backstage(self, advisor)
        self._told_of_overlay = self._is_settled = False
        self._debounce: Timer | None = None
        for place in PLACE_IDS:
            self.add_mode(place, partial(self._place, place))
        self.set_keymap(dict(keys.changed))
        for theme in THEMES:
            self.register_theme(theme)
        self._choose_theme()

    def _choose_theme(self) -> None:
        """The theme of the environment, else of the settings, else the one chosen last, else the program's own."""
        if "TEXTUAL_THEME" in os.environ:
            return
        wanted, remembered = self.settings.theme, remembered_theme()
        if wanted is not None and wanted not in self.available_themes:
            hint = nearest(wanted, self.available_themes) or f"Themes: {', '.join(sorted(self.available_themes))}."
            raise InputError(f"{config_file()}: theme: there is no theme {wanted!r}", hint=hint)
        known = remembered if remembered in self.available_themes else None
        self.theme = wanted or known or THEMES[0].name

    def _place(self, place: PlaceId) -> Place:
        return screen_of(place)(self.session, self.changed)

    def get_line_filters(self) -> Sequence[LineFilter]:
        # The same filters every time: a line that was filtered is kept by the filter's identity.
        return [*super().get_line_filters(), *self._own_filters]

    def on_mount(self) -> None:
        self.take_signals()
        self.theme_changed_signal.subscribe(self, lambda theme: remember_theme(theme.name))
        # The first screen is painted before anything else begins.
        self.call_after_refresh(lambda: self.in_spare_time(self._get_ready()))

    async def _get_ready(self) -> None:
        await self.load_modules()
        self._backstage.probe(self.session.choice)

    def _settle(self) -> None:
        """The first advice is there and no thread works. Built for no pick, a place would have its focus elsewhere."""
        if not self._is_settled:
            self._is_settled = True
            self.in_spare_time(self.build_places())

    # ------------------------------------------------------------ actions

    async def action_go(self, place: PlaceId, to_bar: bool = False) -> None:
        """Show a place; with `to_bar` the focus stays on the bar of places."""
        if self.is_palette_open:
            return
        await self.switch_mode(place)
        if to_bar and isinstance(self.screen, Place):
            self.screen.focus_bar()

    def action_rescan(self) -> None:
        """Look at the machine again."""
        self.session.machine = self.session.probe_error = None
        self.changed.publish("machine")
        self._backstage.probe(self.session.choice)

    def action_examine(self) -> None:
        """Find what would change the first pick, unless that is known."""
        found = self.session.found
        if found is None or found.sensitivity is None or found.sensitivity.constraints is not None:
            return
        self.notify("Trying other requirements, one at a time …", markup=False)
        self._backstage.examine(found)

    def action_help(self, is_of_focus: bool = False) -> None:
        """Show what the keys do in this place, and before that what the focused widget is."""
        from advisor.tui.screens.help import HelpScreen, help_of

        if isinstance(self.screen, Place):
            about = help_of(self.focused) if is_of_focus else None
            self.push_screen(HelpScreen(self.screen.place, self.session.keys, about))

    def action_leave(self) -> None:
        """Quit; ask first where answers would be lost."""
        if self.session.has_unsaved_answers:
            from advisor.tui.screens.leave import LeaveScreen

            self.push_screen(LeaveScreen(), lambda leave: self.exit() if leave else None)
        else:
            self.exit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        if isinstance(screen, Place):
            for command in commands_at(screen.place):
                run = partial(self.run_action, command.action, screen)
                shown = self.session.keys.shown(command)
                yield SystemCommand(f"{command.label} ({shown})", command.help, run)
        yield from (c for c in super().get_system_commands(screen) if c.title in ("Theme", "Screenshot"))

    # ------------------------------------------------------------ messages

    @on(Probed)
    def _probed(self, message: Probed) -> None:
        self.session.machine = message.machine
        self.session.simulation = None
        self.changed.publish("machine")
        self.advise()

    @on(ProbeFailed)
    def _probe_failed(self, message: ProbeFailed) -> None:
        self.session.probe_error = message.error
        self.changed.publish("machine")
        self.warn(message.error)

    @on(AnswersChanged)
    def _answers_changed(self) -> None:
        self.session.is_counting = True
        self.changed.publish("answers")
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(DEBOUNCE_S, self.advise)

    def advise(self) -> None:
        """Ask for advice on the present answers."""
        session = self.session
        if session.machine is None:
            return
        try:
            constraints = session.advisor.constraints(session.answers)
        except AdvisorError as error:
            self._advised(Advised(self._backstage.advice_ticket, error))
        else:
            timings = session.valid_timings
            self._backstage.advise(session.machine, constraints, session.answers, session.named, timings)

    @on(Advised)
    def _advised(self, message: Advised) -> None:
        if message.ticket != self._backstage.advice_ticket:
            return
        if isinstance(message.outcome, AdvisorError):
            self.session.advice_error = message.outcome
        else:
            self.session.found, self.session.advice_error = message.outcome, None
        self._tell_of_overlay()
        self.changed.publish("advice")

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if message.ticket == self._backstage.advice_ticket:
            self.session.idle = message.idle
            self.session.is_counting = message.exclusions is None
            if message.exclusions is not None:
                self.session.exclusions = {one.key: one for one in message.exclusions}
            self.changed.publish("counts")
            if not self.session.is_counting:
                self._settle()

    def _tell_of_overlay(self) -> None:
        """Say once that the user's own entries are not used."""
        problem = self.session.advisor.overlay_problem
        if problem is not None and not self._told_of_overlay:
            self._told_of_overlay = True
            self.notify(f"Your own entries are not used: {problem}", severity="warning", timeout=15, markup=False)

    @on(Worker.StateChanged)
    def _worker_broke(self, event: Worker.StateChanged) -> None:
        """What nobody foresaw is shown and leaves the answers alone."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.warn(AdvisorError(f"unexpected {type(error).__name__}", why=str(error), hint="Please report it."))

    def warn(self, error: AdvisorError) -> None:
        """Show an error as a notice."""
        self.notify(str(error), severity="error", timeout=10, markup=False)
