from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.protocol import Event, Failure, Hello, Message, ProtocolError, Request, Result, decode, encode

MESSAGES: list[Message] = [
    Hello(1, 42),
    Hello(1, 42, "ImportError: no"),
    Request(1, "bench", {"paths": ["a\nb"], "n": 3}),
    Event(1, "token", {"text": "größe \u2028 \U0001f600"}),
    Result(1, {"x": None}),
    Failure(1, "load", "cannot", "because", ("line 1", "line 2")),
    Failure(1, "run", "cannot"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_pipe_as_one_line(message: Message) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == message


BAD_LINES = [
    b"",
    b"llama_model_loader: loaded",
    b"[]",
    b"3",
    b"{}",
    b'{"type": "hello"}',
    b'{"type": "hello", "protocol": true, "pid": 1}',
    b'{"type": "result", "id": 1, "payload": []}',
    b'{"type": "event", "id": 1, "kind": "other", "payload": {}}',
    b'{"type": "failure", "id": 1, "kind": "other", "message": "", "log": []}',
    b'{"type": ["hello"]}',
    b"[" * 100_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: repr(line[:40]))
def test_other_lines_are_protocol_errors(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_json_is_a_message_or_a_protocol_error(value: object) -> None:
    try:
        message = decode(json.dumps(value).encode())
    except ProtocolError:
        return
    assert decode(encode(message)) == message
