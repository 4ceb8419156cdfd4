"""The schema of knowledge/speed.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from advisor.catalog.validation import MOST, DatedSource, StrictModel
from advisor.domain.ggml import GGML_TYPES

_Positive = Annotated[float, Field(gt=0)]
_Term = Annotated[float, Field(ge=0)]
_Share = Annotated[float, Field(gt=0, le=1)]


class _ByClass(StrictModel):
    """Every class of types, so that none is without a cost."""

    float: _Term
    legacy: _Term
    k: _Term
    low: _Term


class _Gpu(StrictModel):
    read: _Positive
    kv_read: _Positive
    stall_s_per_byte: _Term
    stall_hbm_s_per_byte: _Term
    decode_ops: _ByClass
    layer_s: _Term
    hop_s: _Term
    prefill: _ByClass
    prefill_experts: _Positive
    prefill_read: _Term
    attention: _Term
    prefill_layer_s: _Term
    decode_spread: _Positive


class _Cpu(StrictModel):
    read_share: _Share
    unknown_bandwidth_bytes_per_s: _Positive
    core_read_bytes_per_s: dict[str, _Positive]
    core_flops: dict[str, _Positive]
    core_cache_bytes_per_s: _Positive
    sync_s: _Term
    attention_flops: _Positive
    decode_spread: _Positive

    @model_validator(mode="after")
    def _types_are_known(self) -> _Cpu:
        for rates in (self.core_read_bytes_per_s, self.core_flops):
            unknown = set(rates) - set(GGML_TYPES)
            if unknown or not {"F16", "Q4_K"} <= set(rates):
                raise ValueError(f"rates need F16 and Q4_K and no unknown types ({', '.join(sorted(unknown))})")
        return self


class _Cpus(StrictModel):
    arm: _Cpu
    x86: _Cpu


class _General(StrictModel):
    unknown_flops_per_byte: _Positive
    pipelining: _Share
    link_bytes_per_s: _Positive
    sent_from_tokens: Annotated[int, Field(gt=0, le=MOST)]


class SpeedFile(StrictModel):
    schema_version: Literal[1]
    sources: dict[str, DatedSource]
    general: _General
    cpu: _Cpus
    gpu: dict[Literal["cuda", "rocm", "metal", "vulkan", "sycl"], _Gpu]

    @model_validator(mode="after")
    def _has_a_fallback(self) -> SpeedFile:
        if "vulkan" not in self.gpu:
            raise ValueError("gpu.vulkan is missing, which stands in for other back ends")
        return self
