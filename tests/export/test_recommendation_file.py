from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from advisor._toml import MAX_BYTES
from advisor.domain.questions import Answer
from advisor.errors import InputError
from advisor.export.constraints_schema import CONSTRAINTS_SCHEMA, constraints_schema
from advisor.export.recommendation_file import json_schema, read_recommendation
from tests.export.schema_check import Validator, schema_text
from tests.export.support import (
    KNOWLEDGE,
    MACHINES,
    advise,
    advisor,
    answers,
    recorded_answers,
    text_of,
    without_none,
    write,
    written,
)

SETTINGS = ["latency.tokens_per_s=none", "scale.users=200", 'languages.required=["fr", "en"]', "task.kind=coding"]

Edit = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def text() -> str:
    return text_of(advise(MACHINES["RTX 4090"]))


@pytest.fixture
def edited(text: str, tmp_path: Path) -> Edit:
    """Writes the file with one thing replaced."""

    def edit(old: str, new: str) -> Path:
        assert old in text
        return write(tmp_path / "rec.toml", text.replace(old, new, 1))

    return edit


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    document = advise(MACHINES[name], SETTINGS)
    file = written(tmp_path / "rec.toml", document)
    pick = file.recommendation.model_dump(mode="json", exclude_unset=True)
    assert pick == without_none(document["recommendation"])
    assert [row.model for row in file.alternatives] == [row["model"] for row in document["alternatives"]]
    assert [row.model for row in file.rejected] == [row["model"] for row in document["rejected"]]
    assert file.catalogue.sha256 == advisor().catalogue.sha256


def test_the_answers_are_read_back_even_where_a_question_was_left_open(tmp_path: Path) -> None:
    given: dict[str, Answer] = answers(SETTINGS)
    assert given["latency.tokens_per_s"] is None
    assert advisor().questionnaire["latency.tokens_per_s"].default is not None
    assert recorded_answers(written(tmp_path / "rec.toml", advise(MACHINES["processor"], SETTINGS))) == given


def test_what_was_asked_beyond_the_constraints_is_read_back(tmp_path: Path) -> None:
    model = advise(MACHINES["RTX 4090"])["alternatives"][0]["model"]
    document = advise(MACHINES["RTX 4090"], named=[model], quantization="q3_k_m")
    request = written(tmp_path / "rec.toml", document).request
    assert (request.models, request.quantization) == ([model], "Q3_K_M")


def test_the_file_that_was_read_cannot_be_changed(text: str, tmp_path: Path) -> None:
    file = read_recommendation(write(tmp_path / "rec.toml", text))
    with pytest.raises(ValidationError, match="frozen"):
        file.created = "2000-01-01"


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("hf_id = ", "hf_idd = ", r"rec\.toml: recommendation\.hf_id: the key is missing", None),
        ("[plan]\n", "[plan]\nslotz = 1\n", r"rec\.toml: plan\.slotz: unknown key", "'slots'"),
        ("[[machine.gpus]]\n", "[[machine.gpus]]\ntotal_byte=1\n", r"machine\.gpus\[0\]\.total_byte", "'total_bytes'"),
        ("[machine]\n", "[machin]\nx = 1\n[machine]\n", r"rec\.toml: machin: unknown key", "'machine'"),
        ("threads = 12", 'threads = "12"', r"recommendation\.placement\.threads: .*integer", None),
        ("threads = 12", "threads = true", r"recommendation\.placement\.threads: .*integer", None),
        ("threads = 12", "threads = 12.0", r"recommendation\.placement\.threads: .*integer", None),
        ("threads = 12", "threads = -1", r"recommendation\.placement\.threads: .*greater than or equal to 0", None),
        ("prompt_tokens = 512", "prompt_tokens = 9223372036854775808", r"recommendation\.speed\.prompt_tokens", None),
        ("\nttft_ms = ", "\nttft_ms = inf # ", r"recommendation\.speed\.ttft_ms: .*finite", None),
        ("\nttft_ms = ", "\nttft_ms = nan # ", r"recommendation\.speed\.ttft_ms: .*finite", None),
        ('verdict = "allowed', 'verdict = "tolerated', r"recommendation\.licence\.verdict: .*'allowed'", None),
        ("schema_version = 1", "schema_version = 2", r"rec\.toml: schema_version: ", None),
        ('sha256 = "', 'sha256 = "g', r"rec\.toml: catalogue\.sha256: ", None),
        ('created = "2026', 'created = "yesterday', r"rec\.toml: created: ", None),
    ],
)  # fmt: skip
def test_what_breaks_the_schema_is_named_with_its_place(
    old: str, new: str, message: str, hint: str | None, edited: Edit
) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read_recommendation(edited(old, new))
    if hint is not None:
        assert hint in (raised.value.hint or "")


def test_a_hostile_key_is_shown_escaped(edited: Edit) -> None:
    with pytest.raises(InputError, match="unknown key") as raised:
        read_recommendation(edited("[plan]\n", '[plan]\n"\\u001b[2J\\n" = 1\n'))
    assert str(raised.value).isprintable()


def test_broken_toml_is_refused_with_its_line(edited: Edit, text: str) -> None:
    line = text[: text.index("threads = ")].count("\n") + 1
    with pytest.raises(InputError, match=rf"rec\.toml is not valid TOML.*line {line}"):
        read_recommendation(edited("threads = ", "threads : "))


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rec\.toml is not valid TOML: .*nested"):
        read_recommendation(write(tmp_path / "rec.toml", "a = " + "[" * 100_000))


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "rec.toml"
    with path.open("wb") as stream:
        stream.truncate(64 << 30)  # sparse: reading it whole would fill the memory
    with pytest.raises(InputError, match=r"rec\.toml is no recommendation file: it is longer than 1\.00 MiB|1 MiB"):
        read_recommendation(path)


def test_a_file_of_just_the_limit_is_parsed(text: str, tmp_path: Path) -> None:
    padding = MAX_BYTES - len(text.encode()) - 2
    path = write(tmp_path / "rec.toml", f"{text}#{' ' * padding}\n")
    assert path.stat().st_size == MAX_BYTES
    assert read_recommendation(path).schema_version == 1


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rec.toml").write_bytes(b"GGUF\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8 text: byte 4"):
        read_recommendation(tmp_path / "rec.toml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.toml cannot be read: No such file"):
        read_recommendation(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_recommendation(tmp_path)


def test_the_committed_schema_is_the_one_of_the_code() -> None:
    committed = (KNOWLEDGE / "schema" / "recommendation.schema.json").read_text("utf-8")
    assert committed == schema_text(json_schema()), "write what `llm-advisor schema recommendation` prints to that file"


@pytest.mark.parametrize("name", MACHINES)
def test_an_export_obeys_the_committed_schemas(name: str) -> None:
    exported: dict[str, Any] = tomllib.loads(text_of(advise(MACHINES[name], SETTINGS), smoke={"passed": True}))
    others = {CONSTRAINTS_SCHEMA: constraints_schema(advisor().questionnaire)}
    assert Validator(json_schema(), others).problems(exported) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\nslots = ", "\nslotz = "),
        ("\nbatch = 2048", "\nbatch = -1"),
        ("\nusers = 1", "\nusers = 0"),
        ('\nrequired = ["en"]', '\nrequired = ["not a tag"]'),
    ],
)
def test_the_schemas_refuse_what_the_reader_refuses(old: str, new: str, text: str) -> None:
    others = {CONSTRAINTS_SCHEMA: constraints_schema(advisor().questionnaire)}
    assert old in text
    broken = tomllib.loads(text.replace(old, new))
    assert Validator(json_schema(), others).problems(broken) != []
