"""The five places, in the order of the flow."""

from __future__ import annotations

from typing import Literal

PlaceId = Literal["machine", "needs", "picks", "proof", "export"]

PLACES: tuple[tuple[PlaceId, str], ...] = (
    ("machine", "Machine"),
    ("needs", "Needs"),
    ("picks", "Picks"),
    ("proof", "Proof"),
    ("export", "Export"),
)

PLACE_IDS: tuple[PlaceId, ...] = tuple(place for place, _ in PLACES)

PLACE_HELP: dict[PlaceId, str] = {
    "machine": "What this machine has, and what llama.cpp can use of it.",
    "needs": "What you need. Every question has a default, so answer only what matters to you.",
    "picks": "The models that fit, best first. The selected row is explained beside the table.",
    "proof": "Run the selected model here for a moment and compare what was predicted with what is measured.",
    "export": "Save the selected model: a TOML file with all that the advice rests on, a report, or files that run it.",
}


def neighbour(place: PlaceId, step: int) -> PlaceId:
    """The place `step` further in the flow, or the last one on the way."""
    index = PLACE_IDS.index(place) + step
    return PLACE_IDS[max(0, min(len(PLACE_IDS) - 1, index))]
