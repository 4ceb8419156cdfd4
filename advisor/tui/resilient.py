"""What Textual leaves to chance: terminals of a few cells, and input that overtakes a screen which opens or closes."""

from __future__ import annotations

import traceback
from contextlib import suppress

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.geometry import Size
from textual.widgets import OptionList
from textual.worker import WorkerFailed

LEAST = Size(24, 6)
"""Below this nothing can be read, and what lies outside is cut off by the terminal. Textual and Rich cannot fold text
into no columns, so a smaller terminal is drawn as if it had this size."""

_PALETTE_ID = "--command-palette"
"""By which Textual knows an open palette."""
_SOON_S = 0.05
"""After so long a screen that was dismissed may have gone."""


def at_least(size: Size) -> Size:
    """A size that the screens can be laid out in."""
    return Size(max(size.width, LEAST.width), max(size.height, LEAST.height))


class _Palette(CommandPalette):
    """A palette whose keys may come before its list has been laid out."""

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # there is no line yet that could be left
            super()._action_command_list(action)


async def _on_click(self: OptionList, event: events.Click) -> None:
    """Take a click on an option that is still drawn and not in the list any more for one beside the options."""
    option = event.style.meta.get("option")
    if option is None or option < self.option_count:
        await _ON_CLICK(self, event)


# Textual looks handlers up by class, and the palette makes its list itself.
_ON_CLICK = OptionList._on_click
setattr(OptionList, "_on_click", _on_click)  # noqa: B010 - mypy forbids to assign to a method


def _is_of_palette(error: NoMatches) -> bool:
    """Whether the palette missed one of its own widgets, as its search does that goes on while it closes."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(isinstance(frame.f_locals.get("self"), CommandPalette) for frame, _ in frames)


class ResilientApp(App[None]):
    """The part of an app that outlives all that."""

    @property
    def size(self) -> Size:
        return at_least(super().size)

    async def on_event(self, event: events.Event) -> None:
        if self._exit and isinstance(event, events.InputEvent):
            return  # keys of the same burst as the one that left have no screen any more
        if isinstance(event, events.Resize):
            event = events.Resize(at_least(event.size), at_least(event.virtual_size))
        if isinstance(event, events.MouseDown) and self._is_on_what_has_gone(event):
            return
        await super().on_event(event)

    def _is_on_what_has_gone(self, event: events.MouseDown) -> bool:
        """Whether the pointer is on something still drawn that was removed, such as a notice whose time is up."""
        found, _ = self.screen.get_widget_and_offset_at(event.x, event.y)
        return found is not None and found is not self.screen and found.parent is None

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(cause, NoMatches) and (self._exit or _is_of_palette(cause)):
            return  # a screen that opens when the user leaves, or a palette that closes, has no widgets to find
        super()._handle_exception(error)

    def pop_screen(self) -> AwaitComplete:
        """Close the screen on top. The last one stays: a second click beside the palette would close what is below."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete()

    def action_command_palette(self) -> None:
        """Open the palette, after the one before it where that is still closing: both have the same id."""
        if any(isinstance(child, CommandPalette) for child in self._nodes) and not self.is_palette_open:
            self.set_timer(_SOON_S, self.action_command_palette)
        elif self.use_command_palette and not self.is_palette_open:
            self.push_screen(_Palette(id=_PALETTE_ID))

    @property
    def is_palette_open(self) -> bool:
        """Whether the command palette is on top: while it opens, it relies on the screen below it to stay."""
        return isinstance(self.screen, CommandPalette)
