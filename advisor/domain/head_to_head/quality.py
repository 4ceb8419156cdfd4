"""Quality: the fitted rating with its interval, and the published results under it."""

from __future__ import annotations

from advisor.domain.basis import Basis
from advisor.domain.close_calls import CLEARLY, PROBABLY, chance_better
from advisor.domain.constraints import Constraints
from advisor.domain.head_to_head.published import Likeness, SharedBenchmark, shared_benchmarks
from advisor.domain.head_to_head.subjects import Subject
from advisor.domain.head_to_head.values import Edge, EdgeKind, Figure, Line, Section, known, unknown
from advisor.domain.model import Benchmark
from advisor.domain.quality import Rating
from advisor.units import counted

ADVICE = (
    "On one's own task, prompts and fine-tuning often move results by more than models of similar size differ on "
    "benchmarks; a trial settles what these figures cannot."
)


def quality_section(subjects: tuple[Subject, ...], constraints: Constraints) -> Section:
    """The rating first, then every benchmark that at least two subjects have a result on."""
    shared = shared_benchmarks(tuple(s.model for s in subjects))
    lines = (_rating_line(subjects, constraints.task.kind), _evidence_line(subjects), *map(_benchmark_line, shared))
    return Section("quality", "Quality", lines, (_summary(shared), ADVICE))


def _rating_line(subjects: tuple[Subject, ...], task: str) -> Line:
    ratings = [s.rating for s in subjects]
    return Line(
        "rating",
        f"rating for {task}",
        tuple(_rating_figure(s) for s in subjects),
        _rating_edge(ratings, subjects),
        "expected share of a typical benchmark, with the interval in which it lies by the evidence, at the "
        "quantization shown",
        "share of 1",
    )


def _rating_figure(subject: Subject) -> Figure:
    rating = subject.rating
    if rating is None:
        return unknown("llama.cpp cannot run it, so it was not rated")
    text = f"{rating.score:.2f} ({rating.low:.2f} to {rating.high:.2f})"
    return known(
        text,
        round(rating.score, 4),
        Basis.MEASURED if rating.ground == "trial" else Basis.ESTIMATED,
        rating.basis_text
        if rating.ground == "trial"
        else f"fitted from its {counted(rating.n_results, 'published result')} and those of all other models",
    )


def _rating_edge(ratings: list[Rating | None], subjects: tuple[Subject, ...]) -> Edge | None:
    rated = [(i, r) for i, r in enumerate(ratings) if r is not None]
    if len(rated) < len(ratings):
        return None
    best, rating = max(rated, key=lambda pair: pair[1].score)
    chance = min(chance_better(rating, r) for i, r in rated if i != best)
    if chance < PROBABLY:
        return Edge(EdgeKind.CLOSE, None, f"too close to call: {chance:.0%} that the higher one is better")
    behind = max(r.score for i, r in rated if i != best)
    word = "clearly" if chance >= CLEARLY else "probably"
    return Edge(EdgeKind.LEADS, best, f"{word} ahead by {rating.score - behind:.2f}, with a chance of {chance:.0%}")


def _evidence_line(subjects: tuple[Subject, ...]) -> Line:
    figures = tuple(
        known(counted(n, "result"), n, Basis.PUBLISHED) if (n := len(s.model.benchmarks)) else unknown("none was found")
        for s in subjects
    )
    return Line("published_results", "published results", figures, unit="results")


def _benchmark_line(shared: SharedBenchmark) -> Line:
    return Line(
        f"benchmark:{shared.name}",
        shared.name,
        tuple(_result_figure(result) for result in shared.results),
        _edge(shared),
        shared.why,
        "points on the benchmark's own scale",
    )


def _result_figure(result: Benchmark | None) -> Figure:
    if result is None:
        return unknown("no result published")
    setting = f" ({result.setting})" if result.setting else " (setting not stated)"
    source = result.source + (f", {result.via}" if result.via else "")
    return known(f"{result.score:g}{setting}", result.score, Basis.PUBLISHED, source)


def _edge(shared: SharedBenchmark) -> Edge:
    if shared.likeness is not Likeness.SAME:
        return Edge(EdgeKind.INCOMPARABLE, None, shared.why)
    scores = [(r.score, i) for i, r in enumerate(shared.results) if r is not None]
    (best, index), second = max(scores), sorted(scores)[-2][0]
    if best == second:
        return Edge(EdgeKind.EVEN, None, "equal")
    return Edge(EdgeKind.LEADS, index, f"{best - second:+.3g}")


def _summary(shared: tuple[SharedBenchmark, ...]) -> str:
    alike = sum(b.likeness is Likeness.SAME for b in shared)
    if not shared:
        return (
            "No benchmark was published for more than one of them, so the rating rests on others' results in between."
        )
    if not alike:
        return f"{_count(shared)} a name, but no setting that is known to be the same."
    return f"{_count(shared)} a name; {alike} of them in the same setting."


def _count(shared: tuple[SharedBenchmark, ...]) -> str:
    return "One benchmark shares" if len(shared) == 1 else f"{len(shared)} benchmarks share"
