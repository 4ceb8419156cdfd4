"""Answers to constraints and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.domain.constraints import (
    Constraints,
    LanguageNeeds,
    Latency,
    MachineLimits,
    Preferences,
    Scale,
    Task,
    Use,
    Weights,
)
from advisor.domain.questions import Answer, Questionnaire, read_answer
from advisor.errors import InputError


def constraints_from(answers: Mapping[str, Answer]) -> Constraints:
    """Build the constraints from one answer per key.

    Raises InputError where answers contradict one another.
    """
    part = _sections(answers)
    task = Task(**part["task"])
    use = Use(**part["use"], fine_tune=task.fine_tune)
    weights = {key.removeprefix("weights."): v for key, v in part["preferences"].items() if key.startswith("weights.")}
    limits = part["machine"]
    constraints = Constraints(
        use=use,
        task=task,
        languages=LanguageNeeds(**part["languages"]),
        scale=Scale(**part["scale"]),
        latency=Latency(**part["latency"]),
        machine=MachineLimits(
            reserve_ram_bytes=limits["reserve_ram"],
            reserve_vram_bytes=limits["reserve_vram"],
            allow_cpu=limits["allow_cpu"],
            engine=limits["engine"],
        ),
        preferences=Preferences(families=part["preferences"]["families"], weights=Weights(**weights)),
    )
    _check(constraints)
    return constraints


def _sections(answers: Mapping[str, Answer]) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {}
    for key, answer in answers.items():
        section, _, name = key.partition(".")
        parts.setdefault(section, {})[name] = answer
    return parts


def _check(constraints: Constraints) -> None:
    weights = constraints.preferences.weights
    if not any((weights.quality, weights.speed, weights.headroom, weights.ecosystem, weights.licence)):
        raise InputError("preferences.weights: all are 0", hint="Give at least one criterion a weight.")
    scale, context = constraints.scale, constraints.task.context_tokens
    if scale.prompt_tokens + scale.answer_tokens > context:
        raise InputError(
            f"task.context_tokens: {context:,} tokens cannot hold a prompt of {scale.prompt_tokens:,} "
            f"and an answer of {scale.answer_tokens:,}",
            hint=f"Set task.context_tokens to at least {scale.prompt_tokens + scale.answer_tokens}.",
        )


def merge_document(
    questionnaire: Questionnaire, answers: Mapping[str, Answer], document: Mapping[str, Any], *, name: str
) -> dict[str, Answer]:
    """Answers overlaid by a constraints document. Raises InputError naming the file, the key and the nearest key."""
    merged = dict(answers)
    for key, raw in flattened(document).items():
        if key == "schema_version":
            if raw != 1:
                raise InputError(f"{name}: schema_version: {raw!r} is not supported", hint="Write schema_version = 1.")
            continue
        try:
            merged[key] = read_answer(questionnaire[key], raw)
        except InputError as error:
            raise InputError(f"{name}: {error.what}", why=error.why, hint=error.hint) from error
    return merged


def flattened(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted key; a key that is dotted already stays."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def answers_document(answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Answers as a nested document that `merge_document` reads back; None where a question was left without one."""
    document: dict[str, Any] = {}
    for key, answer in answers.items():
        *path, name = key.split(".")
        node = document
        for part in path:
            node = node.setdefault(part, {})
        node[name] = list(answer) if isinstance(answer, tuple) else answer
    return document
