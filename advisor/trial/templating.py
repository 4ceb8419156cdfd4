"""Conversations put into a file's own chat template, in a child that is given up when the template does not end."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from advisor.domain.trial.tasks import Task
from advisor.engine.client import EngineClient
from advisor.engine.scratch import scratch_root
from advisor.engine.smoke_messages import RenderParams
from advisor.engine.template_child import rendered, template_child
from advisor.engine.trial_messages import Turn
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.split import read_model
from advisor.gguf.template import chat_template


class Templating:
    """Renders for one file. A template that was refused once is not tried again: the one is used that llama.cpp
    recognises."""

    def __init__(self, path: Path) -> None:
        self._template = chat_template(path, read_model(path))
        self._stack = ExitStack()
        self._child: EngineClient | None = None
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
        if self._child is not None:
            self._child.cancel()

    def rendered(self, task: Task) -> str | None:
        """The text that goes into the model; None where the file has no template that can be used."""
        if self._template is None or self.refusal is not None:
            return None
        turns = tuple([Turn(message.role, message.content) for message in task.messages])
        params = RenderParams(self._template.text, (), self._template.bos, self._template.eos, turns)
        texts, refusal = rendered(self._child or self._start(), params)
        if texts is None:
            self.refusal = refusal
            return None
        return texts[0]

    def _start(self) -> EngineClient:
        folder = self._stack.enter_context(scratch_dir(scratch_root()))
        self._child = self._stack.enter_context(template_child(folder))
        return self._child
