"""Tables on a terminal of whatever width, without words and figures torn apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

Row = Sequence[str]

_LONGEST_WORD = 20
"""Cells. A longer word, such as a path, may be torn rather than take the room of others."""
_BREAK = re.compile(r" |(?<=[^\W\d]-)(?=\w)|(?<=\d-)(?=[^\W\d])")
"""Where a line may end: at a blank, and behind a hyphen of an id such as `ministral-3-8b-instruct`, not of a date."""
_WIDE_GAP, _NARROW_GAP, _EDGES = 3, 2, 2
"""Cells that the lines and the padding between two columns take, and in a wide table both edges."""


def draw(columns: Row, rows: Sequence[Row], numeric: frozenset[int]) -> None:
    """A table where its words fit side by side, else each row as a list of names and values."""
    console = Console()
    by_column = [[name, *(row[i] for row in rows)] for i, name in enumerate(columns)]
    natural = [max(map(cell_len, cells)) for cells in by_column]
    n_gaps = len(columns) - 1
    if sum(natural) + _WIDE_GAP * n_gaps + _EDGES <= console.width:
        _print_table(console, columns, rows, numeric)
        return
    room = console.width - _NARROW_GAP * n_gaps
    least = [min(_LONGEST_WORD, max(map(_longest_piece, cells))) for cells in by_column]
    if sum(least) <= room:
        _print_narrow_table(console, columns, rows, numeric, _shrunk(natural, least, room))
    else:
        _print_records(console, columns, rows)


def _longest_piece(cell: str) -> int:
    return max(map(cell_len, _BREAK.split(cell)))


def _shrunk(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit together: the widest column gives way first, and none below what its words take."""
    found = [min(width, room) for width in widths]
    while sum(found) > room:
        can_give = [i for i, width in enumerate(found) if width > least[i]]
        found[max(can_give, key=found.__getitem__)] -= 1
    return found


def _print_table(console: Console, columns: Row, rows: Sequence[Row], numeric: frozenset[int]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(columns):
        table.add_column(Text(name), justify="right" if i in numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_narrow_table(
    console: Console, columns: Row, rows: Sequence[Row], numeric: frozenset[int], widths: Sequence[int]
) -> None:
    """Columns of these widths, with little between them and nothing beside them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for i, (name, width) in enumerate(zip(columns, widths, strict=True)):
        justify: JustifyMethod = "right" if i in numeric else "left"
        table.add_column(_wrapped(name, width), justify=justify, overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(_wrapped, row, widths))
    console.print()
    console.print(table)
    console.print()


def _wrapped(cell: str, width: int) -> Text:
    """The cell in lines that end where they may; a word that is too long is left to be folded."""
    lines, start, last = [], 0, 0
    ends = [*(match.start() for match in _BREAK.finditer(cell)), len(cell)]
    for end in ends:
        if cell_len(cell[start:end].strip()) > width and last > start:
            lines.append(cell[start:last].strip())
            start = last
        last = end
    return Text("\n".join([*lines, cell[start:].strip()]))


def _print_records(console: Console, columns: Row, rows: Sequence[Row]) -> None:
    """What has no value in a row is left out of it."""
    width = min(max(map(cell_len, columns)), console.width // 2)
    for row in rows:
        record = Table.grid(padding=(0, 2, 0, 0))
        record.add_column(width=width, overflow="fold")
        record.add_column(overflow="fold")
        for name, cell in zip(columns, row, strict=True):
            if cell:
                record.add_row(_wrapped(name, width), Text(cell))
        console.print(record)
        console.print()
