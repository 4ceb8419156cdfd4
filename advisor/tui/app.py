"""The app: its places, what is in force everywhere in it, and the parts that do what each place offers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from advisor.settings import Settings, config_file, remember_theme, remembered_theme
from advisor.tui.ascii import AsciiFilter
from advisor.tui.commands import commands_at
from advisor.tui.harmless import HarmlessFilter
from advisor.tui.keymap import keymap
from advisor.tui.picking import PickingApp
from advisor.tui.places import PLACE_IDS, PlaceId
from advisor.tui.proving import ProvingApp
from advisor.tui.screens import screen_of
from advisor.tui.screens.place import Place
from advisor.tui.theme import THEMES, checked_theme
from advisor.tui.trials import STYLES as TRIAL_STYLES
from advisor.tui.trials import TrialsApp

if TYPE_CHECKING:
    from advisor.service import Advisor, MachineChoice


class AdvisorApp(PickingApp, ProvingApp, TrialsApp):
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
        *TRIAL_STYLES,
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
        self.settings = settings or Settings()
        keys = keymap(self.settings.keys, name=str(config_file()))
        super().__init__(advisor, choice, working_directory or Path.cwd(), keys)
        self._own_filters = (HarmlessFilter(), *((AsciiFilter(),) if self.settings.ascii else ()))
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
        if wanted is not None:
            checked_theme(wanted, self.available_themes, name=str(config_file()))
        known = remembered if remembered in self.available_themes else None
        self.theme = wanted or known or THEMES[0].name

    def _place(self, place: PlaceId) -> Place:
        return screen_of(place)(self.session, self.changed)

    @property
    def available_themes(self) -> dict[str, Theme]:
        # Not a copy: Textual asks for the theme twice for every line it draws, which is a tenth of what a key costs.
        return self._registered_themes

    def get_line_filters(self) -> Sequence[LineFilter]:
        # The same filters every time: a line that was filtered is kept by the filter's identity.
        return [*super().get_line_filters(), *self._own_filters]

    def on_mount(self) -> None:
        self.take_signals()
        self.theme_changed_signal.subscribe(self, lambda theme: remember_theme(theme.name))
        # The first screen is painted before anything else begins.
        self.call_after_refresh(lambda: self.in_spare_time(self.begin()))

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
        self.probe()

    def action_examine(self) -> None:
        """Find what would change the first pick, unless that is known."""
        found = self.session.found
        if found is None or found.sensitivity is None or found.sensitivity.constraints is not None:
            return
        self.notify("Trying other requirements, one at a time …", markup=False)
        self._jobs.examine(found)

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
