"""A released model as the advisor knows it: shape, terms, languages and evidence.

`None` means that nobody sourced the value; it never means zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from advisor.values import value

Family = Literal["mistral", "llama"]
Modality = Literal["text", "image", "audio"]
Status = Literal["current", "superseded", "retired", "unknown"]


@value
class Provenance:
    """Where a value comes from and when somebody last looked."""

    source: str
    checked: str
    """ISO date."""
    note: str | None = None


@value
class Experts:
    """A mixture-of-experts feed-forward block."""

    n_total: int
    n_used: int
    """Routed experts that one token visits."""
    n_shared: int
    """Experts that every token visits beside the routed ones."""
    ffn_size: int
    """Inner width of one expert."""
    layer_step: int = 1
    """Every how many layers the block stands; the others are dense (Llama 4 Maverick: 2)."""
    n_leading_dense: int = 0
    """Dense layers before the first block (DeepSeek-style models)."""


@value
class Window:
    """Attention that looks back a limited number of tokens in some layers."""

    tokens: int
    kind: Literal["sliding", "chunked"]
    full_every: int
    """Every how many layers one attends to everything; 0 where none does."""


@value
class LatentAttention:
    """Multi-head latent attention: the cache holds one compressed vector per token."""

    kv_rank: int
    q_rank: int
    nope_head_dim: int
    rope_head_dim: int
    value_head_dim: int


@value
class StateSpace:
    """A Mamba-2 mixer: recurrent state of constant size in place of a KV cache."""

    conv_kernel: int
    inner_size: int
    state_size: int
    n_heads: int
    n_groups: int


@value
class Shape:
    """The dimensions from which every tensor of the language model follows."""

    architecture: str
    """llama.cpp's name of the architecture, as in `general.architecture`."""
    n_layers: int
    hidden_size: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    ffn_size: int
    vocab_size: int
    tied_embeddings: bool
    """One matrix serves as token embedding and as output projection."""
    rope_factors: bool = False
    """The file carries a `rope_freqs` tensor (Llama 3.1 and later)."""
    experts: Experts | None = None
    window: Window | None = None
    latent: LatentAttention | None = None
    state_space: StateSpace | None = None


@value
class Benchmark:
    """One published result, on the benchmark's own scale."""

    name: str
    score: float
    setting: str | None
    source: str
    via: str | None = None
    """Who passed the vendor's figure on, where it was not read at its origin."""


@value
class GgufFile:
    """A published quantization of a model."""

    repo: str
    file: str
    quantization: str
    n_parts: int
    n_bytes: int | None
    tensor_bytes: int | None
    sha256: tuple[str, ...]
    source: str
    checked: str | None = None
    """ISO date on which somebody last looked."""


@value
class Languages:
    """Languages that the model card says are supported, as BCP 47 tags; None when no card was found to say."""

    supported: tuple[str, ...] | None
    reason: str | None
    """Why nothing is known, or what limits the list."""
    by_modality: Mapping[Modality, tuple[str, ...]] = field(default_factory=dict)
    """Where the card supports other languages once something besides text goes in."""

    def supported_for(self, modality: str) -> tuple[str, ...] | None:
        """The list that holds for what goes into the model."""
        return next((tags for key, tags in self.by_modality.items() if key == modality), self.supported)


@value
class LanguageName:
    """What to call a language on screen."""

    tag: str
    """BCP 47."""
    english: str
    own: str | None
    """Its name in the language itself; None where CLDR has none."""
    codes: tuple[str, ...] = ()
    """Other codes of it, such as `deu` and `ger` for `de`."""


@value
class Fact:
    """A sentence that somebody can look up."""

    text: str
    source: str


@value
class Ecosystem:
    """How much of the world has built on a model."""

    gguf_repos: tuple[str, ...]
    """Repositories that publish quantized files of it."""
    facts: tuple[Fact, ...] = ()
    """Downloads, fine-tunes by name, and tools with recipes for it."""


@value
class Model:
    """A released checkpoint."""

    id: str
    name: str
    family: Family
    line: str
    """The series inside the family, for example `mistral-small-3`."""
    vendor: str
    hf_id: str
    release_date: str | None
    """ISO date, or year and month where the day is not known."""
    total_params: int | None
    text_params: int | None
    """Parameters of the language model alone, without a vision or audio encoder."""
    active_params: int | None
    """Parameters that one token passes through."""
    vision_params: int | None
    shape: Shape | None
    """None where llama.cpp has no architecture for the model or a dimension is unknown."""
    shape_reason: str | None
    """Why there is no shape."""
    max_context_tokens: int | None
    rope_theta: float | None
    licence: str
    """Identifier of a licence in the catalogue; `unknown` where nobody established it."""
    languages: Languages
    modalities: tuple[Modality, ...]
    gated: bool | None
    status: Status
    superseded_by: str | None
    benchmarks: tuple[Benchmark, ...]
    ecosystem: Ecosystem
    notes: tuple[str, ...]
    provenance: Mapping[str, Provenance]
    """Field name to source, for every field that somebody sourced; parts of the shape as `shape.n_layers`."""
    unknowns: Mapping[str, str] = field(default_factory=dict)
    """Field name to the reason why nobody sourced it."""
    related_only: str | None = None
    """Why the model is listed but never recommended unless it is named; None for the others."""
    overlay: str | None = None
    """The user's own file that the entry comes from; None for what ships."""
    base: str | None = None
    """Id of the model that an entry of the user inherits from."""
