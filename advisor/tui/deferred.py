"""The advisor, imported while the first screen is on the terminal already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from advisor.service import Advisor


class _Deferred:
    """Stands for the advisor. Whoever asks for anything of it first, which is the thread that probes, imports it."""

    def __getattr__(self, name: str) -> Any:
        from advisor.service import Advisor

        # Threads that ask at the same time may each make one; the one that is kept is the one all get.
        advisor = self.__dict__.setdefault("_advisor", Advisor())
        return getattr(advisor, name)


def deferred_advisor() -> Advisor:
    """An advisor that costs nothing until it is used."""
    return cast("Advisor", _Deferred())
