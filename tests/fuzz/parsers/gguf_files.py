"""Headers of GGUF files on this machine and on a web server: read, identified and sized."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from advisor.domain.blueprint import MetadataValue
from advisor.domain.ladder import Memories
from advisor.domain.matching import index_of
from advisor.domain.pools import memory_pools
from advisor.domain.sizing import SizeRequest
from advisor.domain.weights import blueprint
from advisor.errors import InputError, NetworkError
from advisor.gguf.split import read_model, read_remote_model
from advisor.gguf.template import chat_template
from advisor.gguf.writer import lay_out
from advisor.hub.scanning import SeenFile
from advisor.local_files.identifying import identify
from advisor.service.sizing import Circumstances, size_file
from tests.fuzz.codecs import BETWEEN, Http
from tests.fuzz.gguf_codec import Gguf
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.serving import FAR_BYTES, Scripted
from tests.fuzz.parsers.shared import ROOT, advisor, default_constraints, desktop
from tests.gguf.making import llama_blueprint
from tests.gguf.test_reader_fuzz import RICH

WORDS = (
    "general.architecture", "general.alignment", "general.file_type", "general.name", "general.basename", "general.type",
    "tokenizer.chat_template", "tokenizer.ggml.tokens", "tokenizer.ggml.model", "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.eos_token_id", "split.count", "split.no", "split.tensors.count", "adapter.type", "llama", "mistral3",
    "llama4", "deepseek2", "mamba2", "clip", "llama.block_count", "llama.embedding_length", "llama.expert_count",
    "llama.expert_used_count", "llama.attention.head_count", "llama.attention.head_count_kv", "llama.attention.key_length",
    "llama.attention.kv_lora_rank", "llama.feed_forward_length", "llama.context_length", "llama.interleave_moe_layer_step",
    "deepseek2.attention.kv_lora_rank", "deepseek2.rope.dimension_count", "mamba2.ssm.inner_size", "token_embd.weight",
    "output.weight", "rope_freqs.weight", "blk.0.attn_q.weight", "blk.1.ffn_up_exps.weight", "blk.511.x", "pairs", "rows",
    "kind", "key", "value", "of", "items", "n", "n_rows", "n_pairs", "dimensions", "shape", "type", "offset",
    "laid", "next",
)  # fmt: skip


@cache
def _circumstances() -> Circumstances:
    figures = advisor().figures(desktop())
    constraints = default_constraints()
    pools = memory_pools(desktop(), constraints.machine, figures)
    return Circumstances(desktop(), Memories(pools, True), SizeRequest(), False)


@cache
def headers() -> Sequence[bytes]:
    """Headers of sound files, and those that earlier fuzzing kept."""
    made = [llama_blueprint(), llama_blueprint(layers=1, expert_count=8, expert_used_count=2, attention__key_length=64)]
    found = [lay_out(blueprint).header for blueprint in made]
    corpus = sorted((ROOT / "tests/data/gguf_corpus").glob("*.bin"))
    return [RICH, *found, *catalogued(), *_odd_ones(), _in_parts(), *(path.read_bytes() for path in corpus)]


@cache
def catalogued() -> Sequence[bytes]:
    """The catalogue's architectures, with a few layers each and what published files say beside the shape."""
    found: dict[str, bytes] = {}
    for model in advisor().catalogue.models:
        shape = model.shape
        if shape is None or shape.architecture in found:
            continue
        few = replace(model, shape=replace(shape, n_layers=min(2, shape.n_layers)))
        made = blueprint(few, "Q4_K_M")
        found[shape.architecture] = lay_out(replace(made, metadata={**made.metadata, **_said(model.name)})).header
    return list(found.values())


def _odd_ones() -> Sequence[bytes]:
    """What few files are: a whole known model, another alignment, layers that differ, no language model, and arrays."""
    known = blueprint(advisor().model("llama-3.2-1b-instruct"), "Q8_0")
    little = llama_blueprint()
    changes: tuple[dict[str, MetadataValue], ...] = (
        {"general.alignment": 64},
        {"llama.attention.head_count_kv": (2, 2), "llama.feed_forward_length": (512, 256)},
        {"general.type": "adapter", "adapter.type": "lora"},
        {"general.architecture": "clip", "clip.has_vision_encoder": True},
        {"a": (True, False), "b": (1.5, 2.5), "c": (-1, 1 << 40), "d": tuple("x" * 20), "e": -(1 << 40), "f": 1 << 63},
    )
    odd = [replace(little, metadata={**little.metadata, **change}) for change in changes]
    return [lay_out(made).header for made in (replace(known, metadata={**known.metadata, **_said("x")}), *odd)]


