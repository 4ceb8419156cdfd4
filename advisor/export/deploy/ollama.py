"""An Ollama Modelfile, and the settings that Ollama takes from the environment of its service only."""

from __future__ import annotations

import re

from advisor.errors import InputError
from advisor.export.deploy.file_header import head, notice_text
from advisor.export.deploy.llama_args import settings_of, source_of
from advisor.export.deploy.serving import Serving
from advisor.export.deploy.weights import local_name

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
"""Ollama's names: types/model/name.go, isValidPart of a tag."""


def files(serving: Serving) -> dict[str, str]:
    """The Modelfile first, then a drop-in for the service."""
    name = f"ollama-{serving.label}"
    return {
        f"{name}.Modelfile": _modelfile(serving, name),
        f"{name}.conf": _drop_in(serving, name),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def _modelfile(serving: Serving, name: str) -> str:
    llama = settings_of(serving)
    usage = (
        f"    ollama create {serving.label} -f {name}.Modelfile",
        f"    ollama run {serving.label}",
        f"Requests at once, the type of the cache and flash attention are settings of the service: {name}.conf.",
    )
    lines = [
        *head(serving, "Ollama", usage),
        f"FROM {quoted(_from(serving))}",
        f"PARAMETER num_ctx {serving.context_tokens}",
        f"PARAMETER num_batch {llama.ubatch}",
        f"PARAMETER num_thread {llama.threads}",
        f"PARAMETER num_gpu {llama.n_gpu_layers}",
        f"LICENSE {block(notice_text(serving))}",
    ]
    return "\n".join(lines) + "\n"


def _from(serving: Serving) -> str:
    """A path, or the Hub's repository with the file's name or type as tag (huggingface.co/docs/hub/ollama).

    Raises InputError for what Ollama cannot pull.
    """
    source = source_of(serving)
    if len(source.parts) > 1:
        raise InputError(
            f"Ollama cannot use {source.file}",
            why=f"it is split into {len(source.parts)} parts",
            hint="Join them with llama-gguf-split --merge, then export with --gguf /PATH/TO/JOINED.gguf.",
        )
    if source.repo is None and source.file is not None:
        return source.file
    tag = serving.quantization if source.file is None else local_name(source.file)
    if not _TAG.fullmatch(tag):
        raise InputError(
            f"Ollama cannot name {tag} of {source.repo}",
            why="a tag has at most 80 letters, digits, dots, dashes and underscores",
            hint="Download it, then export with --gguf /PATH/TO/FILE.gguf.",
        )
    return f"hf.co/{source.repo}:{tag}"


def quoted(text: str) -> str:
    """One line as the value of a command (parser/parser.go: quotes at both ends are taken off, nothing is escaped)."""
    return f'"{text}"' if text != text.strip() or text.startswith('"') else text


def block(text: str) -> str:
    """Text of several lines as the value of a command; three quotes would end it."""
    kept = text.replace('"""', "'''")
    return f'"""\n{kept}"""'


def _drop_in(serving: Serving, name: str) -> str:
    llama = settings_of(serving)
    usage = (
        "Install, as root:",
        f"    install -D -m 644 {name}.conf /etc/systemd/system/ollama.service.d/{name}.conf",
        "    systemctl daemon-reload && systemctl restart ollama",
        "It holds for every model of this Ollama. Ollama asks for no key: keep it on 127.0.0.1, as it is by default.",
    )
    lines = [
        *head(serving, "Settings of the Ollama service", usage),
        "[Service]",
        f"Environment=OLLAMA_NUM_PARALLEL={serving.slots}",
        f"Environment=OLLAMA_FLASH_ATTENTION={1 if llama.flash_attention else 0}",
        f"Environment=OLLAMA_KV_CACHE_TYPE={llama.kv_type}",
    ]
    return "\n".join(lines) + "\n"
