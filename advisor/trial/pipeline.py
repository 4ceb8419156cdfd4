"""One trial from beginning to end: tasks read and checked, contestants known, run, and what was noted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from advisor import paths
from advisor.domain.hardware import Machine
from advisor.domain.local_files import LocalFile
from advisor.domain.pools import threads_for
from advisor.domain.trial.outcome import Run, Trial
from advisor.domain.trial.requests import TrialRequest
from advisor.domain.trial.tasks import Code, TaskSet, n_unchecked
from advisor.errors import EngineError
from advisor.local_files.hashing import Hashes
from advisor.trial.checking import Judge
from advisor.trial.contestants import choose_jobs, file_sha256, make_entries
from advisor.trial.running import Conditions, OnProgress, run_contestants
from advisor.units import counted


def run_trial(
    request: TrialRequest,
    tasks: TaskSet,
    contestants: Callable[[], Sequence[LocalFile]],
    machine: Callable[[], Machine],
    hashes: Hashes,
    on_progress: OnProgress | None,
    cancel: threading.Event | None,
) -> Trial:
    """Check everything that can be checked before a model is loaded, then run. Raises as `Trials.trial` says."""
    with Judge() as judge:
        judge.verify(tasks.tasks, request.tasks.name)
    files, here = contestants(), machine()
    entries = make_entries(files, lambda path: file_sha256(path, hashes, cancel), here, request.context_tokens)
    jobs, why_not = choose_jobs(entries, here, request.jobs)
    conditions = Conditions(
        sampling=request.sampling,
        threads=request.threads or threads_for(here),
        jobs=jobs,
        allow_code=request.allow_code,
        engine_version=here.engine.version.value or "unknown",
        journals=paths.state_dir() / "trials",
    )
    runs, notes = run_contestants(tasks.tasks, entries, conditions, on_progress, cancel)
    if not any(outcome.answer for run in runs for outcome in run.outcomes):
        raise EngineError("no contestant gave an answer", why=_why(runs))
    said = (*tasks.notes, *_told(tasks, request.allow_code), *((why_not,) if why_not else ()), *notes, *_plain(runs))
    return Trial(
        tasks.tasks, request.tasks.name, tasks.sha256, request.sampling, request.context_tokens, runs, tuple(said)
    )


def _why(runs: Sequence[Run]) -> str | None:
    return next((outcome.reason for run in runs for outcome in run.outcomes if outcome.reason), None)


def _told(tasks: TaskSet, allow_code: bool) -> list[str]:
    found = []
    unchecked, n = n_unchecked(tasks.tasks), len(tasks.tasks)
    if unchecked:
        has = "has" if unchecked == 1 else "have"
        found.append(f"{unchecked} of {counted(n, 'task')} {has} no check: people can judge them (--judge)")
    coded = sum(isinstance(task.check, Code) for task in tasks.tasks)
    if coded and not allow_code:
        run, were = ("runs", "it was") if coded == 1 else ("run", "they were")
        found.append(f"{coded} of {counted(n, 'task')} {run} code, which is off: {were} not judged (--allow-code)")
    return found


def _plain(runs: Sequence[Run]) -> list[str]:
    """Contestants whose prompts went in without a template of theirs."""
    names = [run.contestant.name for run in runs if any(answer.template != "applied" for answer in run.answered)]
    return [f"{name}: llama.cpp does not know its chat template, so prompts went in as they are" for name in names]
