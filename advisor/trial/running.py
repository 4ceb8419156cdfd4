"""Running a trial: every contestant answers every task, answers are kept as they come, and a rerun goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.cancelling import cancelling
from advisor.domain.trial.checks import Judgement
from advisor.domain.trial.outcome import Answer, Ending, Outcome, Progress, Run, Sampling
from advisor.domain.trial.tasks import Task
from advisor.engine import operations as ops
from advisor.engine.client import EngineCancelled, EngineClient, EngineRefused, EngineUnavailable
from advisor.engine.trial_messages import ChatParams, ChatResult, Turn
from advisor.errors import AdvisorError, EngineError
from advisor.trial.checking import Judge
from advisor.trial.contestants import Entry
from advisor.trial.journal import Answers, Journal, answer_key
from advisor.trial.templating import Templating
from advisor.units import counted

ANSWER_TIMEOUT_S = 600.0
"""For one answer, loading included: a model that never ends its answer is stopped by its limit of tokens before."""
MOST_DEATHS = 3
"""Answers in a row at which the engine died, before the contestant is given up."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for all contestants."""

    sampling: Sampling
    threads: int
    jobs: int
    allow_code: bool
    engine_version: str
    journals: Path
    timeout_s: float = ANSWER_TIMEOUT_S

    @property
    def threads_each(self) -> int:
        return max(1, self.threads // self.jobs)


OnProgress = Callable[[Progress], None]


class TrialStopped(EngineCancelled):
    """The trial was cancelled; what was answered is kept."""

    def __init__(self) -> None:
        super().__init__("the trial was stopped", hint="Run it again to go on; answers are kept.")


def run_contestants(
    tasks: Sequence[Task],
    entries: Sequence[Entry],
    conditions: Conditions,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """All runs, with notes on what went wrong. Raises TrialStopped when cancelled, EngineUnavailable without llama.cpp,
    InputError where the journal cannot be written."""
    stop = cancel or threading.Event()
    runners = [_Runner(tasks, entry, conditions, on_progress, stop) for entry in entries]
    with ThreadPoolExecutor(max_workers=conditions.jobs, thread_name_prefix="trial") as pool:
        futures = [pool.submit(runner.run) for runner in runners]
        try:
            _await(futures, stop)
        except BaseException:
            stop.set()  # leaving the block waits for the threads, whose children end at once
            raise
    notes = tuple(note for runner in runners for note in runner.notes)
    return tuple(future.result() for future in futures), notes


def _await(futures: Sequence[Future[Run]], stop: threading.Event) -> None:
    """Until all are done or one failed; a keyboard interrupt gets through meanwhile."""
    pending = set(futures)
    while pending:
        done, pending = wait_for(pending, timeout=0.2)
        for future in done:
            error = future.exception()
            if error is not None:
                stop.set()
                raise error


@dataclass(frozen=True, slots=True)
class _Engine:
    """The child that answers, and the one that renders what it is asked."""

    client: EngineClient
    templating: Templating

    def cancel(self) -> None:
        self.client.cancel()
        self.templating.cancel()


class _Runner:
    """One contestant with its journal, engine and judge."""

    def __init__(
        self,
        tasks: Sequence[Task],
        entry: Entry,
        conditions: Conditions,
        on_progress: OnProgress | None,
        stop: threading.Event,
    ) -> None:
        self._tasks = tasks
        self._entry = entry
        self._conditions = conditions
        self._on_progress = on_progress
        self._stop = stop
        self._deaths = 0
        self._given_up: str | None = None
        self.notes: list[str] = []

    def run(self) -> Run:
        name = self._entry.contestant.name
        path = self._conditions.journals / f"answers-{self._entry.contestant.sha256[:32]}.jsonl"
        outcomes: list[Outcome] = []
        with (
            Journal(path) as journal,
            EngineClient(threads=self._conditions.threads_each) as client,
            Templating(Path(self._entry.contestant.path)) as templating,
            cancelling(_Engine(client, templating).cancel, self._stop),
            Judge(allow_code=self._conditions.allow_code) as judge,
        ):
            answers = Answers(journal)
            if answers.n_dropped:
                self.notes.append(f"{name}: {counted(answers.n_dropped, 'damaged line')} of the journal left out")
            self._tell(name, outcomes)
            for task in self._tasks:
                if self._stop.is_set():
                    raise TrialStopped
                outcomes.append(self._outcome(task, answers, _Engine(client, templating), judge))
                self._tell(name, outcomes)
        if self._given_up is not None:
            self.notes.append(f"{name}: {self._given_up}")
        if templating.refusal is not None:
            self.notes.append(f"{name}: its own chat template {templating.refusal}; llama.cpp's nearest one was used")
        return Run(self._entry.contestant, tuple(outcomes))

    def _tell(self, name: str, outcomes: Sequence[Outcome]) -> None:
        if self._on_progress is not None:
            scores = [o.score for o in outcomes if o.score is not None]
            n_cached = sum(o.is_cached for o in outcomes)
            self._on_progress(Progress(name, len(outcomes), len(self._tasks), n_cached, sum(scores), len(scores)))

    def _outcome(self, task: Task, answers: Answers, engine: _Engine, judge: Judge) -> Outcome:
        conditions = self._conditions
        key = answer_key(task, conditions.sampling, self._entry.context.n_ctx, conditions.engine_version)
        answer, reason = answers.get(key), ""
        is_cached = answer is not None
        if answer is None:
            answer, reason = self._asked(task, engine)
            if answer is not None:
                answers.put(key, answer)
        judged = Judgement(None, reason) if answer is None else judge.judge(task.check, answer.text)
        return Outcome(task.id, answer, judged.score, judged.reason, is_cached)

    def _asked(self, task: Task, engine: _Engine) -> tuple[Answer | None, str]:
        """The engine's answer, or why there is none."""
        if self._given_up is not None:
            return None, self._given_up
        try:
            params = self._params(task, engine.templating.rendered(task))
            result = ops.chat(engine.client, params, timeout=self._conditions.timeout_s)
        except EngineCancelled as error:
            raise TrialStopped from error
        except EngineUnavailable:
            raise
        except EngineRefused as error:
            if error.kind in ("load", "context"):
                self._given_up = f"llama.cpp does not run it: {error.why or error.what}"
                return None, self._given_up
            return None, error.what
        except EngineError as error:
            return None, self._died(error)
        self._deaths = 0
        return self._answer(result), ""

    def _died(self, error: AdvisorError) -> str:
        """Count a death; the child starts again with the next task."""
        self._deaths += 1
        reason = error.what if error.why is None else f"{error.what}: {error.why}"
        if self._deaths >= MOST_DEATHS:
            self._given_up = f"given up after {self._deaths} answers in a row at which {reason}"
        return reason

    def _params(self, task: Task, rendered: str | None) -> ChatParams:
        sampling = self._conditions.sampling
        return ChatParams(
            model_path=self._entry.contestant.path,
            turns=tuple([Turn(message.role, message.content) for message in task.messages]),
            context=replace(self._entry.context, threads=self._conditions.threads_each),
            max_tokens=task.max_tokens or sampling.max_tokens,
            temperature=sampling.temperature,
            seed=sampling.seed,
            stop=task.stop,
            rendered=rendered,
        )

    def _answer(self, result: ChatResult) -> Answer:
        ending: Ending = next((e for e in ("end", "length", "context", "stop") if e == result.stop), "end")
        return Answer(
            text=result.text,
            n_tokens=result.n_tokens,
            n_prompt=result.n_prompt,
            ending=ending,
            ttft_ms=round(result.ttft_ms, 3),
            decode_ms=round(result.decode_ms, 3),
            template=result.template,
            threads=self._conditions.threads_each,
            neighbours=self._conditions.jobs - 1,
        )
