"""A change of the answers that would admit what a requirement excludes: what a program can apply and undo."""

from __future__ import annotations

from advisor.domain.questions import Answer
from advisor.values import value


@value
class Setting:
    """One answer changed."""

    key: str
    """Of the constraints file, for example `latency.tokens_per_s`."""
    value: Answer
    """What to answer instead; None drops the requirement."""


@value
class Change:
    """Answers to change together, or a model to name."""

    settings: tuple[Setting, ...] = ()
    names_model: bool = False
    """Whether naming the model is what admits it: no answer does."""


NAMED = Change(names_model=True)
"""No answer changed; the model is named."""


def setting(key: str, value: Answer) -> Change:
    """One answer changed and nothing else."""
    return Change((Setting(key, value),))
