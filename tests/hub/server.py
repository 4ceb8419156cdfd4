"""A server on loopback that speaks the Hugging Face Hub's API, with a second one behind it that holds the content.

It answers what huggingface_hub asks for reading: model info, trees, paths-info, and `resolve` with HEAD, GET, ranges,
ETags and the redirect of LFS files to another host. Faults are scripted by path and happen once each, in order.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub.server_faults import CHUNK_BYTES, Answer, Corrupt, Fault, Hangup, Silence, Slow, Truncated, Unranged

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repo:
    """A repository: names to content, which may lie in files of any size."""

    name: str
    files: dict[str, bytes | Path]
    commit: str = COMMIT
    gated: bool = False
    """Its list is public, its files need a token whose account has access."""
    private: bool = False
    """Neither exists for who has no access."""
    lfs: Callable[[str], bool] = lambda name: name.endswith((".gguf", ".safetensors", ".bin"))
    _hashes: dict[tuple[str, bytes | Path], str] = field(default_factory=dict)

    def size(self, name: str) -> int:
        content = self.files[name]
        return content.stat().st_size if isinstance(content, Path) else len(content)

    def read(self, name: str, first: int, length: int) -> Iterator[bytes]:
        content = self.files[name]
        if isinstance(content, bytes):
            yield content[first : first + length]
            return
        with content.open("rb") as stream:
            stream.seek(first)
            while length > 0 and (chunk := stream.read(min(CHUNK_BYTES, length))):
                length -= len(chunk)
                yield chunk

    def sha256(self, name: str) -> str:
        key = (name, self.files[name])
        if key not in self._hashes:
            digest = sha256()
            for chunk in self.read(name, 0, self.size(name)):
                digest.update(chunk)
            self._hashes[key] = digest.hexdigest()
        return self._hashes[key]

    def blob_id(self, name: str) -> str:
        return sha1(f"{self.name}/{name}/{self.size(name)}".encode()).hexdigest()


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    host: str
    """`hub` or `store`."""
    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""


class HubServer:
    """Use it as a context manager; `url` is the endpoint."""

    def __init__(self, *repos: Repo, tokens: Mapping[str, bool] | None = None) -> None:
        self.repos = {repo.name: repo for repo in repos}
        self.moved: dict[str, str] = {}
        """Old names of repositories to new ones, as the Hub redirects them."""
        self.tokens = dict(tokens or {})
        """Valid tokens, and whether their account has access to gated and private repositories."""
        self.asked: list[Asked] = []
        self.n_held = 0
        """Answers that are being kept back right now."""
        self.page_size = 1000
        """Entries on one page of a tree."""
        self._faults: list[tuple[str, str, Fault]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._servers: dict[str, ThreadingHTTPServer] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> HubServer:
        for host, handler in (("hub", _HubHandler), ("store", _StoreHandler)):
            kind = type(handler.__name__, (handler,), {"hub": self, "host": host})
            http = ThreadingHTTPServer(("127.0.0.1", 0), kind)
            thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self._servers[host] = http
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for http in self._servers.values():
            http.shutdown()
            http.server_close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers['hub'].server_address[1]}"

    @property
    def store_url(self) -> str:
        """Where LFS content lies: another origin than the Hub's."""
        return f"http://localhost:{self._servers['store'].server_address[1]}"

    def script(self, path: str, *faults: Fault, host: str = "hub") -> None:
        """Answer the next requests whose path fits the pattern in these ways."""
        self._faults += [(host, path, fault) for fault in faults]

    def forgive(self) -> None:
        """Answer rightly from now on."""
        with self._lock:
            self._faults.clear()

    def requests(self, host: str, pattern: str = "*") -> list[Asked]:
        return [a for a in self.asked if a.host == host and fnmatchcase(urlsplit(a.path).path, pattern)]

    def next_fault(self, host: str, path: str) -> Fault | None:
        with self._lock:
            for i, (at, pattern, fault) in enumerate(self._faults):
                if at == host and fnmatchcase(path, pattern):
                    del self._faults[i]
                    return fault
        return None

    def wait(self, seconds: float) -> None:
        """Pause, but no longer than the server lives."""
        self.is_closing(seconds)

    def is_closing(self, seconds: float) -> bool:
        """Pause, and tell whether the server was closed meanwhile."""
        with self._lock:
            self.n_held += 1
        try:
            return self._closing.wait(seconds)
        finally:
            with self._lock:
                self.n_held -= 1


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    host: str
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._handle()

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.posted = self.rfile.read(length)
        self._handle()

    def _handle(self) -> None:
        self.slow: Slow | None = None
        self.is_corrupt = self.is_unranged = False
        self.limit: int | None = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.asked.append(Asked(self.host, self.command, self.path, headers))
        path = unquote(urlsplit(self.path).path)
        # Whoever asks may go away at any time, which is no failure of the server.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if not self._is_faulty(self.hub.next_fault(self.host, path)):
                self.answer(path)

    def _is_faulty(self, fault: Fault | None) -> bool:
        """Play a fault; whether nothing more is to be said."""
        if isinstance(fault, Answer):
            self.send(fault.status, fault.body, fault.headers)
        elif isinstance(fault, Silence | Hangup):
            self.hub.wait(fault.seconds if isinstance(fault, Silence) else 0.0)
            self.close_connection = True
        elif isinstance(fault, Truncated):
            self.limit = fault.n_bytes
            return False
        elif isinstance(fault, Slow):
            self.slow = fault
            return False
        elif isinstance(fault, Corrupt | Unranged):
            self.is_corrupt, self.is_unranged = isinstance(fault, Corrupt), isinstance(fault, Unranged)
            return False
        return fault is not None

    def answer(self, path: str) -> None:
        raise NotImplementedError

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.stream(status, len(body), iter([body]), headers)

    def send_json(self, document: Any, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send(200, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    def refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        self.send(status, json.dumps({"error": message}).encode(), headers)

    def stream(self, status: int, length: int, chunks: Iterator[bytes], headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        left = length if self.limit is None else self.limit
        for chunk in self._spoiled(chunks):
            if self.slow and self.hub.is_closing(self.slow.seconds_per_chunk):
                self.close_connection = True
                return
            self.wfile.write(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                break
        if self.limit is not None:
            self.close_connection = True

    def _spoiled(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self.is_corrupt:
                self.is_corrupt, chunk = False, bytes([chunk[0] ^ 1]) + chunk[1:]
            step = self.slow.chunk_bytes if self.slow else max(1, len(chunk))
            yield from (chunk[i : i + step] for i in range(0, len(chunk), step))

    def send_content(self, repo: Repo, name: str, headers: Mapping[str, str]) -> None:
        """The content, or the part that a Range header asks for."""
        size = repo.size(name)
        told = {"Accept-Ranges": "bytes", **headers}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None or self.is_unranged:
            self.stream(200, size, repo.read(name, 0, size), told)
            return
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if first >= size:
            self.send(416, b"", {**told, "Content-Range": f"bytes */{size}"})
            return
        part = {**told, "Content-Range": f"bytes {first}-{last}/{size}"}
        self.stream(206, last - first + 1, repo.read(name, first, last - first + 1), part)


class _StoreHandler(_Handler):
    """Where LFS content lies, by its hash, behind an address that the Hub signed."""

    def answer(self, path: str) -> None:
        digest = path.removeprefix("/lfs/")
        for repo in self.hub.repos.values():
            for name in repo.files:
                if repo.lfs(name) and repo.sha256(name) == digest:
                    self.send_content(repo, name, {"ETag": f'"{digest}"'})
                    return
        self.send(404, b"", {})


class _HubHandler(_Handler):
    def answer(self, path: str) -> None:
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        match = api or file
        if match is None:
            self.refuse(404, "NotFound", "no such page")
            return
        if match[1] in self.hub.moved:
            new = self.path.replace(match[1], self.hub.moved[match[1]])
            self.send(307, b"", {"Location": new})
            return
        repo = self.hub.repos.get(match[1])
        if repo is None or (repo.private and not self._has_access()) or not self._is_valid_token():
            self._not_found(repo)
        elif file:
            self._resolve(repo, file[2], file[3])
        elif api is not None:
            self._api(repo, api[2], api[3], api[4])

    def _api(self, repo: Repo, kind: str | None, revision: str | None, folder: str | None) -> None:
        if revision not in (None, "main", repo.commit):
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
        elif kind == "tree":
            self._tree(repo, folder or "")
        elif kind == "paths-info":
            wanted = json.loads(self.posted).get("paths", [])
            self.send_json([self._entry(repo, name) for name in repo.files if name in wanted])
        else:
            self._info(repo)

    def _token(self) -> str | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else None

    def _is_valid_token(self) -> bool:
        token = self._token()
        return token is None or token in self.hub.tokens

    def _has_access(self) -> bool:
        return self.hub.tokens.get(self._token() or "", False)

    def _not_found(self, repo: Repo | None) -> None:
        """The Hub does not tell a stranger whether a repository exists."""
        if not self._is_valid_token():
            self.refuse(401, "", "Invalid credentials in Authorization header")
        elif self._token() is None:
            self.refuse(401, "", "Invalid username or password.")
        else:
            self.refuse(404, "RepoNotFound", "Repository not found")

    def _info(self, repo: Repo) -> None:
        with_blobs = parse_qs(urlsplit(self.path).query).get("blobs", ["false"])[0].lower() == "true"
        siblings: list[dict[str, Any]] = []
        for name in repo.files:
            sibling: dict[str, Any] = {"rfilename": name}
            if with_blobs:
                sibling |= {"size": repo.size(name), "blobId": repo.blob_id(name)}
                if repo.lfs(name):
                    sibling["lfs"] = {"sha256": repo.sha256(name), "size": repo.size(name), "pointerSize": 135}
            siblings.append(sibling)
        self.send_json({
            "_id": "0" * 24, "id": repo.name, "modelId": repo.name, "sha": repo.commit, "private": repo.private,
            "gated": "manual" if repo.gated else False, "disabled": False, "tags": ["gguf"], "downloads": 0,
            "likes": 0, "siblings": siblings,
        })  # fmt: skip

    def _entry(self, repo: Repo, name: str) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": "file", "oid": repo.blob_id(name), "size": repo.size(name), "path": name,
        }  # fmt: skip
        if repo.lfs(name):
            entry["lfs"] = {"oid": repo.sha256(name), "size": repo.size(name), "pointerSize": 135}
        return entry

    def _tree(self, repo: Repo, folder: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        inside = [name for name in repo.files if name.startswith(f"{folder}/" if folder else "")]
        start = int(query.get("cursor", ["0"])[0])
        page = inside[start : start + self.hub.page_size]
        headers = {}
        if start + self.hub.page_size < len(inside):
            path = urlsplit(self.path).path
            following = f"{self.hub.url}{path}?recursive=true&cursor={start + self.hub.page_size}"
            headers["Link"] = f'<{following}>; rel="next"'
        self.send_json([self._entry(repo, name) for name in page], headers)

    def _resolve(self, repo: Repo, revision: str, name: str) -> None:
        if revision not in ("main", repo.commit):
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
        elif name not in repo.files:
            self.refuse(404, "EntryNotFound", "Entry not found")
        elif repo.gated and not self._has_access():
            status = 401 if self._token() is None else 403
            self.refuse(status, "GatedRepo", f"Access to model {repo.name} is restricted.")
        elif repo.lfs(name):
            digest = repo.sha256(name)
            self.send(302, b"", {
                "Location": f"{self.hub.store_url}/lfs/{quote(digest)}?signature=secret-of-the-store",
                "X-Repo-Commit": repo.commit, "X-Linked-Size": str(repo.size(name)), "X-Linked-Etag": f'"{digest}"',
                "ETag": f'"{repo.blob_id(name)}"',
            })  # fmt: skip
        else:
            self.send_content(repo, name, {"X-Repo-Commit": repo.commit, "ETag": f'"{repo.blob_id(name)}"'})
