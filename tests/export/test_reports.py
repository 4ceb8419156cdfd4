"""Reports: everything that the file says, nothing from elsewhere, and foreign text as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from advisor.domain.dominance import pareto_front
from advisor.export.deploy import TARGETS, files_for
from advisor.export.markdown_text import escape
from advisor.export.recommendation_file import read_recommendation
from advisor.export.recommendation_schema import RecommendationFile
from advisor.export.report.contents import Recorded, report_of
from advisor.export.report.memory_chart import DeviceMemory, memory_chart
from advisor.export.report.trade_chart import Choice, front_of, trade_chart
from advisor.units import GIB, format_bytes
from tests.cli.running import as_process

EVIL = "<script>alert(1)</script>\"'><img src=https://evil.example/x> | [a](javascript:alert(1)) `b` \x1b[31m\u202e"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recommendation for two GPUs, with duties, languages and rejections."""
    path = tmp_path_factory.mktemp("reports") / "pick.toml"
    found = as_process(
        "recommend", "--gpu", "RTX 4090x2", "--ram", "64GiB", "--languages-required", "fr,de", "--use-redistribute",
        "product", "-o", path,
    )  # fmt: skip
    assert found.code == 0
    return path


@pytest.fixture(scope="module")
def recorded(written: Path) -> Recorded:
    return Recorded(read_recommendation(written), "0" * 64, "pick")


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def html_of(recorded: Recorded) -> str:
    return files_for("html", recorded)["pick.html"]


def spoiled(recorded: Recorded) -> Recorded:
    """The same file with foreign text wherever text is free."""
    file = recorded.file
    pick = file.recommendation
    clauses = [clause.model_copy(update={"text": EVIL, "source": EVIL}) for clause in pick.licence.clauses]
    licence = pick.licence.model_copy(update={"clauses": clauses, "reasons": [EVIL]})
    changed = file.model_copy(
        update={
            "recommendation": pick.model_copy(
                update={"model": EVIL, "hf_id": EVIL, "warnings": [EVIL], "licence": licence}
            ),
            "constraints": {EVIL: {EVIL: EVIL}},
            "rejected": [file.rejected[0].model_copy(update={"model": EVIL})],
        }
    )
    return replace(recorded, file=changed)


def every(file: RecommendationFile) -> Iterator[str]:
    """What a reader must find."""
    pick = file.recommendation
    yield from (pick.model, pick.hf_id, pick.quantization, format_bytes(pick.footprint.total_bytes))
    yield from (term.why for term in pick.score.terms)
    yield f"{pick.score.total:.3f}"
    yield from (duty.text for duty in pick.licence.obligations)
    yield from (clause.id for clause in pick.licence.clauses)
    yield from (device.name for device in pick.footprint.devices)
    yield from (choice.model for choice in file.alternatives)
    for rejection in file.rejected:
        yield rejection.model
        yield from (reason.text for reason in rejection.reasons)
    yield from (file.catalogue.sha256, file.catalogue.version, file.tool_version, file.created)
    yield from ("languages.required", "fr, de", "task.kind", "0" * 64, "nothing here was probed or timed")
    assert pick.speed is not None
    yield f"{pick.speed.decode_tokens_per_s:.1f} tok/s (estimated, likely between {pick.speed.low:.1f}"


def test_a_page_says_everything(recorded: Recorded) -> None:
    text = Page(html_of(recorded)).text
    assert [part for part in every(recorded.file) if part not in text] == []


def test_markdown_says_the_same(recorded: Recorded) -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(files_for("markdown", recorded)["pick.md"])
    text = Page(rendered).text
    assert [part for part in every(recorded.file) if part not in text] == []
    assert Page(rendered).tags.count("table") == Page(html_of(recorded)).tags.count("table")


