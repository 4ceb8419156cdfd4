"""What the Hugging Face Hub, or whatever stands in its place, answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from advisor._toml import parse_toml
from advisor.catalog.schema import GgufLineFile
from advisor.catalog.validation import validate
from advisor.domain.local_files import DownloadRequest
from advisor.domain.model import GgufFile
from advisor.domain.upkeep.files import ListedFile, listed_models, quantization_label
from advisor.errors import InputError, NetworkError
from advisor.export.upkeep import file_list_toml
from advisor.hub.access import HubAccess
from advisor.hub.destination import CacheDestination, FolderDestination
from advisor.hub.listing import list_repository
from advisor.hub.opening import HubOpener, file_url
from advisor.hub.retry import RetryPolicy
from advisor.hub.transfer import Source, fetch
from advisor.local_files.planning import plan_download
from tests.fuzz.codecs import BETWEEN, Http, Json
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.gguf_files import HTTP_WORDS
from tests.fuzz.parsers.serving import Scripted
from tests.fuzz.parsers.shared import advisor

REPO = "example/Tiny-Tune-GGUF"
CONTENT = bytes(range(256)) * 40
_FILE = ListedFile("Tiny-Q4_0.gguf", len(CONTENT), sha256(CONTENT).hexdigest())


def listing(raw: bytes, folder: Path) -> None:
    """The description of a repository: listed, planned, written to the user's list, and given places on the disk."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with Scripted(head % len(raw) + raw) as server:
        found = list_repository(HubAccess(server.url, None), REPO)
    models = listed_models(found.files)
    rows = [
        GgufFile(REPO, m.file, quantization_label(m.file, "unknown"), len(m.parts), m.n_bytes, None, m.sha256, "Hub",
                 "2026-11-28")
        for m in models
    ]  # fmt: skip
    text = file_list_toml("tiny-tune", rows)
    validate(GgufLineFile, parse_toml(text, name="list"), name="list")
    model = advisor().model("llama-3.2-1b-instruct")
    for quantization in {row.quantization for row in rows[:3]} | {"Q4_0"}:
        plan = plan_download(model, None, found, DownloadRequest(quantization=quantization, repo=REPO))
        for destination in (
            CacheDestination(REPO, found.commit, {"HOME": str(folder)}),
            FolderDestination(folder, folder / "locks"),
        ):
            for part in plan.parts:
                target = destination.paths_of(part.name, str(part.sha256))
                for path in (target.whole, target.partial, target.lock, target.path):
                    assert path.resolve().is_relative_to(folder.resolve()), path
                file_url(HubAccess(), REPO, part.name, found.commit)


