"""Threads for slow work."""

from __future__ import annotations

from collections.abc import Callable

from textual.dom import DOMNode


def in_background(node: DOMNode, work: Callable[[], None], group: str) -> None:
    """Start work in a thread; what runs in the same group is told to end, and an error comes as a worker's message.

    The description is given because Textual writes one from the work otherwise, with every candidate of a
    recommendation in it: a tenth of a second in which no key is heard.
    """
    # The app owns it, because only the app shows what nobody foresaw.
    node.app.run_worker(work, group=group, description=group, thread=True, exclusive=True, exit_on_error=False)
