"""A candidate's quality in words: the figure, what it rests on, and whom it cannot be told apart from."""

from __future__ import annotations

from advisor.domain.close_calls import chance_better, compare, too_close
from advisor.domain.quality import LEVEL
from advisor.domain.recommend import Candidate, Recommendation

ALTERNATIVES = 8
"""How many of the next candidates a document carries, and a close call is looked for among."""


def alternatives(found: Recommendation, chosen: Candidate) -> tuple[Candidate, ...]:
    """The best other models that pass, best first."""
    return tuple(c for c in found.ranked if c.model.id != chosen.model.id)[:ALTERNATIVES]


def close_calls(found: Recommendation, chosen: Candidate) -> tuple[str, ...]:
    """Ids of the alternatives whose quality cannot be told apart from the chosen candidate's."""
    return too_close(chosen.rating, ((c.id, c.rating) for c in alternatives(found, chosen)))


def quality_lines(found: Recommendation, chosen: Candidate) -> tuple[str, ...]:
    """What is known of a candidate's quality, and a line for each kind of comparison with the alternatives."""
    rating = chosen.rating
    kind = found.constraints.task.kind
    lines = [
        f"{rating.score:.2f} expected on a typical {kind} benchmark; {LEVEL:.0%} interval "
        f"{rating.low:.2f} to {rating.high:.2f}, and its lower end counts",
        _loss_line(chosen),
        *_comparison_lines(found, chosen),
    ]
    return tuple(lines)


def _loss_line(chosen: Candidate) -> str:
    loss, name = chosen.rating.loss, chosen.quantization.name
    if not loss:
        return f"{name} loses nothing"
    # On a question that is right half the time, one logit is a quarter of the answers.
    points = 100 * loss / 4
    lost = f"at most {points:.1f}" if points >= 0.05 else "less than 0.1"
    return f"{name} loses {lost} points of 100, by published perplexities and MMLU scores"


def _comparison_lines(found: Recommendation, chosen: Candidate) -> tuple[str, ...]:
    groups: dict[str, list[str]] = {}
    for other in alternatives(found, chosen):
        chance = chance_better(chosen.rating, other.rating)
        words = f"{other.model.name} ({chance:.0%})"
        groups.setdefault(compare(chosen.rating, other.rating).value, []).append(words)
    lines = tuple(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
    if not lines:
        return ()
    return ("against the next models, with the chance to be the better one:", *lines)
