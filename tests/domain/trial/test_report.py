from __future__ import annotations

from advisor.domain.trial.report import report
from advisor.domain.trial.words import disagreement_rows, duel_lines, standing_rows, tag_rows
from tests.domain.trial.making import run, task, trial


def scores(right: int, n: int, *, first: int = 0) -> dict[str, float | None]:
    return {f"t{i:03}": float(first <= i < first + right) for i in range(n)}


def test_the_best_stands_first_with_wilsons_interval() -> None:
    found = report(trial(run("bad", scores(40, 200)), run("good", scores(120, 200))))
    assert [s.name for s in found.standings] == ["good", "bad"]
    accuracy = found.standings[0].accuracy
    assert (accuracy.n_judged, accuracy.total, accuracy.method) == (200, 120, "Wilson")
    assert accuracy.interval is not None
    assert 0.53 < accuracy.interval.low < 0.6 < accuracy.interval.high < 0.67


def test_a_clear_difference_is_said_to_be_one() -> None:
    (duel,) = report(trial(run("bad", scores(40, 200)), run("good", scores(120, 200)))).duels
    assert duel.is_significant
    assert duel.statement == "good is better than bad by 40.0 points (80 : 0 of 200 tasks, p < 0.001)"
    assert duel.power_statement is None
    assert len(duel.disagreements) == 80


def test_a_close_call_names_the_tasks_that_would_settle_it() -> None:
    (duel,) = report(trial(run("one", scores(60, 200)), run("two", scores(60, 200, first=4)))).duels
    assert duel.statement.startswith("no difference between one and two was observed (4 : 4 of 200 tasks")
    assert duel.power_statement == "no number of tasks can be named: no difference was observed"
    (duel,) = report(trial(run("one", scores(62, 200)), run("two", scores(60, 200, first=4)))).duels
    assert duel_lines([duel])[0].startswith("one leads two by 1.0 points, which may be chance (4 : 2 of 200 tasks")
    assert duel.tasks_needed is not None
    assert duel.tasks_needed > 200
    assert "would show a difference as large as this one with a power of 80 %" in duel_lines([duel])[2]


def test_graded_scores_are_compared_by_permutation_and_bootstrap() -> None:
    graded = {f"t{i}": 0.5 + (i % 2) / 2 for i in range(40)}
    found = report(trial(run("half", graded), run("none", dict.fromkeys(graded, 0.0))))
    (duel,) = found.duels
    assert (duel.is_graded, duel.p_exact) == (True, None)
    assert duel.is_significant
    assert found.standings[0].accuracy.method == "bootstrap"


def test_what_could_not_be_judged_is_left_out_and_counted() -> None:
    some: dict[str, float | None] = {"a": 1.0, "b": None, "c": 0.0}
    found = report(trial(run("one", some), run("two", {"a": 1.0, "b": 1.0, "c": None})))
    assert found.unjudged == 2
    assert found.duels[0].n == 1
    none = report(trial(run("one", dict.fromkeys("ab")), run("two", dict.fromkeys("ab"))))
    assert none.standings[0].accuracy.interval is None
    assert standing_rows(none)[0][1:4] == ("2 answered, none judged", "unknown", "not judged")
    assert none.duels[0].statement == "one and two: no task was judged for both"


def test_tags_have_shares_of_their_own() -> None:
    tasks = [task("a", tags=("sums",)), task("b", tags=("sums", "hard")), task("c")]
    found = report(trial(run("one", {"a": 1.0, "b": 0.0, "c": 1.0}), tasks=tasks))
    assert tag_rows(found) == [("hard", "0% of 1"), ("sums", "50% of 2")]


def test_disagreements_stand_side_by_side() -> None:
    made = trial(run("one", {"a": 1.0, "b": 0.0}), run("two", {"a": 0.0, "b": 0.0}))
    rows = disagreement_rows(made, report(made), 5)
    assert [row[:3] for row in rows] == [("a", "one", "right"), ("a", "two", "wrong")]
    assert disagreement_rows(made, report(made), 0) == []


def test_speed_is_tokens_after_the_first_by_their_time() -> None:
    (standing,) = report(trial(run("one", {"a": 1.0, "b": 1.0}))).standings
    rate = standing.pace.decode_tokens_per_s
    assert rate is not None
    assert rate.middle == 20.0
    assert standing.pace.seconds == 0.5
