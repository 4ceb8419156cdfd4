"""Conversations put into a file's own chat template, in a child that is given up when the template does not end."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from advisor.domain.trial.tasks import Task
from advisor.engine import operations as ops
from advisor.engine.client import EngineCancelled, EngineClient, EngineRefused, EngineUnavailable
from advisor.engine.scratch import scratch_root
from advisor.engine.smoke import HELPER_BYTES, RENDER_TIMEOUT_S
from advisor.engine.smoke_messages import RenderParams
from advisor.engine.trial_messages import Turn
from advisor.errors import EngineError
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.split import read_model
from advisor.gguf.template import chat_template


class Templating:
    """Renders for one file. A template that was refused once is not tried again: the one is used that llama.cpp
    recognises."""

    def __init__(self, path: Path) -> None:
        self._template = chat_template(path, read_model(path))
        self._stack = ExitStack()
        self._helper: EngineClient | None = None
        self.refusal: str | None = None
        """Why the file's template is not used."""

    def __enter__(self) -> Templating:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def cancel(self) -> None:
        """End what runs; from any thread."""
        if self._helper is not None:
            self._helper.cancel()

    def rendered(self, task: Task) -> str | None:
        """The text that goes into the model; None where the file has no template that can be used."""
        if self._template is None or self.refusal is not None:
            return None
        turns = tuple([Turn(message.role, message.content) for message in task.messages])
        params = RenderParams(self._template.text, (), self._template.bos, self._template.eos, turns)
        helper = self._helper or self._start()
        try:
            (text,) = ops.render(helper, params, timeout=RENDER_TIMEOUT_S).texts
        except (EngineUnavailable, EngineCancelled):
            raise
        except EngineRefused as error:
            self.refusal = error.what
        except EngineError as error:
            is_late = helper.pid is None
            self.refusal = f"did not end within {RENDER_TIMEOUT_S:.0f} s" if is_late else error.what
        else:
            return text
        return None

    def _start(self) -> EngineClient:
        folder = self._stack.enter_context(scratch_dir(scratch_root()))
        client = EngineClient(
            threads=1, memory_limit_bytes=HELPER_BYTES, folders=(folder,), env={"TMPDIR": str(folder)}
        )
        self._helper = self._stack.enter_context(client)
        return self._helper