def test_a_page_loads_nothing_and_runs_nothing(recorded: Recorded) -> None:
    page = Page(html_of(recorded))
    assert not {"script", "link", "iframe", "object", "img", "image", "use", "base", "form"} & set(page.tags)
    loading = [(tag, name) for tag, name, _ in page.attributes if name in ("src", "srcset", "xlink:href", "style")]
    assert loading == []
    assert {tag for tag, name, _ in page.attributes if name == "href"} == {"a"}
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes
    styles = re.findall(r"<style>(.*?)</style>", html_of(recorded), re.DOTALL)
    assert not [style for style in styles if "@import" in style or re.search(r"url\((?!#)", style)]


def test_foreign_text_is_shown_and_never_obeyed(recorded: Recorded) -> None:
    plain, evil = Page(html_of(recorded)), Page(html_of(spoiled(recorded)))
    assert set(evil.tags) <= set(plain.tags)
    assert "<script>alert(1)</script>" in evil.text
    assert not [v for _, name, v in evil.attributes if name == "href" and not v.startswith("https://")]
    assert not [name for _, name, _ in evil.attributes if name.startswith("on")]
    assert "\x1b" not in html_of(spoiled(recorded))
    assert "\u202e" not in html_of(spoiled(recorded))


def test_foreign_text_is_no_markdown(recorded: Recorded) -> None:
    text = files_for("markdown", spoiled(recorded))["pick.md"]
    page = Page(MarkdownIt("commonmark").enable("table").render(text))
    assert "script" not in page.tags
    assert {value for tag, name, value in page.attributes if tag == "img" and name == "src"} == {
        "pick-memory.svg", "pick-quality-speed.svg",
    }  # fmt: skip
    assert not [v for _, name, v in page.attributes if name == "href" and not v.startswith("https://")]
    assert "\x1b" not in text


@given(st.text())
def test_any_text_comes_out_of_markdown_as_it_went_in(text: str) -> None:
    from advisor.text import one_line

    row = f"| a |\n| --- |\n| {escape(text)} |\n"
    page = Page(MarkdownIt("commonmark").enable("table").render(row))
    assert page.text.split("a", 1)[1].strip() == one_line(text)


def test_the_same_file_gives_the_same_bytes(recorded: Recorded) -> None:
    for target in (name for name, target in TARGETS.items() if target.is_report):
        assert files_for(target, recorded) == files_for(target, recorded)


def test_a_drawing_is_a_file_of_its_own(recorded: Recorded) -> None:
    files = files_for("markdown", recorded)
    assert list(files) == ["pick.md", "pick-memory.svg", "pick-quality-speed.svg"]
    for name in ("pick-memory.svg", "pick-quality-speed.svg"):
        assert f"]({name})" in files["pick.md"]
        drawing = fromstring(files[name])
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert drawing.get("role") == "img"
        assert "http" not in files[name].replace("http://www.w3.org/2000/svg", "")


def rects(svg: Element) -> list[Element]:
    return [e for e in svg if e.tag == "rect" and e.get("height") == "26"]


def test_the_bars_are_as_long_as_the_memory_they_stand_for() -> None:
    devices = [
        DeviceMemory("RAM", 0, 0, 4 * GIB, 64 * GIB),
        DeviceMemory("GPU0", 8 * GIB, 4 * GIB, 2 * GIB, 16 * GIB),
    ]
    widths = [float(rect.get("width", "0")) for rect in rects(memory_chart(devices))]
    assert widths == pytest.approx([45.0, 90.0, 45.0, 22.5], abs=0.1)


def test_whatever_is_used_is_visible() -> None:
    device = DeviceMemory("GPU0", 1, 1, 1, 80 * GIB)
    assert min(float(rect.get("width", "0")) for rect in rects(memory_chart([device]))) >= 2


CHOICES = st.lists(
    st.tuples(st.floats(0.01, 1e4), st.floats(0, 1), st.integers(1, 1 << 42)), min_size=1, max_size=12
).map(lambda rows: [Choice(i, f"m{i}", *row) for i, row in enumerate(rows, start=1)])


