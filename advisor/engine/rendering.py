"""A file's chat template, rendered in the child as what it is: a program by somebody nobody knows.

Jinja's immutable sandbox keeps it from everything but its input; the parent kills a child whose template does not end.
"""

from __future__ import annotations

import json
import time
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from advisor.engine.native import NativeError
from advisor.engine.smoke_messages import RenderParams, RenderResult

LARGEST_TEXT = 1_000_000
"""Characters or elements that a template may make by one multiplication, and digits by one power."""


def render(params: RenderParams) -> RenderResult:
    """Put each message into the template. Raises NativeError where the template is broken or reaches for too much."""
    environment = _Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _refuse, "strftime_now": time.strftime}
    try:
        template = environment.from_string(params.template)
        conversations = [[{"role": "user", "content": prompt}] for prompt in params.prompts]
        if params.conversation:
            conversations.append([{"role": turn.role, "content": turn.content} for turn in params.conversation])
        texts = tuple([_render(template, messages, params) for messages in conversations])
    except NativeError:
        raise
    except SecurityError as error:
        raise NativeError("request", f"reaches for what no template may use: {_line(error)}") from None
    except TemplateError as error:
        raise NativeError("request", f"cannot be rendered: {_line(error)}") from None
    except MemoryError:
        raise NativeError("request", "takes more memory than a template may") from None
    except Exception as error:  # a template can provoke any error of the values that it handles
        raise NativeError("request", f"cannot be rendered: {type(error).__name__}: {_line(error)}") from None
    given = sum(len(turn.content) for turn in params.conversation)
    if any(len(text) > LARGEST_TEXT + given for text in texts):
        raise NativeError("request", f"makes over {LARGEST_TEXT:,} characters of one short message")
    return RenderResult(texts)


def _render(template: Any, messages: list[dict[str, str]], params: RenderParams) -> str:
    text = template.render(
        messages=messages, add_generation_prompt=True, bos_token=params.bos, eos_token=params.eos, tools=None
    )
    # Some templates leave out white space around a message.
    if messages[-1]["content"].strip() not in text:
        raise NativeError("request", "leaves the user's message out")
    return str(text)


class _Environment(ImmutableSandboxedEnvironment):
    """As the sandbox, but what is unsafe is an error at once, and no operation makes something huge."""

    intercepted_binops = frozenset({"*", "**"})

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        raise SecurityError(f"the attribute {attribute!r} of a {type(obj).__name__}")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*" and _product_size(left, right) > LARGEST_TEXT:
            raise SecurityError("a multiplication that would fill memory")
        are_whole = isinstance(left, int) and isinstance(right, int)
        if operator == "**" and are_whole and left.bit_length() * abs(right) > LARGEST_TEXT:
            raise SecurityError("a power that would fill memory")
        return super().call_binop(context, operator, left, right)


def _product_size(left: Any, right: Any) -> int:
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(count, int):
            return len(sequence) * max(0, count)
    return 0


def _to_json(value: Any, indent: int | None = None, **_options: Any) -> str:
    """As Hugging Face's: without the escapes for HTML that Jinja's own filter makes."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _line(error: Exception) -> str:
    """An error in one line, however long a template makes it."""
    return " ".join(str(error).split())[:200]
