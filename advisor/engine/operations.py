"""The engine's operations as typed calls. All raise EngineError."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from advisor.domain.blueprint import Blueprint
from advisor.engine import messages as m
from advisor.engine import smoke_messages as a
from advisor.engine import trial_messages as c
from advisor.engine.client import EngineClient, OnEvent
from advisor.engine.codec import from_json, to_json
from advisor.errors import EngineError
from advisor.gguf.scratch import header_root, scratch_dir
from advisor.gguf.writer import write_sparse

T = TypeVar("T")

DRY_RUN_TIMEOUT_S = 60.0
RUN_TIMEOUT_S = 600.0


def describe(client: EngineClient) -> m.Description:
    """Version, instruction sets and devices of the installed llama.cpp."""
    return _call(client, "describe", m.DescribeParams(), m.Description, DRY_RUN_TIMEOUT_S)


def dry_run(client: EngineClient, params: m.DryRunParams) -> m.DryRunResult:
    """What a file would take in memory, without reading its weights."""
    return _call(client, "dry_run", params, m.DryRunResult, DRY_RUN_TIMEOUT_S)


def size_blueprint(
    client: EngineClient, blueprint: Blueprint, context: m.ContextParams, *, root: Path | None = None
) -> m.DryRunResult:
    """What a model that is not here would take, from a weightless file that exists only meanwhile."""
    with scratch_dir(root or header_root()) as folder:
        path = folder / "model.gguf"
        write_sparse(blueprint, path)
        return dry_run(client, m.DryRunParams(str(path), context))


def quantize_dry_run(client: EngineClient, params: m.QuantizeParams) -> m.QuantizeResult:
    """The tensor types that llama.cpp's quantizer would choose for a file, for each of several file types."""
    timeout = DRY_RUN_TIMEOUT_S * max(1, len(params.file_types))
    return _call(client, "quantize_dry_run", params, m.QuantizeResult, timeout)


def quantize_blueprint(
    client: EngineClient,
    blueprint: Blueprint,
    file_types: tuple[int, ...],
    *,
    importance_matrix: bool,
    root: Path | None = None,
) -> m.QuantizeResult:
    """The tensor types for several file types, from an F16 blueprint that is written once."""
    with scratch_dir(root or header_root()) as folder:
        path = folder / "model.gguf"
        write_sparse(blueprint, path)
        return quantize_dry_run(client, m.QuantizeParams(str(path), file_types, importance_matrix))


def quantize_rows(client: EngineClient, params: m.RowsParams) -> m.RowsResult:
    """Valid random rows in a type, base64-encoded."""
    return _call(client, "quantize_rows", params, m.RowsResult, RUN_TIMEOUT_S)


def bench(
    client: EngineClient, params: m.BenchParams, *, timeout: float = RUN_TIMEOUT_S, on_event: OnEvent | None = None
) -> m.BenchResult:
    """Load models and time them in turn on random tokens."""
    return _call(client, "bench", params, m.BenchResult, timeout, on_event)


def measure(
    client: EngineClient, params: m.MeasureParams, *, timeout: float = RUN_TIMEOUT_S, on_event: OnEvent | None = None
) -> m.MeasureResult:
    """Load models and time them in turn until their weighted sum is known well enough."""
    return _call(client, "measure", params, m.MeasureResult, timeout, on_event)


def generate(
    client: EngineClient, params: m.GenerateParams, *, timeout: float = RUN_TIMEOUT_S, on_event: OnEvent | None = None
) -> m.GenerateResult:
    """Answer prompts with a file that has a vocabulary."""
    return _call(client, "generate", params, m.GenerateResult, timeout, on_event)


def answer(
    client: EngineClient, params: a.AskParams, *, timeout: float = RUN_TIMEOUT_S, on_event: OnEvent | None = None
) -> a.AskResult:
    """Answer the questions of a smoke test; each answer is told by an event as soon as it is there."""
    return _call(client, "answer", params, a.AskResult, timeout, on_event)


def render(client: EngineClient, params: a.RenderParams, *, timeout: float) -> a.RenderResult:
    """Put messages into a chat template."""
    return _call(client, "render", params, a.RenderResult, timeout)


def identify(client: EngineClient, params: a.IdentifyParams) -> a.IdentifyResult:
    """The languages of texts."""
    return _call(client, "identify", params, a.IdentifyResult, DRY_RUN_TIMEOUT_S)


def chat(
    client: EngineClient, params: c.ChatParams, *, timeout: float = RUN_TIMEOUT_S, on_event: OnEvent | None = None
) -> c.ChatResult:
    """Answer a conversation; the model stays loaded for the next one."""
    return _call(client, "chat", params, c.ChatResult, timeout, on_event)


def tokens_of(client: EngineClient, params: c.TokensParams, *, timeout: float = RUN_TIMEOUT_S) -> c.TokensResult:
    """Cut a text into tokens; the model stays loaded."""
    return _call(client, "tokens", params, c.TokensResult, timeout)


def score(client: EngineClient, params: c.ScoreParams, *, timeout: float = RUN_TIMEOUT_S) -> c.ScoreResult:
    """Log-probabilities of tokens; the model stays loaded for the next window."""
    return _call(client, "score", params, c.ScoreResult, timeout)


def requantize(
    client: EngineClient, params: c.RequantizeParams, *, timeout: float = RUN_TIMEOUT_S
) -> c.RequantizeResult:
    """Quantize a file into another, which must lie in a folder that the client may write to."""
    return _call(client, "requantize", params, c.RequantizeResult, timeout)


def _call(
    client: EngineClient, op: str, params: Any, kind: type[T], timeout: float, on_event: OnEvent | None = None
) -> T:
    raw = client.request(op, to_json(params), timeout=timeout, on_event=on_event)
    try:
        return from_json(kind, raw)
    except ValueError as error:
        raise EngineError(f"the engine's answer to {op} cannot be read", why=str(error)) from error
