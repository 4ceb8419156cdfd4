"""When Python looks for garbage: drawing leaves thousands of objects in cycles behind, and keys wait for the look."""

from __future__ import annotations

import gc

_AT_START = 2_000, 5, 1_000
"""Allocations, and then looks at the younger generation, after which a generation is looked at. The third holds the
catalogue, which stays to the end and whose 100,000 objects take 150 ms: until it is exempt that is put off."""
_AFTERWARDS = 2_000, 5, 10
"""Often, and so each time little: forty thousand objects at once hold a key up for 70 ms."""


def look_seldom() -> None:
    """At what is there to stay, while it is being made."""
    gc.set_threshold(*_AT_START)


def exempt_what_is_there() -> None:
    """Look at nothing that is there now any more, and often at what comes."""
    gc.freeze()
    gc.set_threshold(*_AFTERWARDS)
