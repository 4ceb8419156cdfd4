"""Lists of published files: grouped, named, compared and put together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.model import GgufFile
from advisor.domain.upkeep.files import (
    ListedFile,
    file_changes,
    joined_files,
    listed_models,
    quantization_label,
)

FILE = GgufFile("a/b", "m-Q4_0.gguf", "Q4_0", 1, 700, 600, ("0" * 64,), "a list", "2026-11-23")


@st.composite
def lists(draw: st.DrawFn) -> tuple[GgufFile, ...]:
    places = draw(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), unique=True, max_size=6))
    sizes = st.none() | st.integers(1, 3)
    return tuple(replace(FILE, repo=f"{repo}/r", file=file, n_bytes=draw(sizes)) for repo, file in places)


@given(lists())
def test_a_list_does_not_differ_from_itself(files: tuple[GgufFile, ...]) -> None:
    assert file_changes("m", files, files) == ()
    assert file_changes("m", files, tuple(reversed(files))) == ()


@given(lists(), lists())
def test_every_difference_is_told_once_and_backwards_it_is_the_reverse(
    old: tuple[GgufFile, ...], new: tuple[GgufFile, ...]
) -> None:
    forth, back = file_changes("m", old, new), file_changes("m", new, old)
    reverse = {"added": "gone", "gone": "added", "changed": "changed"}
    assert [(c.repo, c.file, reverse[c.kind]) for c in forth] == [(c.repo, c.file, c.kind) for c in back]
    for there, again in zip(forth, back, strict=True):
        assert [(f.name, f.before, f.after) for f in there.fields] == [
            (f.name, f.after, f.before) for f in again.fields
        ]
    places = {(f.repo, f.file): f.n_bytes for f in old}, {(f.repo, f.file): f.n_bytes for f in new}
    differing = {p for p in places[0].keys() | places[1].keys() if places[0].get(p, -1) != places[1].get(p, -1)}
    assert {(c.repo, c.file) for c in forth} == differing


@given(lists(), lists())
def test_a_repository_of_the_users_list_is_taken_from_there_whole(
    shipped: tuple[GgufFile, ...], own: tuple[GgufFile, ...]
) -> None:
    joined = joined_files(shipped, own)
    for repo in {f.repo for f in (*shipped, *own)}:
        mine = [f for f in own if f.repo == repo]
        assert [f for f in joined if f.repo == repo] == (mine or [f for f in shipped if f.repo == repo])


def test_a_hash_that_was_not_known_is_no_empty_list() -> None:
    [change] = file_changes("m", [replace(FILE, sha256=())], [FILE])
    assert [(f.name, f.before, f.after) for f in change.fields] == [("sha256", None, ("0" * 64,))]


def test_parts_are_put_together_in_order_and_incomplete_ones_left_out() -> None:
    names = ["m-00002-of-00002.gguf", "m-00001-of-00002.gguf", "n-00001-of-00003.gguf", "one.gguf", "README.md"]
    found = listed_models([ListedFile(name, 10 + i, str(i) * 64) for i, name in enumerate(names)])
    assert [(m.file, len(m.parts), m.n_bytes) for m in found] == [("m-00001-of-00002.gguf", 2, 21), ("one.gguf", 1, 13)]
    assert found[0].sha256 == ("1" * 64, "0" * 64)


def test_a_part_without_size_or_hash_leaves_the_whole_without() -> None:
    [found] = listed_models(
        [ListedFile("m-00001-of-00002.gguf", 5, None), ListedFile("m-00002-of-00002.gguf", None, "a")]
    )
    assert (found.n_bytes, found.sha256) == (None, ())


@pytest.mark.parametrize(
    ("file", "stated", "label"),
    [
        ("Llama-3.1-8B-Instruct-Q4_K_M.gguf", "Q4_K_M", "Q4_K_M"),
        ("llama-3.1-8b-instruct.q4_k_m.gguf", "unknown", "Q4_K_M"),
        ("UD-Q4_K_XL/Llama-4-Scout-UD-Q4_K_XL-00001-of-00002.gguf", "Q4_K_M", "UD-Q4_K_XL"),
        ("Mistral-Nemo-Q6_K_L.gguf", "Q6_K", "Q6_K_L"),
        ("Mistral-7B-wrongly-named-Q8_0.gguf", "Q4_0", "Q4_0"),
        ("Mistral-7B-Instruct-v0.3.fp16.gguf", "F16", "F16"),
        ("devstral.gguf", "BF16", "BF16"),
        ("devstral.gguf", "unknown", "unknown"),
        ("mmproj-model-F16.gguf", "F16", "mmproj"),
        ("Ministral-3-8B-Instruct-2512-BF16-mmproj.gguf", "unknown", "mmproj"),
        ("mistralai_Magistral-Small-2507-imatrix.gguf", "unknown", "imatrix"),
        ("model-MXFP4_MOE.gguf", "MXFP4_MOE", "MXFP4_MOE"),
    ],
)
def test_a_file_is_called_by_its_header_unless_its_publisher_mixed_it(file: str, stated: str, label: str) -> None:
    assert quantization_label(file, stated) == label
