"""How a caller writes the arguments of a question, for errors that name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArgumentNames:
    """By the names of Python and of assistants, or by the flags of the command line."""

    flags: Mapping[str, str] | None = None
    """By name; a switch has the flag that turns its default over. None where the names themselves are written."""

    def __call__(self, name: str) -> str:
        """An argument alone: `gpu_layers`, `--gpu-layers`."""
        return name if self.flags is None else self.flags[name]

    def given(self, name: str, value: str | int | bool) -> str:
        """An argument with a value: `gpu_layers=0`, `--gpu-layers 0`."""
        if self.flags is None:
            return f"{name}={_quoted(value)}"
        if isinstance(value, bool):
            return self.flags[name]
        return f"{self.flags[name]} {_quoted(value) if ' ' in str(value) else value}"


OWN_NAMES = ArgumentNames()
"""Those of Python and of assistants."""


def _quoted(value: str | int | bool) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