class _Impatient(threading.Event):
    """Never set, and looked at so often that nothing waits for whoever looks."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(0.001)


class _Watch:
    """Follows a transfer without ever waiting."""

    def __init__(self) -> None:
        self.cancel: threading.Event = _Impatient()

    def checked(self, n_bytes: int) -> None: ...

    def received(self, n_bytes: int) -> None: ...

    def waiting(self, text: str) -> None: ...

    def pause(self, seconds: float) -> None: ...

    def stop_if_cancelled(self) -> None: ...


def transfer(raw: bytes, folder: Path) -> None:
    """The answers to a download, into a folder: what is there in the end is the published file or nothing."""
    place = folder / "downloads"
    target = FolderDestination(place, folder / "locks").paths_of(_FILE.name, str(_FILE.sha256))
    target.whole.unlink(missing_ok=True)
    target.partial.unlink(missing_ok=True)
    watch = _Watch()
    with Scripted(raw) as server:
        access = HubAccess(server.url, "hf_secret")
        opener = HubOpener(access, REPO, RetryPolicy(sleep=watch.pause))
        try:
            fetch(Source(REPO, file_url(access, REPO, _FILE.name, "main"), _FILE, opener), target, watch)
        finally:
            assert not target.whole.exists() or target.whole.read_bytes() == CONTENT
    assert target.whole.read_bytes() == CONTENT


def _info(**changes: object) -> bytes:
    lfs = {"sha256": "a" * 64, "size": 1234, "pointerSize": 135}
    siblings = [
        {"rfilename": "README.md", "size": 11, "blobId": "b" * 40},
        {"rfilename": "Tiny-Tune-Q4_0.gguf", "size": 1234, "blobId": "c" * 40, "lfs": lfs},
        {"rfilename": "big/Tiny-Q8_0-00001-of-00002.gguf", "size": 5, "lfs": lfs},
        {"rfilename": "big/Tiny-Q8_0-00002-of-00002.gguf", "size": 5, "lfs": lfs},
        {"rfilename": "mmproj-F16.gguf", "size": 7, "lfs": lfs},
    ]
    document = {
        "_id": "0" * 24, "id": REPO, "modelId": REPO, "sha": "0123456789abcdef0123456789abcdef01234567",
        "private": False, "gated": "manual", "disabled": False, "tags": ["gguf"], "downloads": 3, "likes": 0,
        "siblings": siblings, "lastModified": "2026-11-20T10:00:00.000Z", "createdAt": "2026-11-20T10:00:00.000Z",
        "pipeline_tag": "text-generation", "library_name": "transformers", "cardData": {"license": "mit"},
        "safetensors": {"parameters": {"BF16": 7}, "total": 7}, "gguf": {"total": 7, "architecture": "llama"},
        "config": {"architectures": ["LlamaForCausalLM"]}, "spaces": [], "widgetData": [{"text": "x"}],
    }  # fmt: skip
    return json.dumps({**document, **changes}).encode()


def _sibling(name: str, n_bytes: int = 1234, digest: str = "d" * 64) -> dict[str, object]:
    return {"rfilename": name, "size": n_bytes, "blobId": "c" * 40, "lfs": {"sha256": digest, "size": n_bytes}}


def _listing_seeds() -> Sequence[bytes]:
    names = [f"Tiny-Tune-{label}.gguf" for label in ("Q4_0", "Q4_K_M", "IQ4_XS", "F16", "BF16")]
    many = _info(siblings=[_sibling(name, 5 + i, f"{i}" * 64) for i, name in enumerate(names)], gated=False)
    folders = _info(siblings=[_sibling(f"{n.split('-')[-1][:-5]}/{n}") for n in names], gguf=None, config=None)
    parts = _info(siblings=[_sibling(f"Q4_0/T-Q4_0-0000{i}-of-00003.gguf") for i in (1, 2, 3)])
    refused = [_info(siblings=[]), _info(siblings=None), b'{"error": "Repository not found"}', b"[]"]
    return [_info(), many, folders, parts, *refused]


@cache
def _transfer_seeds() -> Sequence[bytes]:
    size = len(CONTENT)
    head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {{first}}-{{last}}/{size}\r\nContent-Length: {size}\r\n\r\n"
    whole = f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "x"\r\n\r\n'.encode() + CONTENT
    part = head.encode() + CONTENT
    redirect = (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{first}/lfs/x?signature=1\r\nContent-Length: 0\r\n\r\n"
    )
    busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    gated = b"HTTP/1.1 403 Forbidden\r\nX-Error-Code: GatedRepo\r\nContent-Length: 0\r\n\r\n"
    again = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
    sound = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{last}/{size}\r\n"
        b'Content-Length: {length}\r\nETag: "x"\r\n\r\n' + CONTENT
    )
    early = sound.replace(b"{length}", b"%d" % size)[:5000]
    return [
        sound, busy + BETWEEN + sound, again + BETWEEN + sound, early + BETWEEN + sound, sound + BETWEEN + whole,
        part, whole, part[:2000] + BETWEEN + part[:200] + part[200 + 1800 :], redirect, busy + BETWEEN + part, gated,
        again + BETWEEN + whole, whole[:500] + BETWEEN + whole,
    ]  # fmt: skip


_WORDS = (
    "sha", "siblings", "rfilename", "size", "lfs", "sha256", "pointerSize", "blobId", "id", "gated", "safetensors",
    "parameters", "total", "gguf", "cardData", "model-index", "lastModified", "createdAt", "securityStatus", "config",
    "transformersInfo", "inferenceProviderMapping", "evalResults", "trendingScore", "usedStorage", "baseModels",
    "../../../x-Q4_0.gguf", "/abs-Q4_0.gguf", "a/../b-Q4_0.gguf", "C:\\x-Q4_0.gguf", "x-Q4_0.gguf\n", ".gguf",
    "x-00001-of-00001.gguf", "x-00001-of-99999.gguf", "x-Q4_0.gguf?download=1", "%2e%2e/x-Q4_0.gguf", "x\x00-Q4_0.gguf",
)  # fmt: skip

HARNESSES = (
    Harness(
        "hub-listing",
        "the Hub's description of a repository (JSON): commit, files, sizes, hashes",
        "`hub.listing.list_repository`, `local_files.planning.plan_download`, `hub.destination`, `export.upkeep.file_list_toml`",
        listing,
        _listing_seeds,
        Json(),
        _WORDS,
        refusals=(InputError, NetworkError),
        serves=True,
    ),
    Harness(
        "hub-transfer",
        "the Hub's answers to a download: status, headers, redirects, content",
        "`hub.opening.HubOpener`, `hub.transfer.fetch`",
        transfer,
        _transfer_seeds,
        Http(),
        HTTP_WORDS,
        refusals=(InputError, NetworkError),
        serves=True,
    ),
)
