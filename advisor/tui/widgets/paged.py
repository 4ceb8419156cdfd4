"""What scrolls by pages and leaves the arrows to whoever is around it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll


class Paged(VerticalScroll, inherit_bindings=False):
    """As VerticalScroll, whose arrows would scroll, but only where something is out of sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]
