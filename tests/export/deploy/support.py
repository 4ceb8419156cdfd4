"""Values to write files of, real and hostile, and the sourced lists of what the targets know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from advisor.export.deploy.serving import (
    Duty,
    GgufSource,
    LicenceDuties,
    LlamaSettings,
    Origin,
    Replicas,
    Serving,
    VllmSettings,
)
from advisor.units import GIB

DATA = Path(__file__).parents[2] / "data" / "deploy"

LLAMA_LICENCE = LicenceDuties(
    id="llama3.1",
    name="Llama 3.1 Community License Agreement",
    url="https://example.org/LICENSE",
    verdict="the licence allows this use if every obligation below is met",
    duties=(
        Duty("DISPLAY:Built with Llama", 'Show "Built with Llama" prominently.', "Built with Llama"),
        Duty(
            "NOTICE_FILE", "Put a text file named Notice into every copy.", "Llama 3.1 is licensed under the licence."
        ),
    ),
    standing=(Duty("AUP", "Meta's acceptable use policy binds every use."),),
    gated=True,
)


def llama(**changes: Any) -> Serving:
    """llama.cpp on two unlike GPUs."""
    serving = Serving(
        name="pick",
        engine="llama.cpp",
        model="llama-3.1-8b-instruct",
        title="Llama 3.1 8B Instruct",
        hf_id="meta-llama/Llama-3.1-8B-Instruct",
        quantization="Q4_K_M",
        gguf=GgufSource("someone/Llama-3.1-8B-GGUF", "Llama-3.1-8B-Q4_K_M.gguf", 5 * GIB, ("ab" * 32,)),
        context_tokens=8192,
        slots=4,
        llama=LlamaSettings("q8_0", True, 2048, 512, 8, 33, (20, 12), experts_in_ram=True),
        vllm=None,
        gpus=2,
        backend="cuda",
        ram_bytes=GIB,
        vram_bytes=8 * GIB,
        cores=8,
        weights_bytes=5 * GIB,
        replicas=Replicas(3, 7, "as given"),
        licence=LLAMA_LICENCE,
        origin=Origin("0" * 64, "0.1.0", "2026-11-28T00:00:00Z", simulated=False),
        cautions=("the load needs 7 copies",),
    )
    return replace(serving, **changes)


def on_processor(**changes: Any) -> Serving:
    settings = LlamaSettings("f16", True, 2048, 512, 8, 0)
    return llama(**{"gpus": 0, "backend": "cpu", "llama": settings, **changes})


def vllm(**changes: Any) -> Serving:
    """vLLM with every layer on two GPUs, quantized to FP8."""
    settings = VllmSettings(2, 1, 0.92, 2048, fp8=True, gpu_name="H100 SXM 80GB")
    return llama(
        **{
            "engine": "vllm",
            "gguf": None,
            "llama": None,
            "vllm": settings,
            "quantization": "FP8",
            "slots": 256,
            **changes,
        }
    )


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Co", "Cn")), min_size=1, max_size=30)
HOSTILE = st.one_of(
    TEXT,
    st.sampled_from([
        "$(touch /tmp/owned)", "`id`", "'; rm -rf / #", '"; exit 1; "', "${HOME}", "$HOME", "%n %%", "%h", "a\\", "\\n",
        ": {x: y}", "- a", "yes", "null", "1e3", "0o7", "on", "~", "!tag", "*alias", "&anchor", "#not a comment",
        '"""', "'''", "$(LLAMA_API_KEY)", "@@", "--flag", "-x", "a b", " a ", "{{.Name}}", "\u2028", "..", "1_000",
    ]),
)  # fmt: skip
"""Names as somebody who means harm writes them. Control characters are refused before any target sees them."""


@st.composite
def hostile_llama(draw: st.DrawFn) -> Serving:
    names = {key: draw(HOSTILE) for key in ("model", "title", "hf_id", "quantization", "name")}
    licence = replace(
        LLAMA_LICENCE,
        name=draw(HOSTILE),
        url=draw(HOSTILE),
        duties=(Duty("NOTICE_FILE", draw(HOSTILE), draw(st.text(max_size=30))),),
    )
    caution = draw(st.text(max_size=40))
    source = GgufSource(draw(HOSTILE), f"{draw(HOSTILE)}.gguf", None, ())
    return on_processor(**names, licence=licence, cautions=(caution,), gguf=source)


def listed(name: str) -> frozenset[str]:
    """A sourced list, one name a line."""
    lines = (DATA / name).read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@cache
def fields(name: str) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads((DATA / name).read_text("utf-8"))["fields"]
    return found


def documents(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


_TYPES = (
    ("boolean", bool), ("integer", int), ("number", (int, float)), ("string", str), ("array", list), ("object", dict),
    ("null", type(None)),
)  # fmt: skip


def misfits(value: Any, known: dict[str, dict[str, list[str]]], path: str = "") -> Iterator[str]:
    """Where a document departs from a list of fields: unknown names, wrong types, missing or unlisted values."""
    allowed = known.get(path)
    if allowed is None:
        yield f"{path}: unknown"
        return
    if "any" in allowed["types"]:
        return
    fitting = {
        name for name, kind in _TYPES if isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    }
    if allowed["types"] and not fitting & set(allowed["types"]):
        yield f"{path}: {type(value).__name__} in place of {allowed['types']}"
    if "enum" in allowed and str(value) not in allowed["enum"]:
        yield f"{path}: {value!r} is none of {allowed['enum']}"
    if isinstance(value, dict):
        yield from (f"{path}: no {name}" for name in allowed.get("required", []) if name not in value)
        for name, part in value.items():
            exact = f"{path}.{name}".removeprefix(".")
            yield from misfits(part, known, exact if exact in known else f"{path}.*".removeprefix("."))
    if isinstance(value, list):
        for part in value:
            yield from misfits(part, known, f"{path}[]")
