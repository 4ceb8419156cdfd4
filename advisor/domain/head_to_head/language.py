"""Languages: what each model card claims, language by language."""

from __future__ import annotations

from advisor.domain.head_to_head.subjects import Subject
from advisor.domain.head_to_head.values import Edge, EdgeKind, Figure, Line, Section, known, unknown
from advisor.domain.languages import Support
from advisor.domain.presentation import SUPPORT_WORDS
from advisor.domain.summary import SUPPORT_MARKS

NOTE = "A card that claims a language says that its vendor tested it; a model may still write others, untested."


def language_section(subjects: tuple[Subject, ...]) -> Section:
    """One line for each language that was asked for, then all that are claimed."""
    first = subjects[0].languages
    lines = [_tag_line(tag, "required", subjects) for tag in first.required]
    lines += [_tag_line(tag, "preferred", subjects) for tag in first.preferred]
    lines.append(Line("claimed", "claimed in all", tuple(_claimed_figure(s) for s in subjects), unit="languages"))
    lines.append(Line("modalities", "takes", tuple(_modality_figure(s) for s in subjects)))
    return Section("languages", "Languages", tuple(lines), (NOTE,))


def _tag_line(tag: str, wish: str, subjects: tuple[Subject, ...]) -> Line:
    found = [(s.languages.required | s.languages.preferred)[tag] for s in subjects]
    figures = tuple(
        known(f"{SUPPORT_MARKS[support]} {SUPPORT_WORDS[support]}", support.value, source=_source(s))
        for support, s in zip(found, subjects, strict=True)
    )
    return Line(f"language:{tag}", f"{tag}, {wish}", figures, _edge(found))


def _edge(found: list[Support]) -> Edge:
    claiming = [i for i, support in enumerate(found) if support is Support.SUPPORTED]
    if len(claiming) == 1:
        return Edge(EdgeKind.LEADS, claiming[0], "the only one that claims it")
    return Edge(EdgeKind.EVEN, None, "all alike" if len(set(found)) == 1 else "several claim it")


def _source(subject: Subject) -> str | None:
    found = subject.model.provenance.get("languages")
    return None if found is None else found.source


def _claimed_figure(subject: Subject) -> Figure:
    languages = subject.model.languages
    if languages.supported is None:
        return unknown(languages.reason or "the card does not say")
    limit = f"; {languages.reason}" if languages.reason else ""
    text = f"{len(languages.supported)}: {', '.join(languages.supported)}{limit}"
    return known(text, len(languages.supported), source=_source(subject))


def _modality_figure(subject: Subject) -> Figure:
    found = subject.model.provenance.get("modalities")
    text = " and ".join(subject.model.modalities)
    return known(text, text, source=None if found is None else found.source)
