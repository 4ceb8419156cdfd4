"""A moment of fuzzing for every parser, and the guard itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch
from urllib.request import urlopen

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.errors import InputError, NetworkError
from tests.fuzz.codecs import Codec
from tests.fuzz.guard import judge
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.serving import Scripted
from tests.fuzz.registry import MODULES, load
from tests.fuzz.strategies import inputs

EXAMPLES = 25
QUICK = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(MODULES))
def test_whatever_comes_a_parser_reads_or_refuses_it_within_the_bounds(name: str, tmp_path: Path) -> None:
    harness = load(name)

    @QUICK
    @given(raw=inputs(harness))
    def check(raw: bytes) -> None:
        _, finding = judge(harness, raw, tmp_path)
        assert finding is None, finding

    check()


def _harness(run: Callable[[bytes, Path], None]) -> Harness:
    return Harness("made", "", "", run, lambda: [b""], cpu_s=0.2)


def _write_elsewhere(_: bytes, __: Path) -> None:
    Path("/tmp/llm-advisor-fuzz-elsewhere").write_text("x")


def _connect(_: bytes, __: Path) -> None:
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=0.1)
    except OSError as error:
        raise InputError("refused") from error


def _swallow(_: bytes, folder: Path) -> None:
    try:
        os.remove("/nowhere/at-all")
    except BaseException as error:
        raise InputError("it could not be removed") from error


def _fill(_: bytes, __: Path) -> None:
    assert bytearray(300 << 20)


def _spin(_: bytes, __: Path) -> None:
    while True:
        continue


def _spin_and_hide_it(_: bytes, __: Path) -> None:
    try:
        while True:
            sum(range(1000))
    except BaseException as error:
        raise InputError("it took long") from error


class _Deaf:
    """Python prints what a finalizer raises, and goes on."""

    def __del__(self) -> None:
        while True:
            continue


def _spin_where_nothing_is_raised(_: bytes, __: Path) -> None:
    with patch("sys.unraisablehook"):
        _Deaf()
        while True:
            continue


def _start(_: bytes, __: Path) -> None:
    os.system("true")


def _say_much(_: bytes, __: Path) -> None:
    error = InputError("x")
    error.what = "two\nlines"
    raise error


def _fail_otherwise(_: bytes, __: Path) -> None:
    raise NetworkError("not what is documented")


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (_write_elsewhere, "reach"),
        (_connect, "reach"),
        (_swallow, "reach"),
        (_start, "reach"),
        (_fill, "memory"),
        (_spin, "time"),
        (_spin_and_hide_it, "time"),
        (_spin_where_nothing_is_raised, "time"),
        (_say_much, "message"),
        (_fail_otherwise, "crash"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__.strip("_"),
)
def test_the_guard_sees_what_no_input_may_do(run: Callable[[bytes, Path], None], kind: str, tmp_path: Path) -> None:
    was_read, finding = judge(_harness(run), b"", tmp_path)
    assert not was_read
    assert finding is not None
    assert finding.kind == kind
    assert not Path("/tmp/llm-advisor-fuzz-elsewhere").exists()


def test_a_parser_that_may_connect_reaches_the_harness_own_server_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def run(_: bytes, __: Path) -> None:
            with Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as server, urlopen(server.url):
                pass
            with socket.socket() as stray:
                stray.connect(other.getsockname())

        _, finding = judge(replace(_harness(run), cpu_s=5.0, serves=True), b"", tmp_path)
        assert finding is not None
        assert finding.where == f"socket.connect {other.getsockname()!r}"


def test_the_guard_lets_a_refusal_and_the_own_folder_be(tmp_path: Path) -> None:
    def run(_: bytes, folder: Path) -> None:
        (folder / "made").mkdir()
        (folder / "made/file").write_text("x")
        (folder / "made/file").unlink()
        raise InputError("a refusal")

    assert judge(_harness(run), b"", tmp_path) == (False, None)


def test_a_codec_reads_its_own_writing_or_refuses_it() -> None:
    codecs = list({codec for name in MODULES if (codec := load(name).codec) is not None})

    @settings(max_examples=200, deadline=None, database=None)
    @given(raw=st.binary(max_size=300), codec=st.sampled_from(codecs))
    def check(raw: bytes, codec: Codec) -> None:
        try:
            tree = codec.decode(raw)
        except ValueError:
            return
        assert isinstance(codec.encode(tree), bytes)

    check()
