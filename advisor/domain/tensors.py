"""Which tensors a model of a given shape has, architecture by architecture.

The names and shapes are those that llama.cpp asks for when it loads the architecture (`load_arch_tensors` in its
`src/models/*.cpp`, as vendored by llama-cpp-python 0.3.36); the engine refuses a table that differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from typing import TypeVar

from advisor.domain.model import Experts, LatentAttention, Shape, StateSpace
from advisor.values import value

T = TypeVar("T")


class Role(StrEnum):
    """What a tensor does, as far as llama.cpp's quantizer tells tensors apart."""

    TOKEN_EMBD = "token_embd"
    OUTPUT = "output"
    ATTN_Q = "attn_q"
    ATTN_K = "attn_k"
    ATTN_V = "attn_v"
    ATTN_OUTPUT = "attn_output"
    FFN_UP = "ffn_up"
    FFN_GATE = "ffn_gate"
    FFN_DOWN = "ffn_down"
    OTHER = "other"
    UNQUANTIZED = "unquantized"
    """Norms, biases, routers and convolutions, which stay F32."""


@value
class TensorGroup:
    """The same tensor in several layers."""

    suffix: str
    """Name behind `blk.N.`; the whole name where `layers` is empty."""
    shape: tuple[int, ...]
    """In ggml's order: the length of a row first."""
    role: Role
    layers: tuple[int, ...]
    """Layers that have it; empty for a tensor outside the layers."""
    is_expert: bool = False
    """Routed experts, of which a token touches only some."""

    @property
    def n_elements(self) -> int:
        return math.prod(self.shape)

    def names(self) -> Iterator[str]:
        """Full tensor names in order of layers."""
        if not self.layers:
            yield self.suffix
        for layer in self.layers:
            yield f"blk.{layer}.{self.suffix}"


@cache
def tensor_groups(shape: Shape) -> tuple[TensorGroup, ...]:
    """All tensors of the language model. Raises ValueError for an architecture without rules."""
    build = _BUILDERS.get(shape.architecture)
    if build is None:
        raise ValueError(f"no tensor rules for architecture {shape.architecture!r}")
    return tuple([*_outer(shape), *[group for group in build(shape) if group.layers]])


def supported_architectures() -> frozenset[str]:
    """Architectures that `tensor_groups` knows."""
    return frozenset(_BUILDERS)


def parameter_count(shape: Shape) -> int:
    """Parameters of the language model: every element of every tensor but the fixed `rope_freqs`."""
    groups = tensor_groups(shape)
    return sum(g.n_elements * max(1, len(g.layers)) for g in groups if g.suffix != "rope_freqs.weight")