@given(CHOICES, st.none() | st.floats(0.01, 1e5))
def test_every_candidate_lies_inside_the_drawing_and_the_front_is_drawn(
    choices: list[Choice], target: float | None
) -> None:
    svg = trade_chart(choices, target)
    circles = [e for e in svg if e.tag == "circle"]
    assert len(circles) == len(choices)
    assert all(0 <= float(c.get("cx", "-1")) <= 720 and 0 <= float(c.get("cy", "-1")) <= 400 for c in circles)
    front = front_of(choices)
    assert set(front) == set(pareto_front(choices, [(c.tokens_per_s, c.quality, 0.0) for c in choices]))
    best = sum("best" in c.get("class", "") or "pick" in c.get("class", "") for c in circles)
    assert best == len({*front, choices[0]})


def test_an_unknown_speed_is_said_and_not_drawn(recorded: Recorded) -> None:
    file = recorded.file
    silent = [choice.model_copy(update={"decode_tokens_per_s": None}) for choice in file.alternatives]
    pick = file.recommendation.model_copy(update={"speed": None})
    changed = file.model_copy(update={"alternatives": silent, "recommendation": pick})
    text = html_of(replace(recorded, file=changed))
    assert "Its speed is unknown" in text
    assert text.count("<svg") == 1


def test_every_section_has_something_to_say(recorded: Recorded) -> None:
    report = report_of(recorded)
    assert all(section.blocks for section in report.sections)
    assert report.badge == "Simulated machine: nothing here was probed or timed."
    file = recorded.file.model_copy(update={"machine": recorded.file.machine.model_copy(update={"simulated": False})})
    assert report_of(replace(recorded, file=file)).badge is None


@pytest.mark.parametrize("asked", [-5.0, 0, "none", True, 1e300, float("inf"), float("nan")])
def test_an_answer_that_is_no_speed_is_not_drawn(recorded: Recorded, asked: object) -> None:
    constraints = {**recorded.file.constraints, "latency": {"tokens_per_s": asked}}
    changed = recorded.file.model_copy(update={"constraints": constraints})
    assert "asked for:" not in html_of(replace(recorded, file=changed))


def test_a_pick_without_any_memory_is_drawn_all_the_same() -> None:
    svg = trade_chart([Choice(1, "a", 5.0, 0.5, 0), Choice(2, "b", 6.0, 0.4, 0)], None)
    assert len([e for e in svg if e.tag == "circle"]) == 2


def test_quality_from_a_trial_is_not_called_published(recorded: Recorded) -> None:
    pick = recorded.file.recommendation
    quality = pick.quality.model_copy(update={"ground": "trial", "tried_tasks": 200})
    changed = recorded.file.model_copy(update={"recommendation": pick.model_copy(update={"quality": quality})})
    text = Page(html_of(replace(recorded, file=changed))).text
    assert "from your trial of 200 tasks" in text
    said = f"from {quality.results} published results, "
    assert said not in text
    assert said in Page(html_of(recorded)).text


def test_a_large_load_is_written_without_exponents(recorded: Recorded) -> None:
    plan = recorded.file.plan.model_copy(update={"requests_per_s": 1388.9, "requests_in_flight": 21234.0})
    text = Page(html_of(replace(recorded, file=recorded.file.model_copy(update={"plan": plan})))).text
    assert "1,390 per second" in text
    assert "21,000" in text


@pytest.mark.parametrize("end", [".", ", and more", ":", "?", ")"])
def test_the_stop_of_a_sentence_is_no_part_of_an_address(recorded: Recorded, end: str) -> None:
    pick = recorded.file.recommendation.model_copy(update={"warnings": [f"see https://example.org/a.b/c{end}"]})
    changed = recorded.file.model_copy(update={"recommendation": pick})
    links = [v for _, name, v in Page(html_of(replace(recorded, file=changed))).attributes if name == "href"]
    assert "https://example.org/a.b/c" in links
