"""Which open-weight model, in which quantization, to run for a use on a machine.

`import advisor` is cheap: what stands in `__all__` is loaded when it is first used. See docs/api.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.api import Advice, Result, licence, models, recommend, show, size, speed
    from advisor.errors import AdvisorError
    from advisor.service import Advisor

__version__ = "0.1.0"

__all__ = [
    "Advice",
    "Advisor",
    "AdvisorError",
    "Result",
    "__version__",
    "licence",
    "models",
    "recommend",
    "show",
    "size",
    "speed",
]

_PLACES = {"Advisor": "advisor.service", "AdvisorError": "advisor.errors"}
"""Where a public name lives, unless it is in advisor.api."""


def __getattr__(name: str) -> object:
    """A public name, imported now. Raises AttributeError for any other."""
    if name not in __all__:
        raise AttributeError(f"module 'advisor' has no attribute {name!r}")
    # By name and not by a statement: the layers below import this package for its version and must not seem to
    # depend on the interface above them.
    found: object = getattr(import_module(_PLACES.get(name, "advisor.api")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
