"""Trials with real weights: cached, resumed after a kill, and honest about what went wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from advisor.domain.blueprint import Blueprint
from advisor.domain.trial.outcome import Progress, Sampling, Trial
from advisor.errors import EngineError, InputError
from advisor.gguf.reader import read_header
from advisor.gguf.writer import write_sparse
from advisor.service import Advisor, TrialRequest
from advisor.trial import running
from advisor.trial.running import TrialStopped
from advisor.units import counted
from tests.engine.conftest import engine_children
from tests.gguf.making import llama_blueprint
from tests.trial.test_reading import written

CAPITAL = {"id": "capital", "prompt": "Name the capital city of France.", "expected": "Paris", "check": "contains"}
SUM = {"id": "sum", "prompt": "What is 2 + 2?", "expected": 4, "check": "numeric"}
FREE = {"id": "free", "prompt": "Say hello."}


def request(tasks: Path, *files: Path, **fields: Any) -> TrialRequest:
    given = {"sampling": Sampling(10), "context_tokens": 512, "threads": 1, **fields}
    return TrialRequest(tasks, files, **given)


@pytest.fixture(scope="module")
def advisor() -> Advisor:
    return Advisor()


def texts(trial: Trial) -> list[str | None]:
    return [o.answer.text if o.answer else None for run in trial.runs for o in run.outcomes]


@pytest.mark.usefixtures("state")
def test_a_trial_judges_answers_and_asks_each_question_once(advisor: Advisor, smollm2: Path, tmp_path: Path) -> None:
    tasks = written(tmp_path, CAPITAL, SUM, FREE)
    seen: list[Progress] = []
    first = advisor.trial(request(tasks, smollm2), on_progress=seen.append)
    (run,) = first.runs
    assert run.outcomes[0].score == 1.0
    assert run.outcomes[2].reason == "no check"
    assert [p.n_done for p in seen] == [0, 1, 2, 3]
    assert all(answer.template == "applied" and answer.ttft_ms > 0 for answer in run.answered)
    again = advisor.trial(request(tasks, smollm2))
    assert all(outcome.is_cached for outcome in again.runs[0].outcomes)
    assert texts(again) == texts(first)
    assert "1 of 3 tasks has no check: people can judge them (--judge)" in again.notes
    longer = advisor.trial(request(tasks, smollm2, sampling=Sampling(11)))
    assert not any(outcome.is_cached for outcome in longer.runs[0].outcomes)


@pytest.mark.usefixtures("state")
def test_two_files_are_compared_at_once_or_in_turn_with_the_same_answers(
    advisor: Advisor, smollm2: Path, smollm2_q4_0: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = written(tmp_path, CAPITAL, SUM)
    at_once = advisor.trial(request(tasks, smollm2, smollm2_q4_0, jobs=2))
    monkeypatch.setenv("LLM_ADVISOR_STATE_DIR", str(tmp_path / "other"))
    in_turn = advisor.trial(request(tasks, smollm2, smollm2_q4_0, jobs=1))
    assert texts(at_once) == texts(in_turn)
    assert [run.contestant.path for run in at_once.runs] == [str(smollm2), str(smollm2_q4_0)]
    (duel,) = advisor.trial_report(at_once).duels
    assert duel.n == 2


@pytest.mark.usefixtures("state")
def test_stop_texts_and_limits_end_an_answer(advisor: Advisor, smollm2: Path, tmp_path: Path) -> None:
    tasks = written(
        tmp_path,
        {**CAPITAL, "stop": [" France"]},
        {"id": "long", "prompt": "Write a long story about a fox.", "max_tokens": 4},
        {"id": "huge", "prompt": "word " * 3000},
    )
    (run,) = advisor.trial(request(tasks, smollm2)).runs
    stopped, cut, huge = run.outcomes
    assert stopped.answer is not None
    assert (stopped.answer.text, stopped.answer.ending) == ("The capital city of", "stop")
    assert cut.answer is not None
    assert (cut.answer.n_tokens, cut.answer.ending) == (4, "length")
    assert (huge.answer, huge.score) == (None, None)
    assert "more than the context holds" in huge.reason


def test_a_cancelled_trial_keeps_what_it_has(advisor: Advisor, smollm2: Path, tmp_path: Path, state: Path) -> None:
    many = [{"id": i, "prompt": f"Count to {i}."} for i in range(30)]
    tasks, cancel = written(tmp_path, *many), threading.Event()

    def stop_at(now: Progress) -> None:
        if now.n_done == 2:
            cancel.set()

    with pytest.raises(TrialStopped):
        advisor.trial(request(tasks, smollm2), on_progress=stop_at, cancel=cancel)
    (journal,) = state.glob("trials/answers-*.jsonl")
    assert journal.read_bytes().count(b"\n") == 2
    again: list[Progress] = []
    short = written(tmp_path, *many[:3], name="short.jsonl")
    advisor.trial(request(short, smollm2), on_progress=again.append)
    assert again[-1].n_cached == 2


def test_a_trial_that_is_killed_goes_on(smollm2: Path, tmp_path: Path, state: Path) -> None:
    tasks = written(tmp_path, *[{"id": i, "prompt": f"Count to {i}.", "max_tokens": 4} for i in range(30)])
    command = [sys.executable, "-m", "advisor", "trial", str(tasks), "--file", str(smollm2), "--threads", "1", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    started = time.monotonic()
    children: list[psutil.Process] = []
    while _n_lines(state) < 3 and time.monotonic() < started + 120:
        time.sleep(0.02)
        children = psutil.Process(process.pid).children(recursive=True) or children
    process.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    kept = _n_lines(state)
    assert 3 <= kept < 30
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    document = json.loads(done.stdout)
    assert document["complete"] is True
    assert len(document["answers"]) == 30
    assert f"{counted(kept, 'answer')} known before" in done.stderr


def _n_lines(state: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in state.glob("trials/answers-*.jsonl"))


def test_a_child_that_dies_costs_one_answer(advisor: Advisor, smollm2: Path, tmp_path: Path, state: Path) -> None:
    """As the OOM killer does: amid an answer, by signal 9."""
    tasks = written(tmp_path, CAPITAL, {"id": "long", "prompt": "Write a story.", "max_tokens": 400}, SUM)
    killed: list[threading.Thread] = []
    others = engine_children()

    def kill(now: Progress) -> None:
        if now.n_done == 1 and not killed:
            killed.append(threading.Thread(target=_kill_worker, args=(others,)))
            killed[0].start()

    (run,) = advisor.trial(request(tasks, smollm2), on_progress=kill).runs
    killed[0].join()
    assert [o.answer is not None for o in run.outcomes] == [True, False, True]
    assert "killed by signal 9, perhaps because memory ran out" in run.outcomes[1].reason
    assert _n_lines(state) == 2


def _kill_worker(others: set[int]) -> None:
    """The engine of this trial, and none that was there before."""
    time.sleep(0.3)
    for pid in engine_children() - others:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.usefixtures("state")
def test_a_model_that_never_answers_in_time_is_given_up(
    advisor: Advisor, smollm2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.Conditions.__init__, "__defaults__", (0.01,))
    tasks = written(tmp_path, *[{"id": i, "prompt": "Hello"} for i in range(5)])
    with pytest.raises(EngineError, match="no contestant gave an answer: the engine does not answer"):
        advisor.trial(request(tasks, smollm2))


@pytest.mark.usefixtures("state")
def test_files_that_cannot_answer_are_told_before_anything_runs(
    advisor: Advisor, smollm2: Path, tmp_path: Path
) -> None:
    tasks, broken = written(tmp_path, CAPITAL), tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(40))
    with pytest.raises(InputError, match=r"broken\.gguf cannot answer"):
        advisor.trial(request(tasks, broken))
    with pytest.raises(InputError, match="cannot be read"):
        advisor.trial(request(tasks, tmp_path / "missing.gguf"))
    twin = tmp_path / "twin.gguf"
    twin.symlink_to(smollm2)
    with pytest.raises(InputError, match="are the same file"):
        advisor.trial(request(tasks, smollm2, twin))
    with pytest.raises(InputError, match="nothing is on trial"):
        advisor.trial(request(tasks))
    with pytest.raises(InputError, match=r"no file of llama-3\.1-8b-instruct in Q4_K_M is on this machine"):
        advisor.trial(request(tasks, models=("llama-3.1-8b-instruct",)))


@pytest.mark.usefixtures("state")
def test_a_model_that_llama_cpp_refuses_does_not_spoil_the_other(
    advisor: Advisor, smollm2: Path, tmp_path: Path
) -> None:
    """A tokenizer that this version does not know, in a file that is whole."""
    odd, content = tmp_path / "odd.gguf", smollm2.read_bytes()
    place = content.index(b"smollm", content.index(b"tokenizer.ggml.pre"))
    odd.write_bytes(content[:place] + b"unseen" + content[place + 6 :])
    tasks = written(tmp_path, CAPITAL, SUM)
    found = advisor.trial(request(tasks, odd, smollm2, jobs=1))
    assert [o.answer is None for o in found.runs[0].outcomes] == [True, True]
    assert "llama.cpp does not run it" in found.runs[0].outcomes[0].reason
    assert found.runs[1].scores["capital"] == 1.0
    assert any(note.startswith("odd: llama.cpp does not run it") for note in found.notes)


def test_files_of_other_kinds_are_told_by_what_they_are(advisor: Advisor, tmp_path: Path) -> None:
    """A projector of a vision model, an adapter, and a model without a tokenizer."""
    tasks = written(tmp_path, CAPITAL)
    base = llama_blueprint()
    kinds = {
        "projector": {"general.type": "mmproj"},
        "adapter": {"general.type": "adapter"},
        "tokenizer": {},
    }
    for word, metadata in kinds.items():
        path = tmp_path / f"{word}.gguf"
        write_sparse(Blueprint({**base.metadata, **metadata}, base.tensors), path)
        with pytest.raises(InputError, match=rf"{word}\.gguf cannot answer: it .*{word}"):
            advisor.trial(request(tasks, path))


@pytest.mark.usefixtures("state")
def test_a_system_message_reaches_the_model(advisor: Advisor, smollm2: Path, tmp_path: Path) -> None:
    tasks = written(tmp_path, {**CAPITAL, "id": "bare"}, {**CAPITAL, "system": "You speak of the sea and of ships."})
    (run,) = advisor.trial(request(tasks, smollm2)).runs
    bare, told = run.answered
    assert bare.n_prompt != told.n_prompt


@pytest.mark.usefixtures("state")
def test_a_template_that_never_ends_is_given_up_and_the_known_one_used(
    advisor: Advisor, smollm2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.engine.template_child.RENDER_TIMEOUT_S", 1.0)
    own = str(read_header(smollm2).metadata["tokenizer.chat_template"]).encode()
    each = b"{% for i in range(99999) %}"
    loop = b"{# <|im_start|> #}" + 3 * each + 3 * b"{% endfor %}"
    path = tmp_path / "endless.gguf"
    path.write_bytes(smollm2.read_bytes().replace(own, loop.ljust(len(own))))
    found = advisor.trial(request(written(tmp_path, CAPITAL, SUM), path))
    assert [o.answer is not None for o in found.runs[0].outcomes] == [True, True]
    (note,) = [note for note in found.notes if "chat template" in note]
    assert note == "endless: its own chat template did not end within 1 s; llama.cpp's nearest one was used"
