"""The schemas of knowledge/serving.toml and knowledge/hardware/nodes.toml."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from advisor.catalog.validation import MOST, DatedSource, StrictModel

_Text = Annotated[str, Field(min_length=1)]
_Positive = Annotated[float, Field(gt=0)]
_Term = Annotated[float, Field(ge=0)]
_Share = Annotated[float, Field(gt=0, le=1)]
_Count = Annotated[int, Field(gt=0, le=MOST)]


class _Batch(StrictModel):
    """`advisor.domain.capacity.engines.BatchConstants`."""

    read: _Positive
    kv_read: _Positive
    kv_reread: _Term
    compute: _Positive
    prefill: _Positive
    layer_s: _Term
    step_s: _Term
    all_reduce_s: _Term
    throughput_spread: _Positive


class _Architecture(StrictModel):
    classes: list[_Text]
    source: _Text
    planned: bool
    reason: _Text | None = None

    @model_validator(mode="after")
    def _says_why(self) -> _Architecture:
        if self.planned == (self.reason is not None):
            raise ValueError("an architecture that is not planned needs a reason, and no other has one")
        return self


class _Vllm(StrictModel):
    architectures: Annotated[dict[_Text, _Architecture], Field(min_length=1)]
    memory_share: _Share
    overhead_bytes: _Count
    shared_bytes: Annotated[int, Field(ge=0, le=MOST)]
    max_sequences: _Count
    batched_tokens: _Count
    by_backend: dict[Literal["cuda", "rocm"], _Batch]


class _LlamaCpp(StrictModel):
    max_slots: _Count


class _Network(StrictModel):
    bytes_per_s: _Positive
    hop_s: _Term


class ServingFile(StrictModel):
    schema_version: Literal[1]
    sources: dict[str, DatedSource]
    vllm: _Vllm
    llama_cpp: _LlamaCpp
    network: _Network

    @model_validator(mode="after")
    def _names_its_sources(self) -> ServingFile:
        unknown = {found.source for found in self.vllm.architectures.values()} - set(self.sources)
        if unknown:
            raise ValueError(f"vllm.architectures: no source {sorted(unknown)[0]!r}")
        return self


class _NodeRow(StrictModel):
    name: _Text
    gpu: _Text
    count: Annotated[int, Field(gt=0, le=64)]
    memory: _Count | None = None
    cores: _Count | None = None
    link_gb_s: _Positive | None = None
    network_gb_s: _Positive | None = None
    fp8: bool = False
    price_usd_hour: _Positive | None = None
    price_source: _Text | None = None
    price_checked: date | None = None
    source: _Text

    @model_validator(mode="after")
    def _is_complete(self) -> _NodeRow:
        price = (self.price_usd_hour, self.price_source, self.price_checked)
        if any(part is not None for part in price) and None in price:
            raise ValueError("a price needs price_usd_hour, price_source and price_checked")
        if self.count > 1 and self.link_gb_s is None:
            raise ValueError("several GPUs need link_gb_s")
        return self


class NodesFile(StrictModel):
    schema_version: Literal[1]
    node: Annotated[list[_NodeRow], Field(min_length=1)]
    sources: dict[str, DatedSource]
