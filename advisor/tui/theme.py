"""The program's own colours: Okabe and Ito's palette, which people with any colour vision can tell apart."""

from __future__ import annotations

from textual.theme import Theme

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
