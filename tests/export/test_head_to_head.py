"""Foreign text in a head-to-head is data, and the keys are those that the module documents."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

from markdown_it import MarkdownIt

from advisor.domain.head_to_head import HeadToHead
from advisor.export import head_to_head
from advisor.export.head_to_head import head_to_head_document, head_to_head_markdown
from advisor.service import Advisor
from tests.builders import constraints, machine

ADVISOR = Advisor()


def found() -> HeadToHead:
    names = ("mistral-7b-instruct-v0.3", "llama-3.1-8b-instruct")
    return ADVISOR.compare(names, machine(), constraints())


def test_every_key_of_the_document_is_documented() -> None:
    documented = set(re.findall(r"[a-z_]+", head_to_head.__doc__ or ""))
    document = head_to_head_document(found())
    line = document["sections"][0]["lines"][0]
    keys = {*document, *document["use"], *document["subjects"][0], *document["sections"][0], *line,
            *line["figures"][0], *line["edge"]}  # fmt: skip
    assert keys <= documented


def test_the_page_shows_the_documented_keys() -> None:
    block = (head_to_head.__doc__ or "").partition("`schema_version`:\n\n")[2].rstrip()
    page = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
    assert dedent(block) in page


def test_markup_in_foreign_text_is_escaped() -> None:
    real = found()
    wicked = replace(real.subjects[0].model, name="*bold* | <b>\n# heading")
    subject = replace(real.subjects[0], model=wicked)
    text = head_to_head_markdown(replace(real, subjects=(subject, real.subjects[1]), bottom_line=(wicked.name,)))
    assert "\\*bold\\* \\| \\<b\\> \\# heading" in text
    assert "\n# heading" not in text


def test_foreign_text_makes_no_link_and_loads_no_picture() -> None:
    real = found()
    name = "![a](https://example.org/seen.png) [b](javascript:alert(1)) [c] \u202e"
    subject = replace(real.subjects[0], model=replace(real.subjects[0].model, name=name))
    text = head_to_head_markdown(replace(real, subjects=(subject, real.subjects[1]), bottom_line=(name,)))
    page = MarkdownIt("commonmark").enable("table").render(text)
    assert "seen.png" in page
    assert "<img" not in page
    assert "javascript" not in "".join(re.findall(r'href="[^"]*"', page))
    assert "\u202e" not in text


def test_cells_never_break_a_table() -> None:
    lines = head_to_head_markdown(found()).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
