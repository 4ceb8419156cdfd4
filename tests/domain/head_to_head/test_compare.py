"""The comparison on the shipped catalogue: agreement with `recommend`, excluded models, families, unknowns."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from advisor.catalog.serving import load_serving
from advisor.domain.head_to_head import EdgeKind, Entrant, HeadToHead, compare
from advisor.domain.head_to_head.engines import engines_of
from advisor.domain.head_to_head.layout import sources_of, tables_of
from advisor.domain.recommend import recommend
from advisor.paths import knowledge_dir
from advisor.service import Advisor
from advisor.units import GIB
from tests.builders import RTX_4090, constraints, figures, gpu, machine

ADVISOR = Advisor()
MISTRAL_7B, LLAMA_8B = Entrant("mistral-7b-instruct-v0.3"), Entrant("llama-3.1-8b-instruct")
MIXTRAL, LLAMA_70B = Entrant("mixtral-8x7b-instruct-v0.1"), Entrant("llama-3.3-70b-instruct")
FAMILIES = (Entrant(family="mistral"), Entrant(family="llama"))


def side_by_side(*entrants: Entrant, n_gpus: int = 1, ram: int = 64 * GIB, **answers: Any) -> HeadToHead:
    cards = [gpu(24 * GIB, index=i, name="RTX 4090") for i in range(n_gpus)]
    here = machine(ram, *cards)
    asked = constraints(**{"languages__required": (), **answers})
    return compare(here, asked, ADVISOR.catalogue, figures(here, RTX_4090), ADVISOR.gpu_specs, entrants)


@cache
def of_a_size() -> HeadToHead:
    return side_by_side(MISTRAL_7B, LLAMA_8B)


@cache
def of_experts() -> HeadToHead:
    return side_by_side(MIXTRAL, LLAMA_70B, n_gpus=2)


@cache
def of_families() -> HeadToHead:
    return side_by_side(*FAMILIES, languages__required=("fr",), use__eu_based=True, use__country="FR")


ALL = (of_a_size, of_experts, of_families)


def values(found: HeadToHead, line_id: str) -> list[object]:
    line = found.line(line_id)
    assert line is not None, line_id
    return [figure.value for figure in line.figures]


def texts(found: HeadToHead, line_id: str) -> list[str]:
    line = found.line(line_id)
    assert line is not None, line_id
    return [figure.text for figure in line.figures]


@pytest.mark.parametrize("made", ALL)
def test_every_line_has_one_figure_per_subject_and_no_empty_text(made: Any) -> None:
    found = made()
    lines = [line for section in found.sections for line in section.lines]
    assert all(len(line.figures) == len(found.subjects) for line in lines)
    assert all(figure.text for line in lines for figure in line.figures)
    assert len({line.id for line in lines}) == len(lines)


@pytest.mark.parametrize("made", ALL)
def test_every_estimated_number_says_so_and_published_ones_name_their_source(made: Any) -> None:
    for section in made().sections:
        for line in section.lines:
            for figure in line.figures:
                if figure.basis is not None and figure.basis.value == "published" and line.id != "published_results":
                    assert figure.source, line.id
    for line_id in ("memory", "decode", "qlora_lean", "rating"):
        line = made().line(line_id)
        assert all(figure.basis is not None or figure.text.startswith("unknown") for figure in line.figures)


def test_figures_are_those_that_recommend_gives() -> None:
    here = machine(64 * GIB, *[gpu(24 * GIB, index=i, name="RTX 4090") for i in range(2)])
    asked = constraints(languages__required=())
    ranked = recommend(here, asked, ADVISOR.catalogue, figures(here, RTX_4090), named=("mixtral-8x7b-instruct-v0.1",))
    mixtral = next(c for c in ranked.ranked if c.model.id == "mixtral-8x7b-instruct-v0.1")
    assert values(of_experts(), "memory")[0] == mixtral.fit.footprint.total_bytes
    assert mixtral.speed is not None
    assert values(of_experts(), "decode")[0] == round(mixtral.speed.decode_tokens_per_s, 3)
    assert values(of_experts(), "rating")[0] == round(mixtral.rating.score, 4)


def test_experts_are_told_by_total_and_active_parameters() -> None:
    experts, dense = texts(of_experts(), "blocks")
    assert experts == "2 of 8 experts: 46.7B parameters, 12.9B of them per token"
    assert dense == "dense, 70.6B parameters"
    assert of_experts().line("decode").edge.subject == 0  # type: ignore[union-attr]


def test_parameters_of_a_model_without_a_shape_are_never_called_dense() -> None:
    found = side_by_side(Entrant("mistral-large-4-1t-a52b"), LLAMA_8B)
    assert texts(found, "blocks")[0] == "1.05T parameters, 52B of them per token"


def test_every_model_of_the_catalogue_can_be_compared() -> None:
    ids = [m.id for m in ADVISOR.catalogue.models]
    for first in range(0, len(ids) - 3, 4):
        found = side_by_side(*[Entrant(model_id) for model_id in ids[first : first + 4]], task__kind="vision")
        words = [f.text for s in found.sections for line in s.lines for f in line.figures]
        assert not [text for text in (*words, *found.bottom_line) if "None" in text or "nan" in text.split()]


def test_a_fix_is_offered_only_where_it_admits_the_model() -> None:
    found = side_by_side(Entrant("mistral-large-4-1t-a52b"), LLAMA_8B, languages__required=("en",))
    assert len(found.subjects[0].reasons) > 1
    assert "What would admit it" not in found.bottom_line[0]


def test_grouped_queries_are_told_by_what_they_save_per_token() -> None:
    # 32 layers × 2 × (32 − 8) heads × 128 × 2 bytes = 384 KiB; 80 × 2 × (64 − 8) × 128 × 2 = 2240 KiB
    mixtral, llama = texts(of_experts(), "attention")
    assert "32 heads share 8 KV heads, 384.0 KiB" in mixtral
    assert "64 heads share 8 KV heads, 2 MiB" in llama
    assert values(of_experts(), "cache_per_token") == [128 * 1024, 320 * 1024]


def test_a_window_says_which_engine_saves_memory_with_it() -> None:
    found = side_by_side(Entrant("mistral-7b-instruct-v0.1"), Entrant("llama-4-scout"), ram=256 * GIB)
    sliding, chunked = texts(found, "window")
    assert "llama.cpp saves nothing" in sliding
    assert "vLLM would hold 512 MiB instead of 1.00 GiB at 8,192 tokens" in sliding
    assert "chunked, 8,192 tokens in 3 of 4 layers; llama.cpp holds" in chunked


def test_an_excluded_model_is_compared_all_the_same_and_the_answer_is_the_other() -> None:
    found = side_by_side(MISTRAL_7B, LLAMA_8B, languages__required=("de",))
    mistral, llama = found.subjects
    assert not mistral.usable
    assert mistral.fits
    assert llama.usable
    assert texts(found, "requirements")[0].startswith("✗ languages")
    assert all(isinstance(value, int) for value in values(found, "memory"))
    assert any("does not pass" in text and "drop de" in text for text in found.bottom_line)
    assert "Llama 3.1 8B Instruct, the only one that meets every requirement" in found.bottom_line[-2]


def test_a_model_too_large_for_the_machine_says_what_it_needs_and_no_speed() -> None:
    found = side_by_side(Entrant("llama-3.1-405b-instruct"), LLAMA_8B, ram=32 * GIB)
    assert not found.subjects[0].fits
    assert "more than this machine has" in texts(found, "memory")[0]
    assert values(found, "decode")[0] is None
    assert found.line("decode").edge is None  # type: ignore[union-attr]
    assert isinstance(values(found, "rating")[0], float)


def test_a_model_that_llama_cpp_cannot_run_is_unknown_and_never_zero() -> None:
    found = side_by_side(Entrant("llama-3.2-11b-vision-instruct"), LLAMA_8B)
    for line_id in ("memory", "decode", "rating", "qlora_lean", "cache_per_token"):
        assert values(found, line_id)[0] is None
        assert texts(found, line_id)[0].startswith("unknown: ")


def test_nothing_usable_is_said_and_the_comparison_stands() -> None:
    found = side_by_side(MISTRAL_7B, LLAMA_8B, languages__required=("ja",))
    assert not found.anything_usable
    assert "none of them can be used as asked" in found.bottom_line[-2]
    assert len(found.sections) == 7


def test_the_lifted_licence_of_a_forbidden_model_never_shows() -> None:
    found = side_by_side(LLAMA_8B, MIXTRAL, use__mau_at_release=900_000_000)
    llama = found.subjects[0]
    assert not llama.usable
    assert llama.licence.licence == "llama3.1"
    assert llama.placed is not None
    assert llama.placed.model.licence == "llama3.1"
    assert values(found, "verdict") == ["needs_separate_licence", "allowed"]


def test_licences_name_the_limit_and_the_exact_words() -> None:
    assert "700,000,000 monthly active users in June 2024" in texts(of_a_size(), "limits")[1]
    assert "Built with Llama" in texts(of_a_size(), "duties")[1]
    assert 'Begin the name of the released model with "Llama"' in texts(of_a_size(), "derivative")[1]


def test_a_bar_on_multimodal_models_says_when_it_does_not_touch_the_model() -> None:
    assert "this model takes text only" in texts(of_experts(), "limits")[1]


def test_a_named_quantization_is_the_one_compared() -> None:
    found = side_by_side(Entrant("llama-3.1-8b-instruct", "Q4_K_M"), Entrant("llama-3.1-8b-instruct", "Q8_0"))
    assert [s.label for s in found.subjects] == ["llama-3.1-8b-instruct:Q4_K_M", "llama-3.1-8b-instruct:Q8_0"]
    assert found.line("memory").edge.subject == 0  # type: ignore[union-attr]
    assert tables_of(found)[1].columns[1:3] == ("llama-3.1-8b-instruct:Q4_K_M", "llama-3.1-8b-instruct:Q8_0")


def test_four_can_stand_side_by_side_and_five_cannot() -> None:
    four = side_by_side(MISTRAL_7B, LLAMA_8B, MIXTRAL, LLAMA_70B)
    assert all(len(line.figures) == 4 for section in four.sections for line in section.lines)
    with pytest.raises(ValueError, match="2 to 4"):
        side_by_side(MISTRAL_7B, LLAMA_8B, MIXTRAL, LLAMA_70B, Entrant("llama-3.2-3b-instruct"))
    with pytest.raises(ValueError, match="2 to 4"):
        side_by_side(MISTRAL_7B)


def test_a_family_sends_its_best_model_and_counts_those_that_pass() -> None:
    found = of_families()
    here = machine(64 * GIB, gpu(24 * GIB, name="RTX 4090"))
    asked = constraints(languages__required=("fr",), use__eu_based=True, use__country="FR")
    ranked = recommend(here, asked, ADVISOR.catalogue, figures(here, RTX_4090)).ranked
    for subject, family in zip(found.subjects, ("mistral", "llama"), strict=True):
        best = [c for c in ranked if c.model.family == family]
        assert subject.candidate is not None
        assert subject.candidate.id == best[0].id
    assert values(found, "passing") == [sum(c.model.family == f for c in ranked) for f in ("mistral", "llama")]


def test_families_are_compared_even_where_only_one_is_preferred() -> None:
    found = side_by_side(*FAMILIES, preferences__families=("mistral",))
    assert [s.model.family for s in found.subjects] == ["mistral", "llama"]
    assert all(s.usable for s in found.subjects)


def test_training_on_a_machine_without_gpu_says_that_it_needs_one() -> None:
    found = side_by_side(MISTRAL_7B, LLAMA_8B, n_gpus=0)
    assert texts(found, "fits_here") == ["no GPU here, and training needs one"] * 2
    assert "on 8.00 GiB" in texts(found, "smallest_gpu")[0]


def test_of_two_models_alike_the_larger_vocabulary_needs_more_to_be_trained() -> None:
    line = of_a_size().line("qlora_peft")
    assert line is not None
    assert line.edge is not None
    assert (line.edge.kind, line.edge.subject) == (EdgeKind.LEADS, 0)
    assert "vocabulary of 128,256" in texts(of_a_size(), "logits")[1]


def test_close_scores_are_called_close() -> None:
    found = side_by_side(Entrant("llama-3.1-8b-instruct", "Q4_K_M"), Entrant("llama-3.1-8b-instruct", "Q4_K_S"))
    assert "too close to call" in found.bottom_line[-2]


def test_where_quality_decides_but_its_intervals_overlap_the_sentence_says_so() -> None:
    overlapping, clear = side_by_side(LLAMA_8B, MIXTRAL, n_gpus=2), side_by_side(MISTRAL_7B, LLAMA_70B, n_gpus=2)
    kinds = []
    for found in (overlapping, clear):
        rating = found.line("rating")
        assert rating is not None
        assert rating.edge is not None
        kinds.append(rating.edge.kind)
        assert "most of it by quality" in found.bottom_line[-2]
    assert kinds == [EdgeKind.CLOSE, EdgeKind.LEADS]
    assert "which is itself too close to call" in overlapping.bottom_line[-2]
    assert "which is itself too close to call" not in clear.bottom_line[-2]


def test_the_last_sentence_sends_to_a_trial() -> None:
    assert all("trial on your own task" in made().bottom_line[-1] for made in ALL)


def test_the_same_inputs_give_the_same_comparison() -> None:
    assert tables_of(of_a_size()) == tables_of(side_by_side(MISTRAL_7B, LLAMA_8B))


def test_every_numbered_source_is_used_in_a_table() -> None:
    for made in ALL:
        cells = " ".join(cell for t in tables_of(made()) for row in (*t.rows, t.notes) for cell in row)
        assert all(f"[{i}]" in cells for i in range(1, len(sources_of(made())) + 1))


def test_the_class_of_vllm_is_named_only_where_its_list_surely_means_the_model() -> None:
    found = side_by_side(Entrant("mistral-small-4-119b"), MIXTRAL, ram=256 * GIB)
    latent, experts = texts(found, "engines")
    assert latent.endswith("vLLM")
    assert "vLLM (MixtralForCausalLM)" in experts


def test_comparisons_name_vllm_for_the_models_that_plans_know_it_for() -> None:
    known = load_serving(knowledge_dir()).vllm.architectures
    for model in ADVISOR.catalogue.models:
        named = any(engine.startswith("vLLM") for engine, _ in engines_of(model))
        assert named == (model.shape is not None and model.shape.architecture in known), model.id


def test_a_machine_of_another_make_is_not_judged_for_training() -> None:
    here = machine(64 * GIB, gpu(24 * GIB, name="RX 7900 XTX"))
    spec = replace(RTX_4090, name="RX 7900 XTX", backend="rocm")
    asked = constraints(languages__required=())
    found = compare(here, asked, ADVISOR.catalogue, figures(here, spec), ADVISOR.gpu_specs, (MISTRAL_7B, LLAMA_8B))
    assert "not judged" in texts(found, "fits_here")[0]
