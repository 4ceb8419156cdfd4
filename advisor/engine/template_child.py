"""The child that renders a file's own chat template and tells languages: it knows nothing of any model, and is given up
when a template takes too long."""

from __future__ import annotations

from pathlib import Path

from advisor.engine.client import EngineCancelled, EngineClient, EngineLateError, EngineRefused, EngineUnavailable
from advisor.engine.operations import render
from advisor.engine.smoke_messages import RenderParams
from advisor.errors import EngineError
from advisor.units import GIB

RENDER_TIMEOUT_S = 5.0
"""A template renders in milliseconds; one that takes longer loops."""
MEMORY_BYTES = 2 * GIB
"""Address space of the child; it takes 0.35 GiB."""


def template_child(folder: Path) -> EngineClient:
    """A child that writes nowhere but in a folder, which starts with the first request."""
    return EngineClient(threads=1, memory_limit_bytes=MEMORY_BYTES, folders=(folder,), env={"TMPDIR": str(folder)})


def rendered(child: EngineClient, params: RenderParams) -> tuple[tuple[str, ...] | None, str]:
    """The texts, or None and why the template cannot be used.

    Raises EngineUnavailable where llama.cpp is missing, EngineCancelled when cancelled.
    """
    try:
        return render(child, params, timeout=RENDER_TIMEOUT_S).texts, ""
    except (EngineUnavailable, EngineCancelled):
        raise
    except EngineRefused as error:
        return None, error.what
    except EngineLateError:
        return None, f"did not end within {RENDER_TIMEOUT_S:.0f} s"
    except EngineError as error:
        return None, f"could not be rendered: {error.what}"
