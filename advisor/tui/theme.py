"""The program's themes. Every colour of the screens comes from here; style sheets name variables only.

The accents are Okabe and Ito's palette, which people with any colour vision can tell apart
(https://jfly.uni-koeln.de/color/), lighter or darker where a background asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.theme import Theme

from advisor.errors import InputError, nearest

ADVISOR_THEME = Theme(
    name="advisor",
    primary="#56B4E9",
    secondary="#0072B2",
    accent="#E69F00",
    success="#2BB98B",
    warning="#E69F00",
    error="#F07838",
    dark=True,
)
LIGHT_THEME = Theme(
    name="advisor-light",
    primary="#00568A",
    secondary="#0072B2",
    accent="#8A5A00",
    success="#006B4E",
    warning="#8A5A00",
    error="#A84300",
    background="#F7F7F5",
    surface="#ECECEA",
    panel="#DEDEDB",
    foreground="#141414",
    dark=False,
    variables={"text-disabled": "auto 50%"},
)
CONTRAST_THEME = Theme(
    name="advisor-contrast",
    primary="#7FD4FF",
    secondary="#7FD4FF",
    accent="#FFD24D",
    success="#5CFFC4",
    warning="#FFD24D",
    error="#FF9E66",
    background="#000000",
    surface="#000000",
    panel="#1A1A1A",
    foreground="#FFFFFF",
    dark=True,
    text_alpha=1.0,
    variables={"text-muted": "#FFFFFF", "text-disabled": "#C8C8C8"},
)
OKABE_ITO_THEME = Theme(
    name="okabe-ito",
    primary="#0072B2",
    secondary="#CC79A7",
    accent="#E69F00",
    success="#009E73",
    warning="#E69F00",
    error="#D55E00",
    dark=True,
)
THEMES = (ADVISOR_THEME, LIGHT_THEME, CONTRAST_THEME, OKABE_ITO_THEME)
"""The first one is the default."""


def checked_theme(wanted: str, available: Iterable[str], *, name: str) -> str:
    """The theme that the settings in the file of that name ask for. Raises InputError where there is none, with the
    nearest."""
    known = sorted(available)
    if wanted not in known:
        hint = nearest(wanted, known) or f"Themes: {', '.join(known)}."
        raise InputError(f"{name}: theme: there is no theme {wanted!r}", hint=hint)
    return wanted
