"""The head-to-head: two to four models or families side by side, for one machine and one use."""

from __future__ import annotations

from advisor.domain.head_to_head.compare import compare
from advisor.domain.head_to_head.subjects import Entrant, Subject
from advisor.domain.head_to_head.values import Edge, EdgeKind, Figure, HeadToHead, Line, Section

__all__ = ["Edge", "EdgeKind", "Entrant", "Figure", "HeadToHead", "Line", "Section", "Subject", "compare"]
