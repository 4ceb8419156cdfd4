"""The coverage of the catalogue as a document and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from advisor.domain.coverage import Coverage, coverage_rows, gap_rows
from advisor.export.markdown_text import table_lines

_HEAD = ("field", "models", "sourced", "unknown", "share")


def coverage_document(found: Coverage, *, version: str, sha256: str) -> dict[str, Any]:
    """The counts with every gap and its reason, and the catalogue that was counted."""
    return {
        "catalogue": {"version": version, "sha256": sha256},
        "models": found.n_models,
        "share": round(found.share, 4),
        "fields": [
            {
                "field": field.field,
                "models": field.n_models,
                "sourced": field.n_sourced,
                "share": round(field.share, 4),
                "unknown": [asdict(gap) for gap in field.gaps],
            }
            for field in found.fields
        ],
    }


def coverage_markdown(found: Coverage) -> str:
    """The table and the list of what is unknown, for `docs/coverage.md`."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Coverage) -> Iterator[str]:
    yield "# What the catalogue knows"
    yield ""
    yield f"{found.n_models} models. A field counts as sourced where its value names a public source and the day on"
    yield "which somebody looked; what nobody could source is unknown, with the reason. Shares are rounded down."
    yield "Write this page anew with `llm-advisor catalog coverage --markdown`."
    yield ""
    yield from table_lines(_HEAD, coverage_rows(found))
    yield ""
    yield "## What is unknown, and why"
    for field in found.fields:
        if field.gaps:
            yield ""
            yield f"### {field.field}"
            yield ""
            yield from table_lines(("model", "reason"), [row[1:] for row in gap_rows(found) if row[0] == field.field])
