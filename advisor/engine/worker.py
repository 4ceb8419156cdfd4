"""The engine child: `python -m advisor.engine.worker`. The only file that imports llama_cpp.

Native code writes to file descriptors 1 and 2, so the protocol moves to a private one first and both go to standard
error. The child ends when its standard input closes or its parent dies.

It enters its sandbox after the library has found the GPUs, which may load drivers by a privileged helper, and before
it reads the first request: all that is foreign comes with requests.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from advisor.engine import sandbox
from advisor.engine.answering import answer
from advisor.engine.blocks import quantize_rows
from advisor.engine.chatting import chat
from advisor.engine.codec import from_json, to_json
from advisor.engine.identifying import identify
from advisor.engine.lifetime import die_with_parent, give_way
from advisor.engine.likelihood import score, tokens_of
from advisor.engine.loading import dry_run
from advisor.engine.logs import first_error
from advisor.engine.memory import keep_freed_memory
from advisor.engine.messages import (
    BenchParams,
    DescribeParams,
    DryRunParams,
    GenerateParams,
    MeasureParams,
    QuantizeParams,
    RowsParams,
)
from advisor.engine.native import Native, NativeError
from advisor.engine.protocol import (
    FAILURE_KINDS,
    PROTOCOL_VERSION,
    Event,
    Failure,
    Hello,
    Message,
    ProtocolError,
    Request,
    Result,
    decode,
    encode,
)
from advisor.engine.quantizing import quantize_dry_run
from advisor.engine.rendering import render
from advisor.engine.requantizing import requantize
from advisor.engine.resident_model import ResidentModel
from advisor.engine.rounds import measure
from advisor.engine.running import Emit, bench, generate
from advisor.engine.smoke_messages import AskParams, IdentifyParams, RenderParams
from advisor.engine.trial_messages import ChatParams, RequantizeParams, ScoreParams, TokensParams

_FAILURE_LINES = 40
_GRACE_S = 30

_KEPT = ResidentModel()

_Operation = Callable[[Native, Any, Emit], Any]
_OPERATIONS: dict[str, tuple[type, _Operation]] = {
    "describe": (DescribeParams, lambda native, params, emit: native.describe()),
    "dry_run": (DryRunParams, lambda native, params, emit: dry_run(native, params)),
    "quantize_dry_run": (QuantizeParams, lambda native, params, emit: quantize_dry_run(native, params)),
    "quantize_rows": (RowsParams, lambda native, params, emit: quantize_rows(native, params)),
    "bench": (BenchParams, bench),
    "generate": (GenerateParams, generate),
    "measure": (MeasureParams, measure),
    "chat": (ChatParams, lambda native, params, emit: chat(native, _KEPT, params, emit)),
    "tokens": (TokensParams, lambda native, params, emit: tokens_of(native, _KEPT, params)),
    "score": (ScoreParams, lambda native, params, emit: score(native, _KEPT, params)),
    "requantize": (RequantizeParams, lambda native, params, emit: requantize(native, params)),
    "answer": (AskParams, answer),
    "render": (RenderParams, lambda native, params, emit: render(params)),
    "identify": (IdentifyParams, lambda native, params, emit: identify(params)),
}


class _Channel:
    """The private pipe to the parent."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            self._stream.write(encode(message))
            self._stream.flush()


def main(arguments: list[str] | None = None) -> int:
    """Serve requests until standard input closes. Returns the exit code."""
    options = _parse(arguments)
    requests, channel = _take_over_descriptors()
    die_with_parent(options.parent)
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        channel.send(Hello(PROTOCOL_VERSION, os.getpid(), f"{type(error).__name__}: {error}"))
        return 1
    keep_freed_memory()
    give_way()
    native = Native(llama_cpp, options.threads)
    protections = sandbox.enter(_policy(native, options))
    inbox = _start_reader(requests)
    channel.send(Hello(PROTOCOL_VERSION, os.getpid(), None, tuple([(p.id, p.in_force, p.text) for p in protections])))
    while True:
        channel.send(_serve(native, inbox.get(), channel))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="advisor.engine.worker", description="Runs llama.cpp for llm-advisor.")
    parser.add_argument("--parent", type=int, required=True, help="process id of the parent")
    parser.add_argument("--threads", type=int, required=True, help="threads unless a request says otherwise")
    parser.add_argument("--memory-limit", type=int, default=None, help="bytes of address space")
    parser.add_argument("--gpu-cache", type=Path, required=True, help="where drivers of GPUs keep compiled code")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="where files may be written")
    return parser.parse_args(arguments)


def _take_over_descriptors() -> tuple[BinaryIO, _Channel]:
    requests = os.fdopen(os.dup(0), "rb")
    channel = _Channel(os.fdopen(os.dup(1), "wb"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, channel


def _policy(native: Native, options: argparse.Namespace) -> sandbox.Policy:
    gpus = native.has_gpus()
    # The unified memory of a GPU takes more addresses than any machine has memory.
    limits = sandbox.Limits(None if gpus else options.memory_limit)
    wanted = [*options.folder, *([options.gpu_cache] if gpus else [])]
    return sandbox.Policy(limits, tuple([folder for folder in wanted if _is_made(folder)]), gpus=gpus)


def _is_made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def _start_reader(stream: BinaryIO) -> queue.Queue[Request]:
    """Reads ahead in a thread, which also ends the process when the parent closes the pipe, even amid a long call."""
    inbox: queue.Queue[Request] = queue.Queue()

    def read() -> None:
        for line in stream:
            try:
                message = decode(line)
            except ProtocolError as error:
                print(f"a line is no request: {error}", file=sys.stderr)  # noqa: T201  # the parent keeps it
                os._exit(2)
            if isinstance(message, Request):
                inbox.put(message)
        os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    return inbox


def _serve(native: Native, request: Request, channel: _Channel) -> Result | Failure:
    def emit(kind: Any, payload: Mapping[str, Any]) -> None:
        channel.send(Event(request.id, kind, payload))

    native.log.lines = []
    if request.patience_s > 0:
        # The parent kills a child that answers too late; this is for one whose parent hangs.
        sandbox.limit_processor(int(request.patience_s + _GRACE_S) * (os.cpu_count() or 1))
    if request.op not in _OPERATIONS:
        return Failure(request.id, "request", f"unknown operation {request.op!r}")
    kind, operation = _OPERATIONS[request.op]
    try:
        params: Any = from_json(kind, request.params)
    except ValueError as error:
        return Failure(request.id, "request", str(error))
    try:
        return Result(request.id, to_json(operation(native, params, emit)))
    except NativeError as error:
        return _failure(native, request, error)
    except MemoryError:
        return Failure(request.id, "run", "out of memory")
    except Exception as error:  # the child may live on; what was asked for has failed, and the program is told why
        return Failure(request.id, "internal", f"{type(error).__name__}: {error}")


def _failure(native: Native, request: Request, error: NativeError) -> Failure:
    kind = next(k for k in FAILURE_KINDS if k == error.kind)
    why = first_error(native.log.lines) if kind in ("load", "context", "run") else None
    return Failure(request.id, kind, str(error), why, tuple(native.log.lines[-_FAILURE_LINES:]))


if __name__ == "__main__":
    sys.exit(main())