def _said(name: str) -> dict[str, MetadataValue]:
    return {
        "general.name": name, "general.basename": name.split()[0], "general.size_label": "7B", "general.type": "model",
        "general.file_type": 15, "general.quantization_version": 2, "tokenizer.chat_template": _TEMPLATE,
        "tokenizer.ggml.tokens": ("<unk>", "<s>", "</s>", "a"), "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }  # fmt: skip


_TEMPLATE = "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{{ eos_token }}{% endfor %}"


def _in_parts() -> bytes:
    """A file in two parts, one behind the other."""
    whole, n = llama_blueprint(), 5
    parts = []
    for i, tensors in enumerate((whole.tensors[:n], whole.tensors[n:])):
        told = {"split.count": 2, "split.no": i, "split.tensors.count": len(whole.tensors)}
        metadata = {**whole.metadata, **told} if i == 0 else told
        parts.append(lay_out(replace(whole, metadata=metadata, tensors=tensors)).header)
    return BETWEEN.join(parts)


def local(raw: bytes, folder: Path) -> None:
    """The header as a whole file, and where it begins like one, with room for its tensors behind it."""
    paths = [folder / f"input-0000{number}-of-00002.gguf" for number in (1, 2)]
    parts = raw.split(BETWEEN)[:2]
    paths[1].unlink(missing_ok=True)
    for path, part in zip(paths, parts, strict=False):
        path.write_bytes(part)
    refusal = _read(paths[0])
    if raw.startswith(b"GGUF"):
        for path, part in zip(paths, parts, strict=False):
            os.truncate(path, len(part) + FAR_BYTES)
        refusal = _read(paths[0])
    if refusal is not None:
        raise refusal


def _read(path: Path) -> InputError | None:
    status = path.stat()
    seen = SeenFile(path, "fuzz", path.name, status.st_size, status.st_mtime_ns)
    identify([seen], (), index_of(advisor().catalogue.models, {}))
    try:
        chat_template(path, read_model(path))
        size_file(str(path), advisor().catalogue.models, _circumstances())
    except InputError as error:
        return error
    return None


def remote(raw: bytes, folder: Path) -> None:
    """Answers of a web server to whoever asks for the header."""
    with Scripted(raw) as server:
        header = read_remote_model(server.web_url)
        assert header.file_bytes >= 0
        size_file(server.web_url, advisor().catalogue.models, _circumstances())


@cache
def answers() -> Sequence[bytes]:
    small, rich = (_answer(body) for body in (_tiny(), RICH))
    moved = b"HTTP/1.1 302 Found\r\nLocation: /other/x.gguf?sig=1\r\nContent-Length: 0\r\n\r\n"
    away = b"HTTP/1.1 302 Found\r\nLocation: ftp://other.example/x\r\n\r\n"
    closed = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGGUF\r\n0\r\n\r\n"
    early = small[:-100]
    part = small.replace(b"bytes {first}", b"bytes 7")
    sound = [_SOUND + header for header in catalogued()]
    parts = BETWEEN.join(_SOUND + one for one in _in_parts().split(BETWEEN))
    return [
        small,
        rich,
        moved + BETWEEN + small,
        away,
        closed,
        whole,
        early,
        part,
        *sound,
        parts,
        moved + BETWEEN + sound[0],
    ]


_SOUND = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{last}/{far}\r\nContent-Length: {length}\r\n"
    b"Content-Type: application/octet-stream\r\n\r\n"
)


def _tiny() -> bytes:
    """A whole file with its tensors."""
    blueprint = llama_blueprint(layers=1, hidden=32, ffn=32, heads=1, kv_heads=1, vocab=32)
    layout = lay_out(blueprint)
    return layout.header + bytes(layout.file_bytes - len(layout.header))


def _answer(body: bytes) -> bytes:
    size = len(body)
    head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {{first}}-{size - 1}/{size}\r\n"
    return (head + f"Content-Length: {size}\r\nContent-Type: application/octet-stream\r\n\r\n").encode() + body


HTTP_WORDS = (
    "HTTP/1.1 206 Partial Content", "HTTP/1.1 200 OK", "HTTP/1.1 302 Found", "HTTP/1.1 307 Temporary Redirect",
    "HTTP/1.1 429 Too Many Requests", "HTTP/1.1 503 Service Unavailable", "HTTP/1.0 999 \x1b[2J", "HTTP/9.9 206",
    "Content-Range: bytes 0-{last}/999999999999", "Content-Range: bytes {first}-{last}/*", "Content-Length: -1",
    "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Content-Encoding: gzip", "Retry-After: 0",
    "Retry-After: 99999999999", "Location: /again", "Location: http://127.0.0.1:1/", "Location: file:///etc/passwd",
    "Location: http://[::1", "Location: //", "Location: http://a b/", "Location: http://x:99999/", "Connection: close",
    "lines", "body", "ends",
)  # fmt: skip

HARNESSES = (
    Harness(
        "gguf-local",
        "the header of a GGUF file on this machine",
        "`gguf.split.read_model`, `gguf.template.chat_template`, `service.sizing.size_file`, `local_files.identifying.identify`",
        local,
        headers,
        Gguf(),
        WORDS,
    ),
    Harness(
        "gguf-remote",
        "what a web server answers to ranges: status, headers, redirects, the GGUF header",
        "`gguf.split.read_remote_model`, `service.sizing.size_file`",
        remote,
        answers,
        Http(Gguf()),
        HTTP_WORDS,
        refusals=(InputError, NetworkError),
        serves=True,
    ),
)
