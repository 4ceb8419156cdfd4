"""What comes from the engine child, and the chat templates that are rendered in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from advisor.engine import messages, smoke_messages, trial_messages
from advisor.engine.codec import from_json
from advisor.engine.logs import first_error, last_error, memory_figures, quantized_bytes, quantized_types
from advisor.engine.native import NativeError
from advisor.engine.protocol import Event, Failure, Hello, Message, ProtocolError, Request, Result, decode, encode
from advisor.engine.rendering import render
from advisor.engine.sandbox import named
from advisor.errors import InputError
from tests.fuzz.codecs import JsonLines, Lines, Words
from tests.fuzz.harness import Harness

_KINDS = (
    messages.Description, messages.DryRunResult, messages.QuantizeResult, messages.RowsResult, messages.BenchResult,
    messages.MeasureResult, messages.GenerateResult, smoke_messages.AskResult, smoke_messages.RenderResult,
    smoke_messages.IdentifyResult,
    trial_messages.ChatResult, trial_messages.TokensResult, trial_messages.ScoreResult, trial_messages.RequantizeResult,
)  # fmt: skip


def lines(raw: bytes, folder: Path) -> None:
    """A line that the child sent: a message or a ProtocolError, and a payload that its operation can read or not."""
    n_read = 0
    for line in raw.split(b"\n")[:5]:
        try:
            message = decode(line)
        except ProtocolError:
            continue
        n_read += 1
        if isinstance(message, Hello):
            named(message.protections)
        if isinstance(message, Event):
            continue  # the program never writes one
        decode(encode(message))
        if isinstance(message, Result):
            _read(message)
    if not n_read:
        raise InputError("none of the lines is a message")


def _read(message: Result) -> None:
    for kind in _KINDS:
        try:
            from_json(kind, message.payload)
        except ValueError:
            continue


def logs(raw: bytes, folder: Path) -> None:
    """Lines that llama.cpp logged, whose figures are read."""
    found = raw.decode("utf-8", "replace").splitlines()
    figures = memory_figures(found, 1 << 20, 32_000)
    told = (quantized_types(found), quantized_bytes(found), first_error(found), last_error(found))
    if figures == memory_figures([], 1 << 20, 32_000) and not any(told):
        raise InputError("nothing was found in it")


def template(raw: bytes, folder: Path) -> None:
    """A file's chat template on a short conversation: rendered or refused."""
    text = raw.decode("utf-8", "replace")
    turns = (trial_messages.Turn("system", "Be brief."), trial_messages.Turn("user", "Hello"))
    try:
        render(smoke_messages.RenderParams(text, ("Hi there",), "<s>", "</s>", turns))
    except NativeError as error:
        raise InputError(str(error)) from error


def _line_seeds() -> Sequence[bytes]:
    described = {"version": "0.3.36", "gpu_offload": False, "system_info": "x", "devices": []}
    found: list[Message] = [
        Hello(1, 7, None, (("network", True, "seccomp"),)),
        Request(1, "describe", {"a": 1}, 2.0),
        Result(1, described),
        Result(2, {"texts": ["a"]}),
        Failure(1, "load", "no model", "why", ("line",)),
    ]
    lines = [encode(message) for message in found]
    event = json.dumps({"type": "event", "id": 1, "kind": "progress", "payload": {"share": 0.5}}).encode()
    answers = [
        {"tokens": [1, 2], "n_bytes": [1, 2], "vocabulary_sha256": "a", "begins_with": 1},
        {"log_probabilities": [-1.0], "best_tokens": [3]},
        {"series": [{"label": "a", "milliseconds": [1.0, 2.0]}], "values": [1.5]},
    ]
    return [*lines, event, *(encode(Result(3, answer)) for answer in answers)]


