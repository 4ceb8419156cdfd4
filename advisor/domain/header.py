"""A model read off a GGUF header: shape and weights of a file that the catalogue need not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from advisor.domain.blueprint import Tensor
from advisor.domain.ggml import GgmlType
from advisor.domain.model import Experts, LatentAttention, Shape, StateSpace, Window
from advisor.domain.tensors import Role, TensorGroup, supported_architectures
from advisor.domain.weights import TypedGroup, Weights
from advisor.errors import InputError
from advisor.units import counted

FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS",
    20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M",
    28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
    39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}  # fmt: skip
"""`llama_ftype` of llama.cpp's llama.h, as it stands in `general.file_type`."""

MAX_LAYERS = 512
"""`LLAMA_MAX_LAYERS` of llama.cpp's src/llama-hparams.h; the deepest published models have under 130."""
MAX_EXPERTS = 1024
"""`LLAMA_MAX_EXPERTS` of the same file."""
LLAMA_4_WINDOW = Window(8192, "chunked", full_every=4)
"""What llama.cpp sets for the architecture, unless a header states a window of 0 (src/models/llama4.cpp)."""
LARGEST_DIMENSION = 1 << 31
"""No width or count of a model comes near it; llama.cpp holds them in 32 bits."""


class _Fields:
    """Hyperparameters of one architecture, with an error that names what is missing."""

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self._metadata = metadata
        self.architecture = str(metadata.get("general.architecture", ""))

    def integer(self, key: str, default: int | None = None) -> int:
        value = self._metadata.get(f"{self.architecture}.{key}", default)
        if isinstance(value, tuple | list) and value and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(
                f"the header's {self.architecture}.{key} is {'missing' if value is None else 'no single number'}",
                hint="Only models whose layers are alike can be sized from a header.",
            )
        if not 0 <= value <= LARGEST_DIMENSION:
            raise InputError(f"the header's {self.architecture}.{key} is impossible", why=f"it says {value}")
        return value

    def at_most(self, limit: int, key: str, default: int | None = None) -> int:
        """A number that the rest of the header bounds."""
        value = self.integer(key, default)
        if value > limit:
            raise InputError(f"the header's {self.architecture}.{key} is impossible", why=f"{value} exceeds {limit}")
        return value


def shape_of(metadata: Mapping[str, object], tensors: Iterable[Tensor]) -> Shape:
    """The shape that a header describes. Raises InputError for an architecture without rules or missing keys."""
    fields = _Fields(metadata)
    known = supported_architectures()
    if fields.architecture not in known:
        raise InputError(
            f"architecture {fields.architecture or 'unnamed'!r} is not supported",
            hint=f"Supported are {', '.join(sorted(known))}.",
        )
    by_name = {tensor.name: tensor for tensor in tensors}
    embedding = by_name.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise InputError("the file has no token embedding", hint="It is no language model; a projector perhaps?")
    hidden = fields.integer("embedding_length", embedding.shape[0])
    heads, kv_heads, head_dim = _heads(fields, hidden)
    is_mamba = fields.architecture == "mamba2"
    return Shape(
        architecture=fields.architecture,
        n_layers=_n_layers(fields, by_name),
        hidden_size=hidden,
        n_heads=heads,
        n_kv_heads=kv_heads,
        head_dim=head_dim,
        ffn_size=fields.integer("feed_forward_length", 0),
        vocab_size=embedding.shape[1],
        tied_embeddings="output.weight" not in by_name,
        rope_factors="rope_freqs.weight" in by_name,
        experts=_experts(fields),
        window=_window(fields),
        latent=_latent(fields),
        state_space=_state_space(fields) if is_mamba else None,
    )


