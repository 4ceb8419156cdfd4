"""Published results side by side: which were made alike, and which only share a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from advisor.domain.model import Benchmark, Model

_COUNTS = {2: "two", 3: "three", 4: "four"}


class Likeness(StrEnum):
    """Whether results can be held against each other."""

    SAME = "same"
    """Every setting is stated, and the same; or all come from one table."""
    UNSTATED = "unstated"
    """A setting is not stated in full, so that they may or may not be alike."""
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class SharedBenchmark:
    """A benchmark that at least two models have a result on."""

    name: str
    results: tuple[Benchmark | None, ...]
    """One for each model; None where it has none."""
    likeness: Likeness
    why: str


def shared_benchmarks(models: tuple[Model, ...]) -> tuple[SharedBenchmark, ...]:
    """Benchmarks by name, those made alike first."""
    by_name = [_by_name(model) for model in models]
    names = {name for found in by_name for name in found if sum(name in other for other in by_name) > 1}
    found = [_shared([results.get(name, ()) for results in by_name]) for name in sorted(names)]
    order = list(Likeness)
    return tuple(sorted(found, key=lambda b: (order.index(b.likeness), b.name)))


def _by_name(model: Model) -> dict[str, tuple[Benchmark, ...]]:
    found: dict[str, tuple[Benchmark, ...]] = {}
    for result in model.benchmarks:
        if (result.setting or "").startswith("base model"):
            continue  # of the checkpoint before instruction tuning
        name = _plain(result.name)
        found[name] = (*found.get(name, ()), result)
    return found


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def _shared(per_model: list[tuple[Benchmark, ...]]) -> SharedBenchmark:
    """The results whose settings agree, where each model has one of the kind; otherwise the first of each."""
    settings = [{_setting(r) for r in results} for results in per_model if results]
    common = set.intersection(*settings) - {frozenset()}
    chosen: list[Benchmark | None] = []
    wanted = min(common, key=sorted) if common else None
    for results in per_model:
        fitting = [r for r in results if wanted is None or _setting(r) == wanted]
        chosen.append(fitting[0] if fitting else None)
    present = [r for r in chosen if r is not None]
    likeness, why = _likeness(present)
    return SharedBenchmark(present[0].name, tuple(chosen), likeness, why)


def _setting(result: Benchmark) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9@.+-]+", (result.setting or "").lower()))


def _likeness(results: list[Benchmark]) -> tuple[Likeness, str]:
    settings = [_setting(r) for r in results]
    tables = {(r.source, r.via) for r in results}
    if len(set(settings)) == 1 and (settings[0] or len(tables) == 1):
        where = "one table" if len(tables) == 1 else f"{_COUNTS[len(tables)]} reports"
        return Likeness.SAME, f"same setting, {where}"
    smallest = min(settings, key=len)
    if all(smallest <= s for s in settings):
        return Likeness.UNSTATED, "a setting is not stated in full, so the difference may be the setting's"
    stated = " against ".join(dict.fromkeys(r.setting or "unstated" for r in results))
    return Likeness.DIFFERENT, f"not comparable: {stated}"
