"""Counting what is sourced."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from advisor.domain.coverage import Coverage, FieldCoverage, Gap, coverage, coverage_rows, gap_rows
from advisor.domain.model import Benchmark, Ecosystem, GgufFile, Provenance
from tests.builders import model

SOURCE = Provenance("https://example.org", "2026-11-27")
FILE = GgufFile("a/b", "c.gguf", "Q4_K_M", 1, 4_000_000_000, None, ("0" * 64,), "https://example.org")


def of(found: object, name: str) -> FieldCoverage:
    fields = {field.field: field for field in found.fields}  # type: ignore[attr-defined]
    return fields[name]  # type: ignore[no-any-return]


def test_a_field_is_sourced_by_its_provenance_and_unknown_for_its_reason() -> None:
    known = model("known", provenance={"rope_theta": SOURCE})
    mute = model("mute", unknowns={"rope_theta": "nobody says"})
    field = of(coverage((mute, known), {}), "rope_theta")
    assert (field.n_models, field.n_sourced, field.share) == (2, 1, 0.5)
    assert [(gap.model, gap.reason) for gap in field.gaps] == [("mute", "nobody says")]


def test_a_value_without_a_source_does_not_count() -> None:
    field = of(coverage((model("bare"),), {}), "total_params")
    assert field.n_sourced == 0
    assert field.gaps[0].reason == "no source was read for it"


def test_the_word_unknown_is_no_value_of_a_licence() -> None:
    heard = {"licence": replace(SOURCE, note="announced under terms of its own")}
    field = of(coverage((model("new", licence="unknown", provenance=heard),), {}), "licence")
    assert [gap.reason for gap in field.gaps] == ["announced under terms of its own"]


def test_a_field_is_asked_only_of_models_that_have_it() -> None:
    eyes = model("eyes", modalities=("text", "image"), unknowns={"vision_params": "not published"})
    field = of(coverage((eyes, model("blind")), {}), "vision_params")
    assert (field.n_models, field.n_sourced) == (1, 0)


def test_lists_and_files_count_where_they_hold_something() -> None:
    full = model("full", benchmarks=(Benchmark("MMLU", 60.0, None, "https://example.org"),))
    bare = model("bare", ecosystem=Ecosystem(()), unknowns={"gguf_repos": "no architecture"})
    unsized = replace(FILE, n_bytes=None, sha256=())
    found = coverage((full, bare, model("listed")), {"full": (FILE,), "listed": (unsized,)})
    assert of(found, "benchmarks").n_sourced == 1
    assert {gap.model: gap.reason for gap in of(found, "gguf_sizes").gaps} == {
        "bare": "no architecture",
        "listed": "files are listed without their size",
    }
    assert of(found, "gguf_hashes").n_sourced == 1


def test_the_rows_add_up_and_only_a_full_field_says_100_percent() -> None:
    known = model("known", provenance={"hf_id": SOURCE})
    models = [known, *(model(f"m{i}", provenance={"hf_id": SOURCE}) for i in range(299)), model("mute")]
    found = coverage(models, {})
    rows = coverage_rows(found)
    assert rows[0] == ("hf_id", "301", "300", "1", "99 %")
    assert rows[-1][0] == "all"
    for column in (1, 2, 3):
        assert int(rows[-1][column]) == sum(int(row[column]) for row in rows[:-1])
    assert len(gap_rows(found)) == int(rows[-1][3])


@example((29, 50))
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_is_never_rounded_up_nor_below_its_whole_percent(counts: tuple[int, int]) -> None:
    n_sourced, n_models = counts
    gaps = tuple(Gap("m", "why") for _ in range(n_models - n_sourced))
    share = coverage_rows(Coverage(n_models, (FieldCoverage("f", n_sourced, gaps),)))[0][-1]
    percent = int(share.removesuffix(" %"))
    assert percent * n_models <= 100 * n_sourced < (percent + 1) * n_models
