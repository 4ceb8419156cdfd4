"""One screen for each place, and the modal ones."""

from __future__ import annotations

from advisor.tui.places import PlaceId
from advisor.tui.screens.export import ExportScreen
from advisor.tui.screens.machine import MachineScreen
from advisor.tui.screens.needs import NeedsScreen
from advisor.tui.screens.picks import PicksScreen
from advisor.tui.screens.place import Place
from advisor.tui.screens.proof import ProofScreen

PLACE_SCREENS: dict[PlaceId, type[Place]] = {
    "machine": MachineScreen,
    "needs": NeedsScreen,
    "picks": PicksScreen,
    "proof": ProofScreen,
    "export": ExportScreen,
}

__all__ = ["PLACE_SCREENS"]
