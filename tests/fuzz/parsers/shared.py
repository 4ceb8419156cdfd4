"""What several harnesses need of the product, made once."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.export.recommendation_toml import recommendation_toml
from advisor.paths import knowledge_dir
from advisor.probe.machine_file import read_machine_file
from advisor.service import Advisor

ROOT = Path(__file__).parents[3]
DESKTOP = ROOT / "docs" / "examples" / "desktop.toml"


@cache
def advisor() -> Advisor:
    return Advisor(knowledge_dir())


@cache
def desktop() -> Machine:
    """A machine with a GPU, described by a file of the documentation."""
    return read_machine_file(DESKTOP)


@cache
def default_constraints() -> Constraints:
    return advisor().constraints(advisor().questionnaire.defaults())


@cache
def recommendation_text() -> str:
    """A recommendation as `recommend -o` writes it."""
    from advisor.domain.answers import answers_document
    from advisor.export.documents import recommendation_document

    answers = advisor().questionnaire.defaults()
    found = advisor().recommend(desktop(), default_constraints(), named=["mistral-7b-instruct-v0.3"])
    return recommendation_toml(
        recommendation_document(found, answers_document(answers)),
        tool_version="0.1.0",
        engine_version=None,
        created="2026-11-28T06:00:00+00:00",
        smoke=None,
        questionnaire=advisor().questionnaire,
    )


@cache
def constraints_text() -> str:
    """A constraints file that answers every question."""
    lines = ["schema_version = 1\n"]
    for key, answer in advisor().questionnaire.defaults().items():
        value = "none" if answer is None else list(answer) if isinstance(answer, tuple) else answer
        lines.append(f"{key} = {json.dumps(value)}\n")
    return "".join(lines)
