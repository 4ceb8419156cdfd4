"""When a newer sibling leaves an older model nothing: it is set aside, and every criterion is shown with both figures.

Every comparison is of what the criteria measure and never of weights, so that reweighing brings no model back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from advisor.domain.candidate import Candidate, Rejection
from advisor.domain.catalogue import Catalogue
from advisor.domain.change import NAMED
from advisor.domain.gates import Reason
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import Languages, Model
from advisor.domain.speed import Speed
from advisor.units import format_bytes, format_rate
from advisor.values import value

SAME = 1e-3
"""Share within which sizes and speeds are the same: nobody would miss it. Llama 3.1 carries 256 bytes of RoPE factors
more than Llama 3, which is no ground to keep the older one."""


@value
class Comparison:
    """A newer candidate beside an older one by one criterion."""

    criterion: str
    newer: str
    """The figure in words."""
    older: str
    holds: bool
    """Whether the newer is at least as good."""
    note: str = ""

    @property
    def text(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"{self.criterion} {self.newer} against {self.older}{note}"


def without_superseded(
    passing: list[Candidate], catalogue: Catalogue, named: tuple[str, ...]
) -> tuple[list[Candidate], list[Rejection]]:
    """Set aside each model that a newer sibling dominates, unless it was named."""
    by_model: dict[str, list[Candidate]] = {}
    for candidate in passing:
        by_model.setdefault(candidate.model.id, []).append(candidate)
    older: dict[str, Rejection] = {}
    for model_id, candidates in by_model.items():
        reason = None if model_id in named else _superseded(candidates, by_model, catalogue)
        if reason is not None:
            older[model_id] = Rejection(candidates[0].model, None, (reason,), candidates[0].licence)
    return [c for c in passing if c.model.id not in older], list(older.values())


def _superseded(
    candidates: list[Candidate], by_model: Mapping[str, list[Candidate]], catalogue: Catalogue
) -> Reason | None:
    older = candidates[0].model
    chain = successors(older, catalogue)
    siblings = [found[0].model for found in by_model.values() if is_newer_sibling(found[0].model, older, chain)]
    # The newest of those that dominate is the one to look at.
    for newer in sorted(siblings, key=lambda m: (m.release_date or "", m.id), reverse=True):
        is_successor = newer.id in chain
        heirs = [dominating(c, by_model[newer.id], is_successor=is_successor) for c in candidates]
        best = max(range(len(candidates)), key=lambda i: candidates[i].score.total)
        heir = heirs[best]
        if heir is not None and None not in heirs:
            return _reason(heir, candidates[best], is_successor=is_successor)
    return None


def _reason(newer: Candidate, older: Candidate, *, is_successor: bool) -> Reason:
    names = [c.quantization.name for c in (newer, older)]
    where = f"in {names[0]}" if names[0] == names[1] else f"in {names[0]} against {names[1]}"
    figures = "; ".join(c.text for c in comparisons(newer, older, is_successor=is_successor))
    text = f"superseded: {newer.model.id} is newer and in nothing worse: {figures} ({where})"
    return Reason("superseded", text, f"name it: --model {older.model.id}", 1.0, NAMED)


def dominating(older: Candidate, newer: list[Candidate], *, is_successor: bool) -> Candidate | None:
    """The newer candidate that dominates an older one, of the same quantization if that does; None where none does."""
    for heir in sorted(newer, key=lambda c: c.quantization.name != older.quantization.name):
        if all(c.holds for c in comparisons(heir, older, is_successor=is_successor)):
            return heir
    return None


def successors(model: Model, catalogue: Catalogue) -> tuple[str, ...]:
    """Ids of the successor that the catalogue names, its successor, and so on."""
    chain: list[str] = []
    heir = catalogue.model(model.superseded_by or "")
    while heir is not None and heir.id not in (model.id, *chain):
        chain.append(heir.id)
        heir = catalogue.model(heir.superseded_by or "")
    return tuple(chain)


def is_newer_sibling(newer: Model, older: Model, chain: tuple[str, ...]) -> bool:
    """Whether one is a named successor of the other, or later in the same line of the same family."""
    if newer.id in chain:
        return True
    same_line = (newer.family, newer.line) == (older.family, older.line)
    return same_line and _is_later(newer.release_date, older.release_date)


def _is_later(newer: str | None, older: str | None) -> bool:
    """Whether one date lies after another for certain: a month alone is not after a day in it."""
    if newer is None or older is None:
        return False
    known = min(len(newer), len(older))
    return newer[:known] > older[:known]


def comparisons(newer: Candidate, older: Candidate, *, is_successor: bool) -> tuple[Comparison, ...]:
    """A newer candidate beside an older one, criterion by criterion.

    A successor that the catalogue names holds in quality unless its interval lies below the other's: which of the two
    is better is then too close to call, and the vendor replaced one by the other. Any other sibling must not be below
    in the lower bound.
    """
    return tuple(_compared(newer, older, is_successor))


def _compared(newer: Candidate, older: Candidate, is_successor: bool) -> Iterator[Comparison]:
    yield _quality(newer, older, is_successor)
    yield _speed(newer.speed, older.speed)
    ours, theirs = newer.fit.footprint.total_bytes, older.fit.footprint.total_bytes
    yield Comparison("memory", format_bytes(ours), format_bytes(theirs), ours <= theirs * (1 + SAME))
    yield _licence(newer.licence, older.licence)
    yield _languages(newer.model.languages, older.model.languages)
    yield _context(newer.model.max_context_tokens, older.model.max_context_tokens)
    kinds = [set(m.modalities) for m in (newer.model, older.model)]
    words = [" and ".join(m.modalities) for m in (newer.model, older.model)]
    yield Comparison("input", words[0], words[1], kinds[0] >= kinds[1])


def _quality(newer: Candidate, older: Candidate, is_successor: bool) -> Comparison:
    ours, theirs = newer.rating, older.rating
    holds = ours.low >= theirs.low
    if not holds and is_successor and ours.high >= theirs.low:
        spans = f"too close to call: {ours.low:.2f} to {ours.high:.2f} against {theirs.low:.2f} to {theirs.high:.2f}"
        return Comparison("quality", f"{ours.score:.2f}", f"{theirs.score:.2f}", True, spans)
    return Comparison("quality", f"at least {ours.low:.2f}", f"{theirs.low:.2f}", holds)


def _speed(newer: Speed | None, older: Speed | None) -> Comparison:
    words = ["unknown" if s is None else format_rate(s.decode_tokens_per_s) for s in (newer, older)]
    if newer is None or older is None:
        return Comparison("speed", words[0], words[1], older is None)
    holds = newer.decode_tokens_per_s >= older.decode_tokens_per_s * (1 - SAME)
    return Comparison("speed", words[0], words[1], holds)


def _licence(newer: LicenceFinding, older: LicenceFinding) -> Comparison:
    ours, theirs = _duties(newer), _duties(older)
    holds = ours <= theirs and (_grants(newer) or not _grants(older))
    return Comparison("licence duties", str(ours.total()), str(theirs.total()), holds)


def _duties(finding: LicenceFinding) -> Counter[str]:
    """Kinds of acts that a cautious reader would do, those of the letter among them. The exact words of a notice
    differ from licence to licence and weigh the same, so only the kind of `DISPLAY:Built with Llama` counts."""
    cautious = finding.conservative.obligations if finding.conservative else ()
    return Counter(duty_id.partition(":")[0] for duty_id in {d.id for d in (*finding.obligations, *cautious)})


def _grants(finding: LicenceFinding) -> bool:
    return finding.conservative is None or finding.conservative.verdict.grants


def _languages(newer: Languages, older: Languages) -> Comparison:
    words = ["unknown" if m.supported is None else str(len(m.supported)) for m in (newer, older)]
    holds = set(older.supported or ()) <= set(newer.supported or ())
    return Comparison("languages", words[0], words[1], holds)


def _context(newer: int | None, older: int | None) -> Comparison:
    words = ["unknown" if n is None else f"{n:,} tokens" for n in (newer, older)]
    return Comparison("context", words[0], words[1], (newer or 0) >= (older or 0))
