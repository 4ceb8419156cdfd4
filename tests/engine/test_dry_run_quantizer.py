"""The rules for tensor types against llama.cpp's own quantizer, tensor by tensor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from advisor.domain.header import FILE_TYPES
from advisor.domain.model import Shape
from advisor.domain.tensor_types import DEFAULT_TYPE
from advisor.domain.weights import blueprint, refusal, weights
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.messages import QuantizeParams
from advisor.engine.operations import quantize_dry_run
from advisor.gguf.writer import write_sparse
from tests.builders import model
from tests.shapes import KINDS

NUMBERS = {name: number for number, name in FILE_TYPES.items() if name in DEFAULT_TYPE}
SHORTER = {"llama-70b": 80, "mistral-large-3": 9}
"""80 layers are what llama.cpp knows a 70B model by; elsewhere 17 show every rule that depends on the layer."""


def shortened(name: str) -> Shape:
    shape = KINDS[name]
    return replace(shape, n_layers=min(shape.n_layers, SHORTER.get(name, 20 if "llama-4" in name else 17)))


def quantized(client: EngineClient, path: Path, file_types: list[str], *, imatrix: bool) -> list[dict[str, str]]:
    """The type of each tensor, for each file type."""
    params = QuantizeParams(str(path), tuple([NUMBERS[file_type] for file_type in file_types]), imatrix)
    found = quantize_dry_run(client, params)
    return [dict(zip(found.tensors, file.ggml_types, strict=True)) for file in found.files]


@pytest.mark.parametrize("name", KINDS)
def test_every_file_type_gets_the_types_that_the_quantizer_chooses(
    shared: EngineClient, tmp_path: Path, name: str
) -> None:
    shape = shortened(name)
    path = tmp_path / "source.gguf"
    write_sparse(blueprint(model(name, shape), "F16"), path)
    assert len(NUMBERS) == len(DEFAULT_TYPE)
    refused = [file_type for file_type in NUMBERS if refusal(shape, file_type) is not None]
    made = [file_type for file_type in NUMBERS if file_type not in refused]
    for imatrix in (False, True):
        for file_type in refused:
            with pytest.raises(EngineRefused):
                quantized(shared, path, [file_type], imatrix=imatrix)
        for file_type, chosen in zip(made, quantized(shared, path, made, imatrix=imatrix), strict=True):
            held = weights(shape, file_type, imatrix=imatrix)
            pairs = (pair for typed in held.groups for pair in zip(typed.group.names(), typed.types, strict=True))
            ours = {tensor: kind.name for tensor, kind in pairs}
            assert ours == chosen, (name, file_type, imatrix)


def test_two_kinds_cannot_be_had_in_a_file_type() -> None:
    """Rows of 64 in `attn_k_b` are no whole number of blocks of 128, and Q1_0 has nothing to fall back on."""
    refused = {(name, t) for name, shape in KINDS.items() for t in NUMBERS if refusal(shape, t) is not None}
    assert refused == {("mistral-small-4", "Q1_0"), ("odd-rows", "Q1_0")}
