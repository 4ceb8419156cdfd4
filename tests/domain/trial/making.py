"""Hand-made runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.domain.trial.outcome import Answer, Contestant, Outcome, Run, Sampling, Trial
from advisor.domain.trial.tasks import Exact, Message, Task


def task(task_id: str, *, tags: tuple[str, ...] = (), checked: bool = True) -> Task:
    check = Exact(("yes",)) if checked else None
    return Task(task_id, (Message("user", f"question {task_id}"),), check, 1, tags=tags)


def answer(text: str = "yes", **fields: object) -> Answer:
    given = {"n_tokens": 5, "n_prompt": 9, "ending": "end", "ttft_ms": 50.0, "decode_ms": 200.0, "template": "applied"}
    return Answer(text, **{**given, **fields})  # type: ignore[arg-type]


def run(name: str, scores: Mapping[str, float | None]) -> Run:
    outcomes = tuple(Outcome(task_id, answer(), score, "") for task_id, score in scores.items())
    return Run(Contestant(name, f"/{name}.gguf", name[0] * 64), outcomes)


def trial(*runs: Run, tasks: Sequence[Task] | None = None) -> Trial:
    made = tasks or [task(outcome.task_id) for outcome in runs[0].outcomes]
    return Trial(tuple(made), "tasks.jsonl", "a" * 64, Sampling(64), 4096, runs)
