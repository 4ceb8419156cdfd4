"""A recommendation as a TOML file that explains itself and can be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit

from advisor.domain.questions import Questionnaire
from advisor.errors import NoCandidateError
from advisor.export.answer_words import explained_file
from advisor.export.recommendation_schema import RecommendationFile
from advisor.export.toml_text import fill

SCHEMA_LINE = "#:schema recommendation.schema.json"
"""Read by TOML language servers, which want exactly this spelling."""

HEADER = (
    "A recommendation by llm-advisor: which model to run, in which quantization, on the machine recorded below.",
    "Is it still true here?         llm-advisor verify FILE",
    "The same needs once more:      llm-advisor recommend --constraints FILE",
    "Sizes are bytes, with GiB = 2^30 bytes in the comments. What is unknown is left out.",
)

NOTHING = "none"
"""The answer in [constraints] of a question that was left without one; TOML has no null."""

_SECTIONS = (
    "recommendation", "alternatives", "sensitivity", "rejected", "plan", "request", "constraints", "machine",
    "catalogue",
)  # fmt: skip


def recommendation_toml(
    document: Mapping[str, Any],
    *,
    tool_version: str,
    engine_version: str | None,
    created: str,
    smoke: Mapping[str, Any] | None,
    questionnaire: Questionnaire | None = None,
) -> str:
    """The file's text from a recommendation's document; `created` is the moment in ISO 8601.

    The questionnaire, where it is given, explains the answers in [constraints]. Raises NoCandidateError when
    nothing is recommended.
    """
    if document.get("recommendation") is None:
        raise _nothing_to_export()
    head = {
        "schema_version": document["schema_version"],
        "created": created,
        "tool_version": tool_version,
        "engine_version": engine_version,
    }
    sections = {key: document[key] for key in _SECTIONS if key in document}
    sections["constraints"] = _answered(document["constraints"])
    toml = tomlkit.document()
    for line in HEADER:
        toml.add(tomlkit.comment(line))
    toml.add(tomlkit.nl())
    schema = RecommendationFile if questionnaire is None else explained_file(questionnaire, document["constraints"])
    fill(toml, {**head, **sections, "smoke": smoke}, schema)
    return f"{SCHEMA_LINE}\n{tomlkit.dumps(toml)}"


def _nothing_to_export() -> NoCandidateError:
    return NoCandidateError(
        "there is nothing to export",
        why="no model satisfies the constraints",
        hint="Change what the nearest misses name, then try again.",
    )


def _answered(constraints: Mapping[str, Any]) -> dict[str, Any]:
    """Without a word for it, a question left open would be answered by its default in a replay."""
    return {
        key: NOTHING if answer is None else _answered(answer) if isinstance(answer, Mapping) else answer
        for key, answer in constraints.items()
    }
