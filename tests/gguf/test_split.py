"""Models in several files, here and on a web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPMessage, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest

from advisor.domain.blueprint import Blueprint, MetadataValue
from advisor.errors import InputError, NetworkError
from advisor.gguf.reader import parse_header
from advisor.gguf.remote import HttpSource, _Redirects
from advisor.gguf.split import read_model, read_remote_model
from advisor.gguf.writer import write_sparse
from tests.gguf.making import llama_blueprint


def write_parts(folder: Path, whole: Blueprint, n_parts: int, **changes: MetadataValue) -> Path:
    """The blueprint in parts, as gguf-split writes them: the metadata in the first."""
    size = -(-len(whole.tensors) // n_parts)
    for i in range(n_parts):
        split: dict[str, MetadataValue] = {
            "split.no": i, "split.count": n_parts, "split.tensors.count": len(whole.tensors), **changes,
        }  # fmt: skip
        metadata = {**(whole.metadata if i == 0 else {}), **split}
        part = Blueprint(metadata, whole.tensors[i * size : (i + 1) * size])
        write_sparse(part, folder / f"model-{i + 1:05d}-of-{n_parts:05d}.gguf")
    return folder / f"model-00001-of-{n_parts:05d}.gguf"


@pytest.mark.parametrize("entered", [0, 2])
def test_parts_are_one_model_whichever_is_named(tmp_path: Path, entered: int) -> None:
    whole = llama_blueprint()
    first = write_parts(tmp_path, whole, 3)
    found = read_model(sorted(tmp_path.iterdir())[entered])
    assert [t.name for t in found.tensors] == [t.name for t in whole.tensors]
    assert found.tensor_bytes == whole.tensor_bytes
    assert found.architecture == "llama"
    assert found.file_bytes == sum(path.stat().st_size for path in first.parent.iterdir())


@pytest.mark.parametrize("name", ["{made}", "{0}", "%s", "two\nlines"])
def test_names_of_folders_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    whole, folder = llama_blueprint(), tmp_path / name
    folder.mkdir()
    assert len(read_model(write_parts(folder, whole, 2)).tensors) == len(whole.tensors)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    first = write_parts(tmp_path, llama_blueprint(), 3)
    (tmp_path / "model-00002-of-00003.gguf").unlink()
    with pytest.raises(InputError, match="00002-of-00003"):
        read_model(first)


def test_a_renamed_part_is_not_guessed_at(tmp_path: Path) -> None:
    first = write_parts(tmp_path, llama_blueprint(), 2)
    first.rename(tmp_path / "model.gguf")
    with pytest.raises(InputError, match="one of 2 parts"):
        read_model(tmp_path / "model.gguf")


def test_parts_of_different_models_are_not_joined(tmp_path: Path) -> None:
    first = write_parts(tmp_path, llama_blueprint(), 2)
    (tmp_path / "model-00002-of-00002.gguf").write_bytes(first.read_bytes())
    with pytest.raises(InputError, match="another part"):
        read_model(first)


@pytest.mark.parametrize(
    ("change", "why"), [({"split.tensors.count": 3}, "tensors of 3"), ({"split.count": 999}, "999")]
)
def test_hostile_counts_are_refused(tmp_path: Path, change: dict[str, MetadataValue], why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_model(write_parts(tmp_path, llama_blueprint(), 2, **change))


@dataclass
class Server:
    """Serves a directory; `says` changes how it answers."""

    folder: Path
    says: str = "ranges"
    asked: list[tuple[int, int]] = field(default_factory=list)
    port: int = 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


class Handler(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *args: object) -> None:
        self._state = server
        super().__init__(*args)  # type: ignore[arg-type]

    def log_message(self, *_args: object) -> None:
        return

    def do_GET(self) -> None:
        path = self._state.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        first, last = (int(n) for n in self.headers["Range"].removeprefix("bytes=").split("-"))
        self._state.asked.append((first, last))
        last = min(last, size - 1)
        with path.open("rb") as stream:
            stream.seek(first)
            body = stream.read(last - first + 1)
        told = {"ranges": size, "grows": size + len(self._state.asked), "elsewhere": size}[self._state.says.split()[0]]
        start = first + 1 if self._state.says == "elsewhere" else first
        self.send_response(200 if self._state.says == "ranges not" else 206)
        self.send_header("Content-Range", f"bytes {start}-{last}/{told}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    state = Server(folder)
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, state))
    state.port = http.server_address[1]
    thread = threading.Thread(target=partial(http.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def test_of_a_remote_model_only_the_header_is_read(tmp_path: Path, smollm2: Path) -> None:
    (tmp_path / "real.gguf").symlink_to(smollm2)
    with served(tmp_path) as server:
        found = read_remote_model(server.url("real.gguf"))
    here = read_model(smollm2)
    assert found.tensors == here.tensors
    assert dict(found.metadata) == dict(here.metadata)
    read = sum(last - first + 1 for first, last in server.asked)
    assert read < here.file_bytes / 10


def test_remote_parts_are_joined(tmp_path: Path) -> None:
    whole = llama_blueprint()
    write_parts(tmp_path, whole, 3)
    with served(tmp_path) as server:
        found = read_remote_model(server.url("model-00002-of-00003.gguf"))
    assert [t.name for t in found.tensors] == [t.name for t in whole.tensors]


@pytest.mark.parametrize(
    ("says", "why"), [("ranges not", "does not serve parts"), ("elsewhere", "another part"), ("grows", "changed")]
)
def test_a_server_that_does_not_play_along_is_a_network_error(tmp_path: Path, says: str, why: str) -> None:
    large = llama_blueprint(layers=2)
    metadata = {**large.metadata, "general.description": "x" * (2 << 20)}
    write_sparse(Blueprint(metadata, large.tensors), tmp_path / "m.gguf")
    with served(tmp_path) as server:
        server.says = says
        with pytest.raises(NetworkError, match=why):
            read_remote_model(server.url("m.gguf"))


def test_what_is_not_there_is_a_network_error(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        with pytest.raises(NetworkError, match="404"):
            read_remote_model(server.url("no.gguf"))
        closed = server.url("m.gguf")
    with pytest.raises(NetworkError, match="refused"):
        read_remote_model(closed)


def test_a_web_page_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_text("<!DOCTYPE html>", encoding="utf-8")
    with served(tmp_path) as server, pytest.raises(InputError, match="web page"):
        read_remote_model(server.url("m.gguf"))


def test_no_more_is_read_than_any_header_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.gguf.remote.MAX_BYTES", 3 << 20)
    whole = llama_blueprint()
    for i in range(8):
        whole = Blueprint({**whole.metadata, f"general.text.{i}": "x" * (1 << 20)}, whole.tensors)
    write_sparse(whole, tmp_path / "m.gguf")
    with served(tmp_path) as server, pytest.raises(NetworkError, match="longer than 3 MiB"):
        read_remote_model(server.url("m.gguf"))


@pytest.mark.parametrize("address", ["ftp://host/m.gguf", "file:///etc/passwd", "https://", "m.gguf"])
def test_only_web_addresses_are_opened(address: str) -> None:
    with pytest.raises(InputError, match="no web address"):
        HttpSource(address)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(InputError, match="carries a password") as refused:
        HttpSource("https://me:s3cret@127.0.0.1/m.gguf")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["http://models.example/m.gguf", "http://127.0.0.1.example/m.gguf", "http://10.0.0.1/m"]
)
def test_an_address_that_is_not_encrypted_is_refused_unless_it_is_this_machine(address: str) -> None:
    def no_request(*_: object) -> HTTPResponse:
        raise AssertionError("it was asked")

    with pytest.raises(InputError, match=f"{address} is not encrypted"):
        HttpSource(address, open_url=no_request)


def test_what_a_signed_address_is_signed_with_is_in_no_error(tmp_path: Path) -> None:
    with served(tmp_path) as server, pytest.raises(NetworkError, match=r"no\.gguf cannot be read") as refused:
        read_remote_model(server.url("no.gguf") + "?signature=s3cret")
    assert "s3cret" not in str(refused.value)


def test_an_encrypted_address_is_not_followed_to_one_that_is_not() -> None:
    asked = Request("https://host/m.gguf")
    with pytest.raises(URLError, match="not encrypted"):
        _Redirects().redirect_request(asked, BytesIO(), 302, "Found", HTTPMessage(), "http://host/m.gguf")
    followed = _Redirects().redirect_request(asked, BytesIO(), 302, "Found", HTTPMessage(), "https://cdn/m.gguf")
    assert followed is not None


def test_an_address_of_this_machine_is_followed_on_this_machine_and_to_encrypted_ones_alone() -> None:
    asked = Request("http://127.0.0.1:1/m.gguf")
    for target in ("http://localhost:2/m.gguf", "https://cdn/m.gguf"):
        assert _Redirects().redirect_request(asked, BytesIO(), 302, "Found", HTTPMessage(), target) is not None
    with pytest.raises(URLError, match="not encrypted"):
        _Redirects().redirect_request(asked, BytesIO(), 302, "Found", HTTPMessage(), "http://host/m.gguf")


def test_a_remote_source_gives_what_a_local_one_gives(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    write_sparse(llama_blueprint(), path)
    with served(tmp_path) as server:
        source = HttpSource(server.url("m.gguf"))
        assert source.size == path.stat().st_size
        assert source.read_at(5, 100) == path.read_bytes()[5:105]
        assert parse_header(source).tensors == read_model(path).tensors
