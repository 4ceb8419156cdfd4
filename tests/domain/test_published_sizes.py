"""Tensor bytes against the headers of published files."""

from __future__ import annotations

import pytest

from advisor.catalog.loader import load_catalogue, load_gguf_files
from advisor.domain.weights import weights
from advisor.paths import knowledge_dir

CATALOGUE = load_catalogue(knowledge_dir())
PUBLISHED = [
    (model, file)
    for model in CATALOGUE.models
    for file in load_gguf_files(knowledge_dir(), model.id)
    if file.tensor_bytes is not None and model.shape is not None and "UD-" not in file.file
]
"""Files marked `UD` follow a publisher's own choice of types for each layer, and no rules of llama.cpp."""


def test_there_is_something_to_compare_with() -> None:
    assert len(PUBLISHED) >= 20


@pytest.mark.parametrize(("model", "file"), PUBLISHED, ids=[file.file for _, file in PUBLISHED])
def test_a_published_file_has_the_bytes_that_its_shape_gives(model, file) -> None:  # type: ignore[no-untyped-def]
    made = {weights(model.shape, file.quantization, imatrix=imatrix).total_bytes for imatrix in (True, False)}
    assert file.tensor_bytes in made
