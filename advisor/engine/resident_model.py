"""A model that stays loaded from one request to the next, until another one is asked for."""

from __future__ import annotations

from contextlib import ExitStack

from advisor.engine.loading import Loaded, Progress, open_model
from advisor.engine.messages import ContextParams
from advisor.engine.native import Native


class ResidentModel:
    """At most one loaded model."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._of: tuple[str, ContextParams] | None = None
        self._loaded: Loaded | None = None

    def loaded(self, native: Native, path: str, context: ContextParams, progress: Progress | None = None) -> Loaded:
        """The model with this context, loaded where it is not. Raises NativeError where llama.cpp refuses."""
        if self._loaded is None or self._of != (path, context):
            self.release()
            self._loaded = self._stack.enter_context(open_model(native, path, context, progress=progress))
            self._of = (path, context)
        return self._loaded

    def release(self) -> None:
        """Free it; does nothing where nothing is loaded."""
        self._loaded = self._of = None
        self._stack.close()
        self._stack = ExitStack()
