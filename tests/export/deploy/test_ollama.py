"""The Modelfile as Ollama reads it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from advisor.errors import InputError
from advisor.export.deploy import serving_files
from advisor.export.deploy.file_header import notice_text
from advisor.export.deploy.serving import GgufSource, Serving
from tests.export.deploy.modelfile import PARAMETERS, parse
from tests.export.deploy.support import hostile_llama, llama


def commands(serving: Serving) -> list[tuple[str, str]]:
    return parse(next(iter(serving_files("ollama", serving).values())))


def test_ollama_reads_the_source_and_the_settings() -> None:
    found = commands(llama())
    assert found[0] == ("model", "hf.co/someone/Llama-3.1-8B-GGUF:Llama-3.1-8B-Q4_K_M.gguf")
    assert dict(found[1:-1]) == {"num_ctx": "8192", "num_batch": "512", "num_thread": "8", "num_gpu": "33"}
    assert {name for name, _ in found[1:-1]} <= PARAMETERS


def test_the_licence_says_what_must_be_said() -> None:
    name, text = commands(llama())[-1]
    assert name == "license"
    assert "Llama 3.1 is licensed under the licence." in text
    assert "Built with Llama" in text


def test_settings_of_the_service_stand_in_a_drop_in() -> None:
    text = serving_files("ollama", llama(slots=4))["ollama-llama-3-1-8b-instruct.conf"]
    assert "Environment=OLLAMA_NUM_PARALLEL=4\n" in text
    assert "Environment=OLLAMA_KV_CACHE_TYPE=q8_0\n" in text


@settings(max_examples=200, deadline=None)
@given(serving=hostile_llama())
def test_no_name_becomes_a_command(serving: Serving) -> None:
    assert serving.gguf is not None
    path = f"/models/{serving.gguf.parts[0].replace('/', '_')}"
    local = GgufSource(None, path)
    found = commands(llama(model=serving.model, title=serving.title, licence=serving.licence, gguf=local))
    assert [name for name, _ in found] == ["model", "num_ctx", "num_batch", "num_thread", "num_gpu", "license"]
    assert found[0][1] == "".join(c for c in path if c == " " or c.isprintable())


def test_what_ollama_cannot_pull_is_refused() -> None:
    split = GgufSource("a/b", "x-00001-of-00003.gguf")
    with pytest.raises(InputError, match=r"split into 3 parts.*llama-gguf-split"):
        commands(llama(gguf=split))
    with pytest.raises(InputError, match="a tag has at most 80"):
        commands(llama(gguf=GgufSource("a/b", "x" * 90 + ".gguf")))


def test_a_notice_says_the_prescribed_words_first() -> None:
    lines = notice_text(llama()).splitlines()
    assert lines[1:3] == ["Llama 3.1 is licensed under the licence.", "Built with Llama"]
