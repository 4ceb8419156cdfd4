"""A head-to-head as JSON values and as Markdown.

The document has, beside `schema_version`:

    machine       {simulated platform}
    use           {task context_tokens languages[] deployment commercial eu_based users}
    subjects[]    {label model hf_id family quantization usable fits score
                   reasons[] {code text fix?} nearest_quantization}
    sections[]    {id title lines[] notes[]}
      lines[]     {id title unit remark figures[] edge}
        figures[] {text value basis source}      # one per subject, in their order; value null where unknown
        edge      null or {kind subject text}    # kind leads|close|even|incomparable, subject an index or null
    bottom_line[] sentences
    catalogue     {version sha256}
"""

from __future__ import annotations

from typing import Any

from advisor.domain.head_to_head import Edge, Figure, HeadToHead, Line, Section, Subject
from advisor.domain.head_to_head.layout import LEGEND, Table, sources_of, tables_of
from advisor.export.documents import reason_document
from advisor.export.markdown_text import escape, table_lines

Document = dict[str, Any]


def head_to_head_document(found: HeadToHead) -> Document:
    """The comparison under the keys above."""
    asked = found.constraints
    return {
        "machine": {"simulated": found.machine.simulated, "platform": found.machine.platform},
        "use": {
            "task": asked.task.kind,
            "context_tokens": asked.task.context_tokens,
            "languages": list(asked.languages.required),
            "deployment": asked.use.deployment,
            "commercial": asked.use.commercial,
            "eu_based": asked.use.eu_based,
            "users": asked.scale.users,
        },
        "subjects": [_subject(subject) for subject in found.subjects],
        "sections": [_section(section) for section in found.sections],
        "bottom_line": list(found.bottom_line),
        "catalogue": {"version": found.catalogue_version, "sha256": found.catalogue_sha256},
    }


def _subject(subject: Subject) -> Document:
    return {
        "label": subject.label,
        "model": subject.model.id,
        "hf_id": subject.model.hf_id,
        "family": subject.model.family,
        "quantization": None if subject.placed is None else subject.placed.quantization.name,
        "usable": subject.usable,
        "fits": subject.fits,
        "score": None if subject.candidate is None else round(subject.candidate.score.total, 4),
        "reasons": [reason_document(reason) for reason in subject.reasons],
        "nearest_quantization": subject.nearest,
    }


def _section(section: Section) -> Document:
    lines = [_line(line) for line in section.lines]
    return {"id": section.id, "title": section.title, "lines": lines, "notes": list(section.notes)}


def _line(line: Line) -> Document:
    return {
        "id": line.id,
        "title": line.title,
        "unit": line.unit,
        "remark": line.remark,
        "figures": [_figure(figure) for figure in line.figures],
        "edge": None if line.edge is None else _edge(line.edge),
    }


def _figure(figure: Figure) -> Document:
    basis = None if figure.basis is None else figure.basis.value
    return {"text": figure.text, "value": figure.value, "basis": basis, "source": figure.source}


def _edge(edge: Edge) -> Document:
    return {"kind": edge.kind.value, "subject": edge.subject, "text": edge.text}


def head_to_head_markdown(found: HeadToHead, *, level: int = 1) -> str:
    """The comparison as a page; `level` is that of its heading."""
    names = " against ".join(subject.label for subject in found.subjects)
    parts = [f"{'#' * level} {escape(names)}", _bullets(found.bottom_line), LEGEND]
    parts += [_table(table, level + 1) for table in tables_of(found)]
    numbered = [f"{i}. {escape(source)}" for i, source in enumerate(sources_of(found), start=1)]
    parts.append("\n".join([f"{'#' * (level + 1)} Sources\n", *numbered]))
    return "\n\n".join(parts) + "\n"


def _table(table: Table, level: int) -> str:
    lines = [f"{'#' * level} {table.title}", "", *table_lines(table.columns, table.rows)]
    return "\n".join(lines) + (f"\n\n{_bullets(table.notes)}" if table.notes else "")


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)