def _outer(shape: Shape) -> Iterator[TensorGroup]:
    matrix = (shape.hidden_size, shape.vocab_size)
    yield TensorGroup("token_embd.weight", matrix, Role.TOKEN_EMBD, ())
    yield TensorGroup("output_norm.weight", (shape.hidden_size,), Role.UNQUANTIZED, ())
    if not shape.tied_embeddings:
        yield TensorGroup("output.weight", matrix, Role.OUTPUT, ())
    if shape.rope_factors:
        yield TensorGroup("rope_freqs.weight", (shape.head_dim // 2,), Role.UNQUANTIZED, ())


def _all_layers(shape: Shape) -> tuple[int, ...]:
    return tuple(range(shape.n_layers))


def _norm(suffix: str, width: int, layers: tuple[int, ...]) -> TensorGroup:
    return TensorGroup(suffix, (width,), Role.UNQUANTIZED, layers)


def _grouped_attention(shape: Shape) -> Iterator[TensorGroup]:
    layers, hidden = _all_layers(shape), shape.hidden_size
    q_width, kv_width = shape.n_heads * shape.head_dim, shape.n_kv_heads * shape.head_dim
    yield _norm("attn_norm.weight", hidden, layers)
    yield TensorGroup("attn_q.weight", (hidden, q_width), Role.ATTN_Q, layers)
    yield TensorGroup("attn_k.weight", (hidden, kv_width), Role.ATTN_K, layers)
    yield TensorGroup("attn_v.weight", (hidden, kv_width), Role.ATTN_V, layers)
    yield TensorGroup("attn_output.weight", (q_width, hidden), Role.ATTN_OUTPUT, layers)
    yield _norm("ffn_norm.weight", hidden, layers)


def _dense_ffn(hidden: int, width: int, layers: tuple[int, ...], tag: str = "") -> Iterator[TensorGroup]:
    yield TensorGroup(f"ffn_gate{tag}.weight", (hidden, width), Role.FFN_GATE, layers)
    yield TensorGroup(f"ffn_down{tag}.weight", (width, hidden), Role.FFN_DOWN, layers)
    yield TensorGroup(f"ffn_up{tag}.weight", (hidden, width), Role.FFN_UP, layers)


def _routed_ffn(hidden: int, experts: Experts, layers: tuple[int, ...]) -> Iterator[TensorGroup]:
    n, width = experts.n_total, experts.ffn_size
    yield TensorGroup("ffn_gate_inp.weight", (hidden, n), Role.UNQUANTIZED, layers)
    yield TensorGroup("ffn_gate_exps.weight", (hidden, width, n), Role.FFN_GATE, layers, is_expert=True)
    yield TensorGroup("ffn_down_exps.weight", (width, hidden, n), Role.FFN_DOWN, layers, is_expert=True)
    yield TensorGroup("ffn_up_exps.weight", (hidden, width, n), Role.FFN_UP, layers, is_expert=True)


def _llama(shape: Shape) -> Iterator[TensorGroup]:
    yield from _grouped_attention(shape)
    if shape.experts is None:
        yield from _dense_ffn(shape.hidden_size, shape.ffn_size, _all_layers(shape))
    else:
        yield from _routed_ffn(shape.hidden_size, shape.experts, _all_layers(shape))


def _llama4(shape: Shape) -> Iterator[TensorGroup]:
    experts = _required(shape.experts, "experts")
    routed = tuple(i for i in _all_layers(shape) if (i + 1) % experts.layer_step == 0)
    dense = tuple(i for i in _all_layers(shape) if (i + 1) % experts.layer_step != 0)
    yield from _grouped_attention(shape)
    yield from _routed_ffn(shape.hidden_size, experts, routed)
    yield from _dense_ffn(shape.hidden_size, experts.ffn_size, routed, "_shexp")
    if dense:
        yield from _dense_ffn(shape.hidden_size, shape.ffn_size, dense)


def _deepseek2(shape: Shape) -> Iterator[TensorGroup]:
    experts = _required(shape.experts, "experts")
    layers = _all_layers(shape)
    dense, routed = layers[: experts.n_leading_dense], layers[experts.n_leading_dense :]
    yield from _latent_attention(shape, _required(shape.latent, "latent"))
    if dense:
        yield from _dense_ffn(shape.hidden_size, shape.ffn_size, dense)
    yield from _routed_ffn(shape.hidden_size, experts, routed)
    if experts.n_shared:
        yield from _dense_ffn(shape.hidden_size, experts.ffn_size * experts.n_shared, routed, "_shexp")


def _latent_attention(shape: Shape, latent: LatentAttention) -> Iterator[TensorGroup]:
    layers, hidden, heads = _all_layers(shape), shape.hidden_size, shape.n_heads
    key_dim = latent.nope_head_dim + latent.rope_head_dim
    yield _norm("attn_norm.weight", hidden, layers)
    if latent.q_rank:
        yield _norm("attn_q_a_norm.weight", latent.q_rank, layers)
        yield TensorGroup("attn_q_a.weight", (hidden, latent.q_rank), Role.OTHER, layers)
        yield TensorGroup("attn_q_b.weight", (latent.q_rank, heads * key_dim), Role.OTHER, layers)
    else:
        yield TensorGroup("attn_q.weight", (hidden, heads * key_dim), Role.ATTN_Q, layers)
    yield _norm("attn_kv_a_norm.weight", latent.kv_rank, layers)
    down = (hidden, latent.kv_rank + latent.rope_head_dim)
    yield TensorGroup("attn_kv_a_mqa.weight", down, Role.OTHER, layers)
    yield TensorGroup("attn_k_b.weight", (latent.nope_head_dim, latent.kv_rank, heads), Role.OTHER, layers)
    yield TensorGroup("attn_v_b.weight", (latent.kv_rank, latent.value_head_dim, heads), Role.OTHER, layers)
    merged = (heads * latent.value_head_dim, hidden)
    yield TensorGroup("attn_output.weight", merged, Role.ATTN_OUTPUT, layers)
    yield _norm("ffn_norm.weight", hidden, layers)


def _mamba2(shape: Shape) -> Iterator[TensorGroup]:
    space: StateSpace = _required(shape.state_space, "state_space")
    layers, hidden, inner = _all_layers(shape), shape.hidden_size, space.inner_size
    conv_width = inner + 2 * space.n_groups * space.state_size
    kept = Role.UNQUANTIZED
    yield _norm("attn_norm.weight", hidden, layers)
    yield TensorGroup("ssm_in.weight", (hidden, inner + conv_width + space.n_heads), Role.OTHER, layers)
    yield TensorGroup("ssm_conv1d.weight", (space.conv_kernel, conv_width), kept, layers)
    yield TensorGroup("ssm_conv1d.bias", (conv_width,), kept, layers)
    yield TensorGroup("ssm_dt.bias", (space.n_heads,), kept, layers)
    yield TensorGroup("ssm_a", (1, space.n_heads), kept, layers)
    yield TensorGroup("ssm_d", (1, space.n_heads), kept, layers)
    yield TensorGroup("ssm_norm.weight", (inner // space.n_groups, space.n_groups), kept, layers)
    yield TensorGroup("ssm_out.weight", (inner, hidden), Role.OTHER, layers)


def _required(value: T | None, field: str) -> T:
    if value is None:
        raise ValueError(f"this architecture needs a shape with {field!r}")
    return value


_BUILDERS: dict[str, Callable[[Shape], Iterator[TensorGroup]]] = {
    "llama": _llama,
    "mistral3": _llama,
    "llama4": _llama4,
    "deepseek2": _deepseek2,
    "mistral4": _deepseek2,
    "mamba2": _mamba2,
}
