"""Cells of the ranking and of the exclusions that the command line prints."""

from __future__ import annotations

from advisor.domain.excluded_groups import excluded_groups
from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.wording import ranking_row

EXCLUDED_COLUMNS = ("requirement", "model", "quant", "reason", "would admit it")
FRONT_COLUMN = "front"


def plain_row(rank: int, candidate: Candidate) -> tuple[str, ...]:
    """A row of the ranking with a last cell `front` where nothing beats the candidate in quality, speed or memory
    without losing in another."""
    return (*ranking_row(rank, candidate), "front" if candidate.on_front else "")


def excluded_rows(found: Recommendation) -> list[tuple[str, ...]]:
    """Every reason of every excluded model, by requirement, nearest miss first."""
    return [
        (group.title, r.model.id, r.quantization or "any", reason.text, reason.fix or "")
        for group in excluded_groups(found.rejected)
        for r in group.rejections
        for reason in r.reasons
    ]
