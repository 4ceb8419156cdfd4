"""Parts of the program that need a package which is not installed by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from advisor.errors import InputError


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Import what an extra brings. Raises InputError with the line that installs it where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "advisor":
            raise
        raise InputError(
            f"this command needs the extra {extra!r}",
            why=f"{error.name} is not installed",
            hint=f"Install it: pip install 'llm-advisor[{extra}]'",
        ) from error
