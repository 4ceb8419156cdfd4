"""The bottom line: sentences that follow from the lines above by fixed rules.

1. What cannot be used is named first, with the requirement and the smallest change; with one left, that is the answer.
2. Each line that can decide says who is ahead and by how much, or that it is too close to call: quality where the
   chance to be better is four in five or more; speed where the quotient is larger than it is uncertain; memory,
   context and cache where a tenth or more lies between; the licence by verdict, then by number of duties; required
   languages by who claims them.
3. Between those that pass, the score of `recommend` under the user's weights says which, unless scores are closer than
   `CLOSE_CALL`; then it is too close to call. The criterion that made most of the difference is named, and where that
   is quality while that is too close to call, the sentence says so.
4. The last sentence is always that a trial on one's own task settles it, because benchmarks cannot.
"""

from __future__ import annotations

from advisor.domain.constraints import Constraints
from advisor.domain.head_to_head.subjects import Subject
from advisor.domain.head_to_head.values import EdgeKind, Figure, Line, Section
from advisor.domain.recommend import Candidate
from advisor.domain.scoring import CLOSE_CALL

_DECIDING = {
    "rating": "Quality",
    "decode": "Speed here",
    "alike": "Size in Q4_K_M",
    "memory": "Memory",
    "cache_per_token": "KV cache per token",
    "context": "Context",
    "verdict": "Licence",
    "qlora_lean": "QLoRA",
    "scale": "Machines for the asked users",
}
"""Lines that can decide, with the words that open their sentence."""

_CUTS = (" (", ", ", " for ", ": ", " at ")
"""Where the short form of a figure ends."""

TRIAL = "A trial on your own task settles it: prompts and fine-tuning often move results by more."


def bottom_line(
    subjects: tuple[Subject, ...], sections: tuple[Section, ...], constraints: Constraints
) -> tuple[str, ...]:
    """All sentences, the decision last but one."""
    lines = [line for section in sections for line in section.lines]
    close = any(line.id == "rating" and line.edge and line.edge.kind is EdgeKind.CLOSE for line in lines)
    points = [_sentence(line, subjects, constraints) for line in lines]
    decision = _decision(subjects, constraints, quality_is_close=close)
    return (*_excluded(subjects), *filter(None, points), decision, TRIAL)


def _excluded(subjects: tuple[Subject, ...]) -> list[str]:
    found = []
    for subject in (s for s in subjects if not s.usable):
        reasons = "; ".join(reason.text for reason in subject.reasons)
        wanted = [reason.fix for reason in subject.reasons]
        fixes = " and ".join(dict.fromkeys(fix for fix in wanted if fix)) if all(wanted) else ""
        if subject.family is None:
            text = f"{subject.model.name} does not pass: {reasons}."
        else:
            text = f"No {subject.family.family.title()} model passes; the nearest is {subject.model.name}: {reasons}."
        found.append(text + (f" What would admit it: {fixes}." if fixes else ""))
    return found


def _sentence(line: Line, subjects: tuple[Subject, ...], constraints: Constraints) -> str | None:
    if line.edge is None:
        return None
    if line.id.startswith("language:"):
        return _language_sentence(line, subjects)
    if line.id not in _DECIDING:
        return None
    if line.id == "scale" and line.edge.kind is EdgeKind.EVEN and line.figures[0].value == 1:
        return None  # one machine does for each
    figures = " against ".join(_short(figure) for figure in line.figures)
    leader = f"{_leader(line, subjects)} leads, " if line.edge.kind is EdgeKind.LEADS else ""
    return f"{_DECIDING[line.id]}: {leader}{line.edge.text} ({figures}{_enough(line, constraints)})."


def _language_sentence(line: Line, subjects: tuple[Subject, ...]) -> str:
    tag = line.id.partition(":")[2]
    if line.edge is not None and line.edge.kind is EdgeKind.LEADS:
        return f"Language {tag}: {_leader(line, subjects)} is the only one whose card claims it."
    claiming = [s.short for s, figure in zip(subjects, line.figures, strict=True) if figure.value == "supported"]
    if len(claiming) == len(subjects):
        return f"Language {tag}: all cards claim it."
    return f"Language {tag}: " + (f"claimed for {', '.join(claiming)}." if claiming else "no card claims it.")


def _enough(line: Line, constraints: Constraints) -> str:
    """That all contexts hold what was asked, where that is so."""
    asked = constraints.task.context_tokens
    lengths = [figure.value for figure in line.figures]
    if line.id != "context" or not all(isinstance(n, int) and n >= asked for n in lengths):
        return ""
    return f"; all hold the {asked:,} tokens asked"


def _leader(line: Line, subjects: tuple[Subject, ...]) -> str:
    return subjects[line.edge.subject].short if line.edge and line.edge.subject is not None else ""


def _short(figure: Figure) -> str:
    if figure.text.startswith("unknown"):
        return "unknown"
    ends = [figure.text.find(cut) for cut in _CUTS if cut in figure.text]
    return figure.text[: min(ends)] if ends else figure.text


def _decision(subjects: tuple[Subject, ...], constraints: Constraints, *, quality_is_close: bool) -> str:
    use = f"For {constraints.task.kind} at {constraints.task.context_tokens:,} tokens"
    usable = [(s.candidate, s) for s in subjects if s.candidate is not None]
    if not usable:
        return f"{use}: none of them can be used as asked."
    usable.sort(key=lambda pair: (-pair[0].score.total, pair[1].label))
    (best, first), *others = usable
    if not others:
        return f"{use}: {first.short}, the only one that meets every requirement."
    scores = " against ".join(f"{candidate.score.total:.3f}" for candidate, _ in usable)
    close = [s.short for c, s in usable if best.score.total - c.score.total < CLOSE_CALL]
    if len(close) > 1:
        return f"{use}: too close to call between {' and '.join(close)} (scores {scores} with your weights)."
    criterion = _criterion(best, others[0][0])
    doubt = ", which is itself too close to call" if criterion == "quality" and quality_is_close else ""
    return f"{use}: {first.short} (scores {scores} with your weights, most of it by {criterion}{doubt})."


def _criterion(best: Candidate, second: Candidate) -> str:
    """The criterion that contributes most to the difference of the scores."""
    pairs = zip(best.score.terms, second.score.terms, strict=True)
    return max(pairs, key=lambda pair: pair[0].contribution - pair[1].contribution)[0].criterion
