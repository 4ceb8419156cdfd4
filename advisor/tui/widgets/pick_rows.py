"""The rows of Picks: candidates in an order, or excluded models under the requirement that excludes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.cells import cell_len

from advisor.domain.constraints import Latency
from advisor.domain.excluded_groups import ExcludedGroup, excluded_groups
from advisor.domain.presentation import language_marks
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.summary import SUPPORT_MARKS, fit_mark, speed_mark
from advisor.domain.wording import VERDICT_MARKS, speed_text
from advisor.tui.widgets.ranking import MOST_ROWS, Cells, Column
from advisor.units import GIB

PICK_COLUMNS = (
    Column("#", 0, True),
    Column("Model", 0, least=28),
    Column("Quant", 3),
    Column("GiB", 2, True),
    Column("tok/s", 1, True),
    Column("Licence", 4),
    Column("Lang", 5),
    Column("Quality", 7, True),
    Column("Score", 6, True),
)
REJECTION_COLUMNS = (
    Column("Model", 0, least=28),
    Column("Quant", 3),
    Column("a", 2),
    Column("Excluded because", 1, least=24),
)


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of the rows, the best first."""

    word: str
    column: str
    """Title of the column that shows it."""
    arrow: str
    key: Callable[[Candidate], tuple[float | str, str]] | None
    """None for the order of the recommendation."""


SORTS = (
    Sort("score", "#", "▴", None),
    Sort("speed", "tok/s", "▾", lambda c: (-(c.speed.decode_tokens_per_s if c.speed else 0.0), c.id)),
    Sort("memory", "GiB", "▴", lambda c: (c.fit.footprint.total_bytes, c.id)),
    Sort("quality", "Quality", "▾", lambda c: (-c.rating.score, c.id)),
    Sort("name", "Model", "▴", lambda c: (c.model.name.casefold(), c.id)),
)
"""What the rows can be ordered by."""
MARK = "●"
"""Before the rank of a model that is marked for comparison."""
_LANGUAGE_CELLS = 10
"""Languages that take more cells are counted."""
GROUP = "requirement:"
"""Before the code of a requirement in the key of its row; no id of a model contains a colon."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a table shows of what there is."""

    rows: tuple[tuple[str, Cells], ...]
    n_matching: int
    """Rows that match the filter, shown or not."""


def pick_cells(rank: int, candidate: Candidate, latency: Latency, *, is_marked: bool = False) -> Cells:
    """The cells of a candidate, in the order of PICK_COLUMNS."""
    rate = speed_text(candidate.speed).removesuffix(" tok/s")
    return (
        f"{MARK if is_marked else ''}{rank}",
        candidate.model.name,
        candidate.quantization.name,
        f"{candidate.fit.footprint.total_bytes / GIB:.1f} {fit_mark(candidate)}",
        f"{rate} {speed_mark(candidate.speed, latency)}".rstrip(),
        VERDICT_MARKS[candidate.licence.verdict.value].replace("with duties", "duties"),
        _language_cell(candidate),
        f"{candidate.rating.score:.2f}",
        f"{candidate.score.total:.3f}",
    )


def _language_cell(candidate: Candidate) -> str:
    """`✓ en fr`, or how many are supported and how many are not where that is long."""
    marks = language_marks(candidate.languages)
    if cell_len(marks) <= _LANGUAGE_CELLS:
        return marks
    asked = {**candidate.languages.preferred, **candidate.languages.required}
    counts = ((mark, sum(found is support for found in asked.values())) for support, mark in SUPPORT_MARKS.items())
    return " ".join(f"{mark}{n}" for mark, n in counts if n)


def pick_rows(found: Recommendation, sort: Sort, filter_text: str, marked: Sequence[str], chosen: str | None) -> Rows:
    """The candidates that match, in the order asked for; the chosen one is among those shown if it matches."""
    latency, wanted = found.constraints.latency, filter_text.casefold()
    numbered = list(enumerate(found.ranked, start=1))
    if sort.key is not None:
        key = sort.key
        numbered.sort(key=lambda pair: key(pair[1]))
    matching = [(rank, c) for rank, c in numbered if not wanted or wanted in _haystack(c)]
    shown = matching[:MOST_ROWS]
    shown += [pair for pair in islice(matching, MOST_ROWS, None) if pair[1].model.id == chosen]
    rows = ((c.model.id, pick_cells(rank, c, latency, is_marked=c.model.id in marked)) for rank, c in shown)
    return Rows(tuple(rows), len(matching))


def _haystack(candidate: Candidate) -> str:
    words = VERDICT_MARKS[candidate.licence.verdict.value], candidate.licence.licence
    parts = (candidate.model.name, candidate.model.hf_id, candidate.quantization.name, *words)
    return " ".join((*parts, language_marks(candidate.languages))).casefold()


def excluded_rows(found: Recommendation, filter_text: str, folded: frozenset[str]) -> Rows:
    """Each requirement with the models it excludes under it, unless it is folded."""
    wanted = filter_text.casefold()
    rows: list[tuple[str, Cells]] = []
    n_matching = 0
    for group in excluded_groups(found.rejected):
        matching = [r for r in group.rejections if not wanted or wanted in _excluded_haystack(r, group)]
        if not matching:
            continue
        n_matching += len(matching)
        is_folded = group.code in folded
        rows.append((f"{GROUP}{group.code}", _group_cells(group, is_folded)))
        rows += [] if is_folded else list(_rejection_rows(matching))
    return Rows(tuple(rows[:MOST_ROWS]), n_matching)


def _excluded_haystack(rejection: Rejection, group: ExcludedGroup) -> str:
    parts = (group.title, rejection.model.name, rejection.model.hf_id, rejection.quantization or "any")
    return " ".join((*parts, *(reason.text for reason in rejection.reasons))).casefold()


def _group_cells(group: ExcludedGroup, is_folded: bool) -> Cells:
    n, alone = len(group.rejections), group.n_alone
    only = "nothing else is missed" if alone == n else f"{alone} of them miss{'es' if alone == 1 else ''} nothing else"
    if not group.is_timed:
        only = f"{'' if alone == n else f'{alone} of them '}nothing else, speed not judged"
    return (f"{'▸' if is_folded else '▾'} {group.title} ({n})", "", "", only)


def _rejection_rows(rejections: Sequence[Rejection]) -> Iterator[tuple[str, Cells]]:
    for r in rejections:
        # The requirement stands above already.
        first, *others = [reason.text for reason in r.reasons]
        because = "; ".join((first.partition(": ")[2] or first, *others))
        yield r.model.id, (f"  {r.model.name}", r.quantization or "any", "a" if r.is_liftable else "–", because)
