"""The excluded models by the requirement that excludes them."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.candidate import Rejection

TITLES = {
    "licence": "Licence",
    "languages": "Languages",
    "modality": "What goes in",
    "context": "Context",
    "engine": "llama.cpp",
    "memory": "Memory",
    "decode_speed": "Speed",
    "ttft": "First token",
    "speed_unknown": "Speed unknown",
    "superseded": "Superseded",
}
"""A requirement's name on screen, by the code of its reason."""


@dataclass(frozen=True, slots=True)
class ExcludedGroup:
    """A requirement and whom it excludes first."""

    code: str
    rejections: tuple[Rejection, ...]
    """Nearest miss first."""

    @property
    def title(self) -> str:
        return TITLES.get(self.code, self.code.replace("_", " ").capitalize())

    @property
    def is_timed(self) -> bool:
        """Whether speed was judged: what memory does not hold has no placement to estimate it for."""
        return self.code != "memory"

    @property
    def n_alone(self) -> int:
        """How many it alone excludes."""
        return sum({reason.code for reason in r.reasons} == {self.code} for r in self.rejections)


def nearest_miss(rejected: tuple[Rejection, ...]) -> Rejection | None:
    """The nearest miss that other answers would admit, or the nearest of all; None where nothing is excluded.

    `rejected` has the nearest miss first.
    """
    return next((r for r in rejected if r.is_liftable), rejected[0] if rejected else None)


def excluded_lines(rejected: tuple[Rejection, ...]) -> tuple[str, ...]:
    """How many each requirement excludes, and the nearest miss: what is said where the ranking ends."""
    nearest = nearest_miss(rejected)
    if nearest is None:
        return ()
    counts = ", ".join(f"{group.title.lower()} {len(group.rejections)}" for group in excluded_groups(rejected))
    name = f"{nearest.model.name} {nearest.quantization or ''}".rstrip()
    reasons = "; ".join(reason.text for reason in nearest.reasons)
    n = len(rejected)
    return (f"{n} {'is' if n == 1 else 'are'} excluded (x): {counts}", f"nearest: {name} - {reasons}")


def excluded_groups(rejected: tuple[Rejection, ...]) -> tuple[ExcludedGroup, ...]:
    """Every rejection once, under the first requirement that it misses; the requirement with most of them first."""
    groups: dict[str, list[Rejection]] = {}
    for rejection in rejected:
        groups.setdefault(rejection.reasons[0].code if rejection.reasons else "engine", []).append(rejection)
    found = [ExcludedGroup(code, tuple(sorted(rows, key=lambda r: r.distance))) for code, rows in groups.items()]
    return tuple(sorted(found, key=lambda e: (-len(e.rejections), e.code)))
