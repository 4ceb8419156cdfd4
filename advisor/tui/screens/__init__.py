"""One screen for each place, and the modal ones."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from advisor.tui.places import PlaceId
    from advisor.tui.screens.place import Place

_CLASSES: dict[PlaceId, str] = {
    "machine": "MachineScreen",
    "needs": "NeedsScreen",
    "picks": "PicksScreen",
    "proof": "ProofScreen",
    "export": "ExportScreen",
}


def screen_of(place: PlaceId) -> type[Place]:
    """The screen of a place. It is imported when it is first asked for, because only one place is painted at the
    start."""
    module = import_module(f"advisor.tui.screens.{place}")
    return cast("type[Place]", getattr(module, _CLASSES[place]))


__all__ = ["screen_of"]
