"""The keys as they are now: those of the registry, changed by the user's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textual.keys import format_key

from advisor.errors import InputError, nearest
from advisor.tui.commands import COMMANDS, Command, commands_at
from advisor.tui.places import PLACE_IDS

_NAMES = {"slash": "/", "question_mark": "?", "escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab"}


@dataclass(frozen=True, slots=True)
class Keymap:
    """Made by `keymap`, which checks it."""

    changed: Mapping[str, str] = field(default_factory=dict)
    """Keys by id of the command, separated by commas."""

    def keys(self, command: Command) -> tuple[str, ...]:
        """The keys that trigger a command."""
        return _split(self.changed.get(command.id, command.keys))

    def shown(self, command: Command) -> str:
        """The keys as people read them."""
        if command.id not in self.changed:
            return command.shown
        return " ".join(_name(key) for key in self.keys(command))


def keymap(changed: Mapping[str, str], *, name: str) -> Keymap:
    """Check the keys of a user.

    Raises InputError for an unknown command, with the nearest, for an empty key, and for a key that would mean two
    things in one place.
    """
    known = {command.id for command in COMMANDS}
    for command_id, keys in changed.items():
        if command_id not in known:
            hint = nearest(command_id, known) or f"Commands: {', '.join(sorted(known))}."
            raise InputError(f"{name}: keys.{command_id}: unknown command", hint=hint)
        if not _split(keys):
            raise InputError(f"{name}: keys.{command_id}: no key is given")
    made = Keymap({command_id: ",".join(_split(keys)) for command_id, keys in changed.items()})
    for place in PLACE_IDS:
        taken: dict[str, str] = {}
        for command in commands_at(place):
            for key in made.keys(command):
                # `/` and `slash` are the same key.
                other = taken.setdefault(format_key(key), command.id)
                if other != command.id:
                    why = f"{other} and {command.id} would both have it in {place}"
                    raise InputError(f"{name}: keys: {key} has two meanings", why=why)
    return made


def _split(keys: str) -> tuple[str, ...]:
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def _name(key: str) -> str:
    if key in _NAMES:
        return _NAMES[key]
    return format_key(key)
