"""A trial with every answer written down, and advisors that come to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from advisor.domain.local_files import LocalFile, LocalFiles, Match
from advisor.domain.trial.outcome import Contestant, Outcome, Progress, Run, Sampling, Trial
from advisor.domain.trial.requests import TrialRequest
from advisor.domain.trial.tasks import Contains, Message, Task
from advisor.service import Advisor
from advisor.units import GIB
from tests.domain.trial.making import answer
from tests.tui.pinned import PinnedAdvisor

LLAMA, MISTRAL = "llama-3.1-8b-instruct", "mistral-7b-instruct-v0.3"
TASKS_NAME = "capitals.jsonl"
_CAPITALS = {
    "France": "Paris", "Norway": "Oslo", "Peru": "Lima", "Kenya": "Nairobi", "Japan": "Tokyo", "Cuba": "Havana",
    "Chile": "Santiago", "Ghana": "Accra", "Iran": "Tehran", "Nepal": "Kathmandu",
}  # fmt: skip
_HASHES = {LLAMA: "b" * 64, MISTRAL: "c" * 64}
_FAR = ("Kenya", "Ghana", "Iran", "Nepal")


def _tasks() -> tuple[Task, ...]:
    return tuple(
        Task(
            country.lower(),
            (Message("user", f"Name the capital city of {country}."),),
            Contains((capital,)),
            line,
            tags=("far",) if country in _FAR else (),
        )
        for line, (country, capital) in enumerate(_CAPITALS.items(), start=1)
    )


def _run(model: str, wrong: tuple[str, ...], decode_ms: float) -> Run:
    outcomes = tuple(
        Outcome(
            country.lower(),
            answer(f"It is {'Atlantis' if country in wrong else capital}.", decode_ms=decode_ms),
            0.0 if country in wrong else 1.0,
            "" if country not in wrong else f"{capital!r} is not in it",
        )
        for country, capital in _CAPITALS.items()
    )
    return Run(Contestant(f"{model}:Q4_K_M", f"/models/{model}.gguf", _HASHES[model], model, "Q4_K_M"), outcomes)


TRIAL = Trial(
    _tasks(),
    TASKS_NAME,
    "a" * 64,
    Sampling(64),
    4096,
    (_run(LLAMA, ("Ghana", "Nepal"), 520.0), _run(MISTRAL, ("Kenya", "Ghana", "Iran", "Nepal", "Peru"), 480.0)),
)

FILES = tuple(
    LocalFile(
        f"/models/{model}.gguf", "LM Studio", model, "model", int(4.1 * GIB), has_tokenizer=True,
        match=Match(model, "Q4_K_M", "hash"),
    )
    for model in (LLAMA, MISTRAL)
)  # fmt: skip


class _Tried(Advisor):
    """Files and a trial that are given."""

    def local_files(self, *_: Any, **__: Any) -> LocalFiles:
        return LocalFiles(FILES, ())

    def trial(self, request: TrialRequest, *, on_progress: Callable[[Progress], None] | None = None, **_: Any) -> Trial:
        if on_progress is not None:
            for run in TRIAL.runs:
                n = len(run.outcomes)
                on_progress(Progress(run.contestant.name, n, n, 0, sum(run.scores.values()), n))
        return TRIAL


class TriedAdvisor(_Tried):
    """Everything else is real."""


class PinnedTrialAdvisor(_Tried, PinnedAdvisor):
    """Everything else is pinned, too."""
