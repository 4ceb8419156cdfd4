from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.trial.outcome import Sampling
from advisor.domain.trial.tasks import Message, Task
from advisor.errors import InputError
from advisor.trial.journal import Answers, Journal, answer_key
from tests.domain.trial.making import answer


def filled(path: Path, n: int) -> None:
    with Journal(path) as journal:
        answers = Answers(journal)
        for i in range(n):
            answers.put(f"key {i}", answer(f"text {i} \N{SNOWMAN}\nline"))


def test_answers_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a" / "answers.jsonl"
    filled(path, 3)
    with Journal(path) as journal:
        found = Answers(journal)
        assert found.get("key 1") == answer("text 1 \N{SNOWMAN}\nline")
        assert found.get("key 9") is None
        assert found.n_dropped == 0


@given(st.integers(1, 500))
def test_a_torn_end_loses_the_last_line_alone(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "answers.jsonl"
    filled(path, 5)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    n_whole = whole[:-cut].count(b"\n")
    with Journal(path) as journal:
        answers = Answers(journal)
        assert sum(answers.get(f"key {i}") is not None for i in range(5)) == n_whole
        answers.put("new", answer("new"))
    with Journal(path) as journal:
        again = Answers(journal)
        assert again.get("new") == answer("new")
        assert again.n_dropped == 0
        assert sum(again.get(f"key {i}") is not None for i in range(5)) == n_whole


def test_a_damaged_line_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    filled(path, 3)
    content = path.read_bytes().replace(b"text 1", b"text 7")
    path.write_bytes(content)
    with Journal(path) as journal:
        found = Answers(journal)
    assert found.n_dropped == 1
    assert (found.get("key 1"), found.get("key 2") is not None) == (None, True)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path), pytest.raises(InputError, match="another trial of the same file is running"), Journal(path):
        pass
    with Journal(path):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="LLM_ADVISOR_STATE_DIR"), Journal(tmp_path / "file" / "answers.jsonl"):
        pass


def test_a_key_is_all_that_an_answer_depends_on() -> None:
    def task(text: str = "?", **fields: object) -> Task:
        return Task("id", (Message("user", text),), None, 1, **fields)  # type: ignore[arg-type]

    base = answer_key(task(), Sampling(64), 4096, "1")
    assert base == answer_key(Task("other", (Message("user", "?"),), None, 9), Sampling(64, seed=5), 4096, "1")
    others = [
        answer_key(task("!"), Sampling(64), 4096, "1"),
        answer_key(task(max_tokens=9), Sampling(64), 4096, "1"),
        answer_key(task(stop=("x",)), Sampling(64), 4096, "1"),
        answer_key(task(), Sampling(65), 4096, "1"),
        answer_key(task(), Sampling(64, 0.5), 4096, "1"),
        answer_key(task(), Sampling(64, 0.5, 1), 4096, "1"),
        answer_key(task(), Sampling(64), 2048, "1"),
        answer_key(task(), Sampling(64), 4096, "2"),
    ]
    assert len({base, *others}) == 9


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_is_full_is_told_once_and_the_lock_is_released(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.symlink_to("/dev/full")
    with Journal(path) as journal:
        journal._stream = path.open("ab")
        with pytest.raises(InputError, match="cannot be used: No space left on device"):
            journal.append({"key": "a"})
        with pytest.raises(InputError, match="cannot be used: No space left on device"):
            journal.__exit__(None, None, None)
    path.unlink()
    with Journal(path) as journal:
        journal.append({"key": "b"})
    assert path.read_bytes().count(b"\n") == 1
