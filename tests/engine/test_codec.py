from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from advisor.engine.codec import from_json, to_json
from advisor.engine.messages import (
    BenchParams,
    ContextParams,
    DeviceBytes,
    DryRunResult,
    GenerateParams,
    MemoryFigures,
    ModelFacts,
)

MEMORY = MemoryFigures(1, 2, 3, (DeviceBytes("CPU", 4),), (), (), ("CPU",), ("CPU",), None)
VALUES = [
    ContextParams(threads=3, flash_attention="on"),
    BenchParams(("a", "b"), ContextParams(tensor_split=(1.0, 0.5))),
    GenerateParams("a", ("b",), system="c", temperature=0.5),
    DryRunResult(ModelFacts("d", 1, 2, 3, 4, True), MEMORY, 0.5, 1.0),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_dataclass_survives_json(value: Any) -> None:
    assert from_json(type(value), json.loads(json.dumps(to_json(value)))) == value


def test_defaults_fill_missing_fields() -> None:
    assert from_json(ContextParams, {"n_ctx": 7}) == ContextParams(n_ctx=7)


@dataclass(frozen=True, slots=True)
class Sample:
    count: int
    share: float
    name: str | None = None
    flags: tuple[bool, ...] = ()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ([], "must be an object"),
        ({"share": 1.0}, "needs 'count'"),
        ({"count": 1, "share": 1.0, "other": 2}, "no field 'other'"),
        ({"count": 1.5, "share": 1.0}, "'count'"),
        ({"count": True, "share": 1.0}, "'count'"),
        ({"count": 1, "share": "x"}, "'share'"),
        ({"count": 1, "share": 1.0, "name": 3}, "'name'"),
        ({"count": 1, "share": 1.0, "flags": "x"}, "'flags'"),
        ({"count": 1, "share": 1.0, "flags": [1]}, "'flags'"),
    ],
)
def test_wrong_fields_are_value_errors(raw: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        from_json(Sample, raw)


def test_a_whole_number_serves_as_a_fraction() -> None:
    assert from_json(Sample, {"count": 1, "share": 2}) == Sample(1, 2.0)


def test_other_words_than_the_listed_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="flash_attention"):
        from_json(ContextParams, {"flash_attention": "perhaps"})
