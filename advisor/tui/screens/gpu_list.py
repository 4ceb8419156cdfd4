"""The GPUs of the hardware catalogue, with a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from advisor.domain.hardware import GpuSpec
from advisor.units import format_bytes

OWN, NONE = "as this machine has", "none"

Choice = GpuSpec | str
"""A GPU, OWN or NONE."""


class GpuList(ModalScreen[Choice | None]):
    """What was chosen; None where nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave it", show=False),
        Binding("down", "step(1)", "Next", show=False),
        Binding("up", "step(-1)", "Before", show=False),
    ]

    def __init__(self, gpus: Sequence[GpuSpec]) -> None:
        super().__init__()
        self._all: tuple[Choice, ...] = (OWN, NONE, *gpus)
        self._shown: tuple[Choice, ...] = self._all

    def compose(self) -> ComposeResult:
        with Vertical(id="gpu-list"):
            yield Input(placeholder="part of a name, e.g. 4090; ↓ and Enter choose", compact=True, id="gpu-filter")
            yield OptionList(*map(_option, self._shown))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        wanted = event.value.casefold().split()
        self._shown = tuple(c for c in self._all if all(word in _searched(c) for word in wanted))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(map(_option, self._shown))
        options.highlighted = self._best(" ".join(wanted))
        options.border_subtitle = Content("" if self._shown else "no GPU of that name; Esc leaves it as it was")

    def _best(self, wanted: str) -> int | None:
        """The shown GPU whose name ends as typed, so that 3090 is no RTX 3090 Ti; else the first."""
        names = ("" if isinstance(c, str) else c.name.casefold() for c in self._shown)
        exact = next((i for i, name in enumerate(names) if wanted and name.endswith(wanted)), 0)
        return exact if self._shown else None

    @on(Input.Submitted)
    def _entered(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.dismiss(self._shown[index])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._shown):  # the list may have changed since
            self.dismiss(self._shown[event.option_index])

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()


def _searched(choice: Choice) -> str:
    if isinstance(choice, str):
        return choice
    return " ".join((choice.name, *choice.aliases, choice.vendor)).casefold()


def _option(choice: Choice) -> Option:
    if isinstance(choice, str):
        return Option(Content(choice))
    kind = " of unified memory" if choice.unified_memory else ""
    rate = f"{choice.bandwidth_bytes_per_s / 1e9:,.0f} GB/s"
    return Option(Content(f"{choice.name} · {format_bytes(choice.memory_bytes)}{kind} · {rate}"))