def _heads(fields: _Fields, hidden: int) -> tuple[int, int, int]:
    """Query heads, key-value heads and the width of a head."""
    heads = fields.integer("attention.head_count", 0)
    if fields.architecture == "mamba2":
        return heads, 0, 0
    latent = _latent(fields)
    if latent is not None:
        # The header tells the one compressed head that is cached; the model has all its heads.
        return heads, heads, latent.nope_head_dim + latent.rope_head_dim
    width = fields.integer("attention.key_length", hidden // max(1, heads))
    return heads, fields.integer("attention.head_count_kv", heads), width


def _n_layers(fields: _Fields, names: Iterable[str]) -> int:
    """The number of layers, which must be that of the layers in the tensor table."""
    announced = fields.at_most(MAX_LAYERS, "block_count")
    found = 1 + max((_place(name)[0] for name in names), default=-1)
    if not announced or announced != found:
        raise InputError(f"the header announces {counted(announced, 'layer')}, its tensors make {found}")
    return announced


def _experts(fields: _Fields) -> Experts | None:
    total = fields.at_most(MAX_EXPERTS, "expert_count", 0)
    if not total:
        return None
    return Experts(
        n_total=total,
        n_used=max(1, fields.at_most(total, "expert_used_count")),
        n_shared=fields.at_most(MAX_EXPERTS, "expert_shared_count", 1 if fields.architecture == "llama4" else 0),
        ffn_size=fields.integer("expert_feed_forward_length", fields.integer("feed_forward_length", 0)),
        layer_step=max(1, fields.at_most(MAX_LAYERS, "interleave_moe_layer_step", 1)),
        n_leading_dense=fields.at_most(MAX_LAYERS, "leading_dense_block_count", 0),
    )


def _window(fields: _Fields) -> Window | None:
    """The window, of the one architecture whose window llama.cpp honours."""
    if fields.architecture != "llama4" or fields.integer("attention.sliding_window", LLAMA_4_WINDOW.tokens) == 0:
        return None
    return LLAMA_4_WINDOW


def _latent(fields: _Fields) -> LatentAttention | None:
    rank = fields.integer("attention.kv_lora_rank", 0)
    if not rank:
        return None
    rope = fields.integer("rope.dimension_count")
    return LatentAttention(
        kv_rank=rank,
        q_rank=fields.integer("attention.q_lora_rank", 0),
        nope_head_dim=fields.integer("attention.key_length_mla") - rope,
        rope_head_dim=rope,
        value_head_dim=fields.integer("attention.value_length_mla"),
    )


def _state_space(fields: _Fields) -> StateSpace:
    return StateSpace(
        conv_kernel=fields.integer("ssm.conv_kernel"),
        inner_size=fields.integer("ssm.inner_size"),
        state_size=fields.integer("ssm.state_size"),
        n_heads=fields.integer("ssm.time_step_rank"),
        n_groups=fields.integer("ssm.group_count"),
    )


def max_context_of(metadata: Mapping[str, object]) -> int | None:
    """The trained context length that a header states."""
    value = metadata.get(f"{metadata.get('general.architecture', '')}.context_length")
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def quantization_of(metadata: Mapping[str, object]) -> str:
    """The file type that a header states, or `unknown`."""
    value = metadata.get("general.file_type")
    return FILE_TYPES.get(value, "unknown") if isinstance(value, int) else "unknown"


def weights_of(tensors: Iterable[Tensor]) -> Weights:
    """Where the bytes of a file's tensors are."""
    grouped: dict[tuple[str, tuple[int, ...]], list[tuple[int, GgmlType]]] = {}
    for tensor in tensors:
        layer, suffix = _place(tensor.name)
        grouped.setdefault((suffix, tensor.shape), []).append((layer, tensor.ggml_type))
    typed = tuple(_typed_group(suffix, shape, members) for (suffix, shape), members in grouped.items())
    return Weights(typed, is_tied=all(t.group.suffix != "output.weight" for t in typed))


def _place(name: str) -> tuple[int, str]:
    """Layer and rest of a tensor name; layer -1 for a tensor outside the layers."""
    if name.startswith("blk."):
        number, _, suffix = name[4:].partition(".")
        if number.isascii() and number.isdigit() and suffix and len(number) < 6:
            return int(number), suffix
    return -1, name


def _typed_group(suffix: str, shape: tuple[int, ...], members: list[tuple[int, GgmlType]]) -> TypedGroup:
    members.sort(key=lambda pair: pair[0])
    layers = tuple(layer for layer, _ in members if layer >= 0)
    group = TensorGroup(suffix, shape, Role.OTHER, layers, is_expert="_exps." in suffix)
    return TypedGroup(group, tuple(ggml_type for _, ggml_type in members))
