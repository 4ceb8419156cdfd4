"""A trial's file read again: as evidence for a recommendation, and for blind judging."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.errors import InputError
from advisor.service import Advisor
from advisor.trial.documents import read_evidence
from tests.trial.results import result_file

ANSWERS = {f"t{i}": (f"first {i}", f"second {i}") for i in range(6)}


def one(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "sha256": "c" * 64, "judged": 100, "total": 60.0, **fields}


def test_evidence_is_what_concerns_models_of_the_catalogue(tmp_path: Path) -> None:
    known = one("x", model="llama-3.1-8b-instruct", quantization="Q4_K_M")
    contestants = [known, one("own"), {**known, "judged": 0, "total": 0}]
    path = result_file(tmp_path / "r.json", ANSWERS, contestants=contestants)
    found, notes = read_evidence(path)
    assert [(t.id, t.n, t.total) for t in found.tried] == [("llama-3.1-8b-instruct:Q4_K_M", 100, 60.0)]
    assert notes == (
        "own is no model of the catalogue, so its trial says nothing about one",
        "no answer of x was judged",
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"complete": False}, "is an unfinished trial"),
        ({"kind": "recommendation"}, "kind"),
        ({"contestants": []}, "contestants"),
        ({"contestants": [one("x", total=101.0)]}, "`total` exceeds"),
        ({"contestants": [one("x", total=float("inf"))]}, "total"),
        ({"schema_version": 2}, "schema_version"),
    ],
)
def test_files_that_say_nothing_are_told(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_evidence(result_file(tmp_path / "r.json", ANSWERS, **fields))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b"[" * 100_000, b"{}"])
def test_files_that_are_no_result_are_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"r\.json"):
        read_evidence(path)


@pytest.mark.usefixtures("state")
def test_a_sitting_goes_on_where_it_was_left(tmp_path: Path) -> None:
    path = result_file(tmp_path / "r.json", ANSWERS)
    advisor = Advisor()
    with advisor.judging_session(path) as sitting:
        sitting.vote("left")
        sitting.vote("tie")
        sitting.undo()
        sitting.vote("both_bad")
    with advisor.judging_session(path) as sitting:
        assert sitting.judging.votes == ("left", "both_bad")
        with pytest.raises(InputError, match="is running"), advisor.judging_session(path):
            pass
    with advisor.judging_session(path, seed=1) as other:
        assert other.judging.votes == ()
    with advisor.judging_session(result_file(tmp_path / "r.json", {**ANSWERS, "t0": ("changed", "x")})) as changed:
        assert changed.judging.votes == ()


def test_a_sitting_whose_votes_cannot_be_read_lets_go_of_them(tmp_path: Path, state: Path) -> None:
    path = result_file(tmp_path / "r.json", ANSWERS)
    advisor = Advisor()
    with advisor.judging_session(path) as sitting:
        sitting.vote("left")
    (votes,) = (state / "trials").glob("judging-*.jsonl")
    kept = votes.rename(tmp_path / "kept.jsonl")
    votes.mkdir()
    sitting = advisor.judging_session(path)
    with pytest.raises(InputError, match="cannot be used"):
        sitting.__enter__()
    votes.rmdir()
    kept.rename(votes)
    with advisor.judging_session(path) as again:
        assert again.judging.votes == ("left",)


@pytest.mark.usefixtures("state")
def test_what_cannot_be_judged_is_told(tmp_path: Path) -> None:
    advisor = Advisor()
    with pytest.raises(InputError, match="there is no trial yet"):
        advisor.judging_session()
    with pytest.raises(InputError, match="no task has two answers that differ"):
        advisor.judging_session(result_file(tmp_path / "r.json", {"t": ("same", "same ")}))
    path = result_file(tmp_path / "r.json", ANSWERS)
    with pytest.raises(InputError, match="Did you mean 'badger'"):
        advisor.judging_session(path, ["aardvark", "bagder"])
    with pytest.raises(InputError, match="needs two contestants"):
        advisor.judging_session(path, ["badger"])
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "contestants": document["contestants"][:1]}))
    with pytest.raises(InputError, match="needs two contestants"):
        advisor.judging_session(path)
