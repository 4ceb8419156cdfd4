"""A trial as plain values, and back as far as a recommendation needs it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor._json import parse_json
from advisor.domain.trial.evidence import Evidence, Tried
from advisor.domain.trial.outcome import Outcome, Run, Trial
from advisor.domain.trial.report import Accuracy, Duel, Pace, Report, Standing
from advisor.domain.trial.statistics import LEVEL, Interval
from advisor.errors import InputError
from advisor.files import read_bounded
from advisor.schema_errors import explained
from advisor.trial.result_schema import TrialFile
from advisor.units import MIB

_MAX_BYTES = 32 * MIB
_HINT = "Write one with: llm-advisor trial TASKS.jsonl -o RESULT.json"


def trial_document(trial: Trial, found: Report) -> dict[str, Any]:
    """Everything, for `--json` and for a file."""
    standings = {standing.name: standing for standing in found.standings}
    runs = {run.contestant.name: run for run in trial.runs}
    return {
        "kind": "trial",
        "complete": trial.is_complete,
        "tasks": {"name": trial.tasks_name, "sha256": trial.tasks_sha256, "n": len(trial.tasks)},
        "sampling": {
            "max_tokens": trial.sampling.max_tokens,
            "temperature": trial.sampling.temperature,
            "seed": trial.sampling.seed,
            "context_tokens": trial.context_tokens,
        },
        "interval": LEVEL,
        "contestants": [_contestant(runs[name], standing) for name, standing in standings.items()],
        "pairs": [_duel(duel) for duel in found.duels],
        "unjudged": found.unjudged,
        "answers": [_task(trial, place) for place in range(len(trial.tasks))],
        "notes": list(trial.notes),
    }


def read_result(path: Path) -> tuple[TrialFile, str]:
    """A trial's result and its hash. Raises InputError for a file that is none."""
    return _parsed(read_bounded(path, _MAX_BYTES, hint=_HINT), str(path))


def _parsed(content: bytes, name: str) -> tuple[TrialFile, str]:
    what = f"{name} is no trial result"
    try:
        raw = parse_json(content, name=name)
    except InputError as error:
        raise InputError(what, why=error.why, hint=_HINT) from error
    if not isinstance(raw, dict) or "contestants" not in raw:
        raise InputError(what, why="it has no contestants", hint=_HINT)
    try:
        return TrialFile.model_validate(raw), sha256(content).hexdigest()
    except ValidationError as error:
        raise explained(error, TrialFile, raw, name=name) from error


def read_evidence(path: Path) -> tuple[Evidence, tuple[str, ...]]:
    """What a result says of models of the catalogue, and notes on what it does not say. Raises InputError."""
    return parse_evidence(read_bounded(path, _MAX_BYTES, hint=_HINT), str(path))


def parse_evidence(content: bytes, name: str) -> tuple[Evidence, tuple[str, ...]]:
    """The same of a result's content; `name` is what errors call it."""
    file, digest = _parsed(content, name)
    if not file.complete:
        raise InputError(f"{name} is an unfinished trial", hint="Run the trial again to finish it.")
    tried, notes = [], []
    for one in file.contestants:
        if one.model is None or one.quantization is None:
            notes.append(f"{one.name} is no model of the catalogue, so its trial says nothing about one")
        elif not one.judged:
            notes.append(f"no answer of {one.name} was judged")
        else:
            tried.append(Tried(one.model, one.quantization, one.judged, one.total))
    return Evidence(file.tasks.name, file.tasks.sha256, digest, tuple(tried)), tuple(notes)


def _contestant(run: Run, standing: Standing) -> dict[str, Any]:
    contestant, accuracy, pace = run.contestant, standing.accuracy, standing.pace
    return {
        "name": contestant.name,
        "path": contestant.path,
        "sha256": contestant.sha256,
        "model": contestant.model,
        "quantization": contestant.quantization,
        **_accuracy(accuracy),
        "speed": _pace(pace),
        "by_tag": {tag: {**interval_document(interval), "n": n} for tag, interval, n in standing.by_tag},
    }


def _accuracy(found: Accuracy) -> dict[str, Any]:
    return {
        "answered": found.n_answered,
        "judged": found.n_judged,
        "total": round(found.total, 6),
        "accuracy": None if found.interval is None else interval_document(found.interval),
        "method": found.method,
        "cut_short": found.n_cut,
    }


def _pace(found: Pace) -> dict[str, Any]:
    return {
        "basis": "measured",
        "decode_tokens_per_s": None
        if found.decode_tokens_per_s is None
        else interval_document(found.decode_tokens_per_s),
        "ttft_ms": None if found.ttft_ms is None else interval_document(found.ttft_ms),
        "seconds": round(found.seconds, 3),
        "tokens": found.n_tokens,
        "shared_machine": found.shared,
    }


def interval_document(found: Interval) -> dict[str, float]:
    """An interval as plain values."""
    return {"value": round(found.middle, 6), "low": round(found.low, 6), "high": round(found.high, 6)}


def _duel(found: Duel) -> dict[str, Any]:
    return {
        "first": found.one,
        "second": found.other,
        "n": found.n,
        "only_first": found.only_one,
        "only_second": found.only_other,
        "difference": interval_document(found.difference),
        "p": round(found.p, 6),
        "test": "permutation" if found.is_graded else "McNemar, mid-p",
        "p_exact": None if found.p_exact is None else round(found.p_exact, 6),
        "significant": found.is_significant,
        "tasks_needed": found.tasks_needed,
        "statement": found.statement,
        "disagreements": list(found.disagreements),
    }


def _task(trial: Trial, place: int) -> dict[str, Any]:
    task = trial.tasks[place]
    return {
        "id": task.id,
        "line": task.line,
        "question": task.question,
        "tags": list(task.tags),
        "by": {r.contestant.name: _outcome(r.outcomes[place]) for r in trial.runs if place < len(r.outcomes)},
    }


def _outcome(found: Outcome) -> dict[str, Any]:
    answer = found.answer
    return {
        "score": found.score,
        "reason": found.reason,
        "answer": None if answer is None else answer.text,
        "ending": None if answer is None else answer.ending,
        "tokens": None if answer is None else answer.n_tokens,
    }
