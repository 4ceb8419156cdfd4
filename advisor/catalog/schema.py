"""What the files under knowledge/ may say, as pydantic models: one per table.

A figure is `{ value = 32, source = "key" }`, where the key is one of the file's `[sources]`, or
`{ unknown = "reason" }` where nobody sourced it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from advisor.catalog.hardware_schema import CpuFile, GpuFile
from advisor.catalog.presets_schema import PresetsFile
from advisor.catalog.quality_schema import QualityFile
from advisor.catalog.questions_schema import QuestionsFile
from advisor.catalog.serving_schema import NodesFile, ServingFile
from advisor.catalog.smoke_schema import SmokeFile
from advisor.catalog.speed_schema import SpeedFile
from advisor.catalog.validation import MOST, StrictModel
from advisor.domain.header import LARGEST_DIMENSION, MAX_EXPERTS, MAX_LAYERS
from advisor.domain.model import (
    Experts,
    Family,
    LatentAttention,
    Modality,
    Shape,
    StateSpace,
    Status,
    Window,
)
from advisor.domain.tensors import tensor_groups

T = TypeVar("T")


def _day(text: str) -> str:
    """The text, where it is a day or a month of the calendar."""
    try:
        date.fromisoformat(text if len(text) > len("2026-01") else f"{text}-01")
    except ValueError as error:
        raise ValueError(f"{text} is no day of the calendar") from error
    return text


Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Tag = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Positive = Annotated[int, Field(gt=0, le=MOST)]
Count = Annotated[int, Field(ge=0, le=MOST)]
Width = Annotated[int, Field(gt=0, lt=LARGEST_DIMENSION)]
Layers = Annotated[int, Field(gt=0, le=MAX_LAYERS)]
LayerCount = Annotated[int, Field(ge=0, le=MAX_LAYERS)]
ExpertCount = Annotated[int, Field(gt=0, le=MAX_EXPERTS)]
Date = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)]
DateOrMonth = Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$"), AfterValidator(_day)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Source(StrictModel):
    """Where a figure was read, and when somebody last looked (ISO date)."""

    text: Text
    checked: Date


class Known(StrictModel, Generic[T]):
    """A value that has a source."""

    value: T
    source: Text
    note: Text | None = None


class Sourced(StrictModel, Generic[T]):
    """A value with its source, or the reason why there is none."""

    value: T | None = None
    source: Text | None = None
    note: Text | None = None
    unknown: Text | None = None

    @model_validator(mode="after")
    def _value_or_reason(self) -> Sourced[T]:
        if (self.value is None) == (self.unknown is None):
            raise ValueError("needs either a value or the reason why it is unknown")
        if self.value is not None and self.source is None:
            raise ValueError("the value has no source")
        return self


Dimension = Known[Width]
Number = Known[Count]
Depth = Known[Layers]
LayerNumber = Known[LayerCount]


class ExpertsTable(StrictModel):
    """`advisor.domain.model.Experts`."""

    n_total: Known[ExpertCount]
    n_used: Known[ExpertCount]
    n_shared: Known[Annotated[int, Field(ge=0, le=MAX_EXPERTS)]]
    ffn_size: Dimension
    layer_step: Depth | None = None
    n_leading_dense: LayerNumber | None = None

    @model_validator(mode="after")
    def _no_more_used_than_there_are(self) -> ExpertsTable:
        if self.n_used.value > self.n_total.value:
            raise ValueError(f"n_used {self.n_used.value} is more than n_total {self.n_total.value}")
        return self


class WindowTable(StrictModel):
    """`advisor.domain.model.Window`."""

    tokens: Dimension
    kind: Known[Literal["sliding", "chunked"]]
    full_every: LayerNumber


class LatentTable(StrictModel):
    """`advisor.domain.model.LatentAttention`."""

    kv_rank: Dimension
    q_rank: Number
    nope_head_dim: Dimension
    rope_head_dim: Dimension
    value_head_dim: Dimension


class StateSpaceTable(StrictModel):
    """`advisor.domain.model.StateSpace`."""

    conv_kernel: Dimension
    inner_size: Dimension
    state_size: Dimension
    n_heads: Dimension
    n_groups: Dimension


class ShapeTable(StrictModel):
    """`advisor.domain.model.Shape`; a state-space model has no attention heads and no feed-forward block."""

    architecture: Known[Text]
    n_layers: Depth
    hidden_size: Dimension
    n_heads: Dimension | None = None
    n_kv_heads: Dimension | None = None
    head_dim: Dimension | None = None
    ffn_size: Dimension | None = None
    vocab_size: Dimension
    tied_embeddings: Known[bool]
    rope_factors: Known[bool] | None = None
    experts: ExpertsTable | None = None
    window: WindowTable | None = None
    latent: LatentTable | None = None
    state_space: StateSpaceTable | None = None

    @model_validator(mode="after")
    def _attention_or_state_space(self) -> ShapeTable:
        attention = {key: getattr(self, key) for key in ("n_heads", "n_kv_heads", "head_dim", "ffn_size")}
        if self.state_space is not None:
            return self
        for key, dimension in attention.items():
            if dimension is None:
                raise ValueError(f"{key} is missing")
        heads, kv_heads = attention["n_heads"].value, attention["n_kv_heads"].value
        if heads % kv_heads:
            raise ValueError(f"n_heads {heads} is no multiple of n_kv_heads {kv_heads}")
        if attention["head_dim"].value % 2:
            # Rotary embeddings turn pairs of elements.
            raise ValueError(f"head_dim {attention['head_dim'].value} is odd")
        return self

    @model_validator(mode="after")
    def _layers_are_enough(self) -> ShapeTable:
        n_layers, experts = self.n_layers.value, self.experts
        every = ("window.full_every", self.window.full_every if self.window else None)
        for key, step in (every, ("experts.layer_step", experts.layer_step if experts else None)):
            if step is not None and step.value > n_layers:
                raise ValueError(f"{key} {step.value} is more than n_layers {n_layers}")
        leading = experts.n_leading_dense if experts else None
        if leading is not None and leading.value >= n_layers:
            raise ValueError(f"experts.n_leading_dense {leading.value} leaves no layer of {n_layers}")
        return self

    @model_validator(mode="after")
    def _has_tensor_rules(self) -> ShapeTable:
        # Everything that is computed from a shape begins with its tensors.
        tensor_groups(_shape(self))
        return self


def _shape(table: ShapeTable) -> Shape:
    parts = {
        "experts": table.experts and Experts(**_values(table.experts)),
        "window": table.window and Window(**_values(table.window)),
        "latent": table.latent and LatentAttention(**_values(table.latent)),
        "state_space": table.state_space and StateSpace(**_values(table.state_space)),
    }
    attention = dict.fromkeys(("n_heads", "n_kv_heads", "head_dim", "ffn_size"), 0)
    return Shape(**{**attention, **_values(table), **parts})


def _values(table: StrictModel) -> dict[str, Any]:
    """The figures of a table without their sources."""
    cells = {name: getattr(table, name) for name in type(table).model_fields}
    return {name: cell.value for name, cell in cells.items() if isinstance(cell, Known)}


class BenchmarkTable(StrictModel):
    """`advisor.domain.model.Benchmark`."""

    name: Text
    score: Annotated[float, Field(ge=0)]
    setting: Text | None = None
    source: Text
    via: Text | None = None


class FactTable(StrictModel):
    """`advisor.domain.model.Fact`."""

    fact: Text
    source: Text


class ModelTable(StrictModel):
    """`advisor.domain.model.Model`."""

    id: Id
    name: Text
    family: Family
    line: Id
    vendor: Text
    hf_id: Known[Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]]
    release_date: Sourced[DateOrMonth]
    total_params: Sourced[Positive]
    text_params: Sourced[Positive]
    active_params: Sourced[Positive]
    vision_params: Sourced[Positive] | None = None
    max_context_tokens: Sourced[Positive]
    rope_theta: Sourced[Annotated[float, Field(gt=0)]]
    licence: Known[Text]
    languages: Sourced[list[Tag]]
    languages_by_modality: dict[Modality, Known[list[Tag]]] = Field(default_factory=dict)
    modalities: Known[list[Modality]]
    gated: Sourced[bool]
    status: Known[Status]
    superseded_by: Id | None = None
    related_only: Text | None = None
    shape_reason: Text | None = None
    notes: list[Text] = Field(default_factory=list)
    gguf_repos: Known[list[Text]] | None = None
    ecosystem: list[FactTable] = Field(default_factory=list)
    missing: dict[Literal["benchmarks", "gguf_repos", "ecosystem"], Text] = Field(default_factory=dict)
    shape: ShapeTable | None = None
    benchmark: list[BenchmarkTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_consistent(self) -> ModelTable:
        if (self.shape is None) == (self.shape_reason is None):
            raise ValueError("needs either a shape or a shape_reason")
        if self.status.value == "superseded" and self.superseded_by is None:
            raise ValueError("a superseded model needs superseded_by")
        given = {"benchmarks": self.benchmark, "gguf_repos": self.gguf_repos, "ecosystem": self.ecosystem}
        for name in self.missing:
            if given[name]:
                raise ValueError(f"missing.{name} gives a reason, but there is a value")
        return self

    @model_validator(mode="after")
    def _parts_are_no_more_than_the_whole(self) -> ModelTable:
        total = self.total_params.value
        for key in ("text_params", "active_params", "vision_params"):
            part = getattr(self, key)
            # A rounded total may fall a little short of an exact part.
            if total is not None and part is not None and part.value is not None and part.value > total * 1.001:
                raise ValueError(f"{key} {part.value} is more than total_params {total}")
        return self


class ModelFile(StrictModel):
    """knowledge/models/<family>/<line>.toml."""

    schema_version: Literal[1]
    sources: dict[str, Source]
    model: list[ModelTable]


class GgufTable(StrictModel):
    """`advisor.domain.model.GgufFile`, with the model that it is a quantization of."""

    model: Id
    repo: Text
    file: Text
    quantization: Text
    n_parts: Positive
    n_bytes: Positive | None = None
    tensor_bytes: Positive | None = None
    sha256: list[Sha256] = Field(default_factory=list)
    source: Text


class GgufLineFile(StrictModel):
    """knowledge/gguf/<line>.toml."""

    schema_version: Literal[1]
    sources: dict[str, Source]
    file: list[GgufTable]


class QuantizationTable(StrictModel):
    """`advisor.domain.quantization.Quantization`."""

    name: Annotated[str, Field(pattern=r"^[A-Z0-9_]+$")]
    file_type: Number
    offered: bool
    perplexity_increase: Sourced[float]
    kl_divergence: Sourced[Annotated[float, Field(ge=0)]]
    reference: Text | None = None


class QuantizationFile(StrictModel):
    """knowledge/quantizations.toml."""

    schema_version: Literal[1]
    sources: dict[str, Source]
    quantization: list[QuantizationTable]


class LanguageTable(StrictModel):
    """`advisor.domain.model.LanguageName`."""

    tag: Tag
    english: Text
    own: Text | None = None
    codes: list[Tag] = Field(default_factory=list)


class LanguageFile(StrictModel):
    """knowledge/languages.toml."""

    schema_version: Literal[1]
    sources: dict[str, Source]
    source: Text
    regions: dict[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], Text] = Field(default_factory=dict)
    scripts: dict[Annotated[str, Field(pattern=r"^[A-Z][a-z]{3}$")], Text] = Field(default_factory=dict)
    own_regions: dict[Tag, Text] = Field(default_factory=dict)
    language: list[LanguageTable]


SCHEMAS: dict[str, type[StrictModel]] = {
    "models": ModelFile,
    "gguf": GgufLineFile,
    "quantizations": QuantizationFile,
    "languages": LanguageFile,
    "questions": QuestionsFile,
    "presets": PresetsFile,
    "smoke": SmokeFile,
    "gpus": GpuFile,
    "cpus": CpuFile,
    "speed": SpeedFile,
    "quality": QualityFile,
    "serving": ServingFile,
    "nodes": NodesFile,
}
"""The schema of each kind of knowledge file."""
