"""The smoke test put together: files that are no model, candidates without a file, and what is asked of whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from advisor.catalog.smoke import load_questions
from advisor.domain.blueprint import Blueprint, MetadataValue
from advisor.domain.header import shape_of, weights_of
from advisor.domain.placement import cpu_placement
from advisor.domain.sizing import size_model
from advisor.domain.smoke_answers import ALIKE, READ_AS_WELL
from advisor.domain.smoke_report import smoke_document
from advisor.engine.client import EngineClient
from advisor.engine.smoke import SmokePlan
from advisor.engine.synthetic import BlockPools
from advisor.errors import InputError
from advisor.gguf.reader import ArraySummary, read_header
from advisor.gguf.writer import write_sparse, write_synthetic
from advisor.paths import knowledge_dir
from advisor.service import Advisor, smoke_runs
from advisor.service.smoke_runs import SmokeKit, answering_header
from tests.builders import constraints
from tests.gguf.making import llama_blueprint
from tests.gguf.test_split import write_parts

QUESTIONS = {"en": "Describe the sea.", "nb": "Beskriv havet.", "hr": "Opiši more.", "zh": "描写大海。"}


def written(path: Path, **changes: MetadataValue) -> Path:
    """A weightless model with some keys changed; `__` stands for dots."""
    base = llama_blueprint()
    keys = {name.replace("__", "."): value for name, value in changes.items()}
    write_sparse(Blueprint({**base.metadata, **keys}, base.tensors), path)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"general__architecture": "clip"}, "projector of a vision model"),
        ({"general__type": "mmproj"}, "projector of a vision model"),
        ({"general__type": "adapter"}, "adapter (LoRA)"),
        ({"general__architecture": "quokka"}, "file.gguf: architecture 'quokka' is not supported"),
        ({}, "brings no tokenizer"),
    ],
)
def test_a_file_that_cannot_answer_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, MetadataValue], said: str
) -> None:
    path = written(tmp_path / "file.gguf", **changes)
    with pytest.raises(InputError) as caught:
        answering_header(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_all_parts_of_a_model_count(tmp_path: Path) -> None:
    """The first part alone has neither all layers nor all of the memory."""
    base = llama_blueprint(layers=4)
    tokenizer: dict[str, MetadataValue] = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ("a", "b")}
    whole = Blueprint({**base.metadata, **tokenizer}, base.tensors)
    header = answering_header(write_parts(tmp_path, whole, 3))
    assert shape_of(header.metadata, header.tensors).n_layers == 4
    assert header.tensor_bytes == whole.tensor_bytes


def planned(path: Path, **answers: Any) -> SmokePlan:
    """The plan for a file that is not run."""
    needs = constraints(**answers)
    header = read_header(path)
    placement = cpu_placement(2048, threads=1)
    shape = shape_of(header.metadata, header.tensors)
    footprint = size_model("x", shape, weights_of(header.tensors), "", placement, 0).footprint
    kit = SmokeKit(Advisor().catalogue.speed, QUESTIONS)
    return smoke_runs._plan(smoke_runs._File(path, header, placement, footprint), needs, kit)


def test_languages_that_were_asked_for_get_their_question(smollm2: Path) -> None:
    plan = planned(smollm2, languages__required=("en", "zh-Hant", "nn"), languages__preferred=("bs", "yo", "en"))
    assert dict(plan.questions) == {
        "en": QUESTIONS["en"], "zh-Hant": QUESTIONS["zh"], "nn": QUESTIONS["nb"], "bs": QUESTIONS["hr"],
    }  # fmt: skip
    assert plan.required == {"en", "zh-Hant", "nn"}
    assert plan.unasked == ("yo",)


def test_a_question_in_place_of_a_languages_own_is_one_whose_answer_counts() -> None:
    questions = load_questions(knowledge_dir())
    for tag, other in READ_AS_WELL.items():
        assert tag not in questions
        assert other in questions
        assert any({tag, other} <= group for group in ALIKE)


def test_the_long_prompt_is_as_long_as_the_context_that_is_there(smollm2: Path) -> None:
    assert planned(smollm2, task__context_tokens=65536).long_tokens == 2048
    assert planned(smollm2, task__context_tokens=4096).long_tokens == 2048


def test_agents_alone_must_call_a_tool(smollm2: Path) -> None:
    assert planned(smollm2, task__kind="agents").calls_tools
    assert not planned(smollm2, task__kind="chat").calls_tools


def test_a_file_is_run_whole_judged_and_told_as_values(smollm2: Path, tmp_path: Path) -> None:
    """A small model under SmolLM2's vocabulary: every part works, and it has nothing to say."""
    found = read_header(smollm2, keep=("tokenizer.ggml.tokens", "tokenizer.ggml.merges")).metadata
    vocabulary = {
        key: value
        for key, value in found.items()
        if key.startswith("tokenizer.") and not isinstance(value, ArraySummary)
    }
    base = llama_blueprint(vocab=49152, hidden=64, ffn=128, heads=1, kv_heads=1)
    path = tmp_path / "babbler.gguf"
    with EngineClient(threads=1) as client:
        write_synthetic(Blueprint({**base.metadata, **vocabulary}, base.tensors), path, BlockPools(client))
    advisor = Advisor()
    needs = constraints(languages__required=("fr",), task__kind="agents", task__context_tokens=4096)
    report = advisor.smoke_file(path, replace(needs, latency=replace(needs.latency, tokens_per_s=1e9)))
    assert report.verdict.verdict == "fail"
    ids = [check.id for check in report.verdict.checks]
    assert ids[:7] == ["runs", "text", "template", "stop", "repeat", "language", "context"]
    document = smoke_document(report)
    assert document["verdict"] == "fail"
    assert document["decode_tokens_per_s"] > 0
    assert document["prefill_tokens_per_s"] > 0
    assert [row["tag"] for row in document["languages"]] == ["fr"]
    assert document["peak_bytes"] > 0