def _log_seeds() -> Sequence[bytes]:
    return [
        b"load_tensors:   CPU model buffer size =  4169.52 MiB\n"
        b"llama_kv_cache: size = 1024.00 MiB (  8192 cells,  32 layers,  1/1 seqs), K (f16):  512.00 MiB, V (f16):  512.00 MiB\n"
        b"llama_context:        CPU compute buffer size =   124.01 MiB\n"
        b"llama_context:        CPU  output buffer size =     0.12 MiB\n"
        b"load_tensors: layer   0 assigned to device CPU, is_swa = 0\nllama_kv_cache: layer   0: dev = CPU\n"
        b"llama_context: Flash Attention was auto, set to enabled\nllama_context: flash_attn    = enabled\n",
        b"[   1/ 291]  output.weight - [ 4096, 32000,     1,     1], type =    f16, converting to q6_K .. size =   250.00 MiB ->   102.54 MiB (Q6_K)\n"
        b"llama_model_quantize_impl: quant size  =  4169.52 MiB\n/a/b/c.cpp:12: GGML_ASSERT(false) failed\n",
        b"llama_memory_recurrent: size =   72.75 MiB (     1 cells,  24 layers,  1 seqs), R (f32):    0.75 MiB, S (f32):   72.00 MiB\n",
    ]


def _template_seeds() -> Sequence[bytes]:
    chatml = (
        b"{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
        b"{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    mistral = (
        b"{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' ~ m.content ~ ' [/INST]' }}"
        b"{% elif m['role'] == 'system' %}{{ m.content | trim }}{% else %}{{ raise_exception('x') }}{% endif %}{% endfor %}"
    )
    llama = (
        b"{%- set ns = namespace(a=1) -%}{%- if tools is not none %}{{ tools | tojson(indent=4) }}{% endif -%}"
        b"{{ strftime_now('%d %b %Y') }}{%- for m in messages -%}{%- set ns.a = loop.index -%}{{ m['content'] | string }}"
        b"{%- if loop.last %}{% break %}{% endif -%}{%- endfor -%}{% macro f(x) %}{{ x * 3 }}{% endmacro %}{{ f('a') }}"
    )
    return [chatml, mistral, llama, b"{{ messages[-1].content }}{{ ''.__class__ }}", b"{{ 'a' * 10 ** 6 }}"]


_LINE_WORDS = (
    "type", "hello", "request", "event", "result", "failure", "protocol", "pid", "protections", "error", "id", "op",
    "params", "patience_s", "kind", "progress", "token", "subject", "payload", "message", "why", "log", "load", "context",
    "version", "devices", "texts", "tokens", "values", "series", "log_probabilities",
)  # fmt: skip
_LOG_WORDS = (
    " buffer size = ", " MiB", "model", "compute", "output", "cells,", "layers,", "seqs", "K (", "V (", "R (", "S (",
    "layer ", "assigned to device ", ": dev = ", "Flash Attention was ", "enabled", "99999999999999999999", "1e400", "...",
    "type = ", "quant size = ", "q4_K", "error", "assert",
)  # fmt: skip
_TEMPLATE_WORDS = (
    "{{", "}}", "{%", "%}", "{% for i in range(9999) %}", "{% endfor %}", "{% set x = ", "namespace(", "loop.index",
    "messages", "['role']", "content", "bos_token", "raise_exception(", "strftime_now('%Y')", "|tojson", "|trim", "|map(",
    "attribute='__class__'", ".__class__", ".__init__.__globals__", "cycler.__init__", "lipsum.__globals__", "self._",
    "|attr('__class__')", "'a'*999999", "**", "%", "|format(", "'{0.__class__}'.format(x)", "|join", "|center(9999999)",
    "|indent(999999999)", "|wordwrap", "|batch(", "|groupby", "|urlize", "|xmlattr", "{% macro f() %}{{ f() }}{% endmacro %}",
    "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% continue %}", "{% break %}", "tools", "range(",
)  # fmt: skip

HARNESSES = (
    Harness(
        "engine-lines",
        "lines of the engine child's protocol (JSON)",
        "`engine.protocol.decode`, `engine.codec.from_json` for every answer",
        lines,
        _line_seeds,
        JsonLines(),
        _LINE_WORDS,
    ),
    Harness(
        "engine-logs",
        "what llama.cpp logs",
        "`engine.logs`",
        logs,
        _log_seeds,
        Lines(),
        _LOG_WORDS,
    ),
    Harness(
        "chat-template",
        "chat templates in GGUF files (Jinja)",
        "`engine.rendering.render`, which the product runs in a child that is killed after 5 s",
        template,
        _template_seeds,
        Words(),
        _TEMPLATE_WORDS,
        ended_elsewhere=True,
        cpu_s=1.0,
    ),
)
