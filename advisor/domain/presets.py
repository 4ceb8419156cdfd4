"""Answers to begin with, for needs that many have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.domain.questions import Answer
from advisor.errors import InputError, nearest
from advisor.values import value


@value
class Preset:
    """Some answers; every other question keeps its default."""

    id: str
    title: str
    sentence: str
    """Who it is for and what it assumes."""
    answers: Mapping[str, Answer]
    """By key of the constraints file."""


def find_preset(presets: Sequence[Preset], name: str) -> Preset:
    """The preset of an id, whatever the case. Raises InputError with the nearest id."""
    wanted = name.strip().casefold()
    for preset in presets:
        if preset.id == wanted:
            return preset
    ids = [preset.id for preset in presets]
    hint = nearest(wanted, ids) or (f"Presets are {', '.join(ids)}." if ids else "The knowledge holds none.")
    raise InputError(f"no preset {name!r}", hint=hint)
