"""Memory for fine-tuning on one GPU: frozen weights with low-rank adapters (LoRA, QLoRA), and full fine-tuning.

The peak comes when the backward pass starts, and is the sum of what PyTorch holds then:

- frozen weights, in bf16 or in NF4. NF4 stores 4 bits per weight and one FP32 constant per block of 64, which are 0.5
  bits more; double quantization makes that 8 bits per block and one FP32 per 256 blocks, 0.127 bits (Dettmers et al.
  2023, "QLoRA", section 3). Only linear layers inside the blocks are quantized: embedding, output head and norms keep
  their type in bitsandbytes (`llm_int8_skip_modules` defaults to the head).
- adapters of rank r: r × (inputs + outputs) for each projection (Hu et al. 2021, "LoRA", section 4.1), their gradients
  and AdamW's two moments.
- activations. With gradient checkpointing one residual vector per layer (Chen et al. 2016, "Training Deep Nets with
  Sublinear Memory Cost") and, besides, the larger of two humps that never stand at the same time: the logits with
  their loss, and the one layer that is being recomputed. Attention is taken to be a fused kernel (FlashAttention or
  PyTorch's SDPA), which keeps no score matrix.
- QLoRA's bf16 copy of the one weight matrix that is being multiplied.

Full fine-tuning in mixed precision holds 16 bytes per parameter: weights and gradients in 16 bits, master weights and
two moments in FP32 (Rajbhandari et al. 2020, "ZeRO", section 3.1).

On top of what PyTorch allocates, its allocator keeps spare blocks and the driver a context. `benchmarks/fine_tuning.py`
holds the sum against published measurements, and gives the bounds below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from advisor.domain.model import Shape
from advisor.domain.pools import CONTEXT_BYTES
from advisor.domain.tensors import Role, TensorGroup, tensor_groups

Method = Literal["lora", "qlora"]

ATTENTION = ("attn_q", "attn_k", "attn_v", "attn_output")
FEED_FORWARD = ("ffn_gate", "ffn_up", "ffn_down")
ALL_LINEAR = (*ATTENTION, *FEED_FORWARD)
"""The projections of a block by llama.cpp's names; PEFT calls them q_proj … o_proj, gate_proj, up_proj, down_proj."""

BF16 = 2
FP32 = 4
NF4_BLOCK = 64
CONSTANTS_PER_BLOCK = 256
ADAMW_MOMENTS = 2
FULL_BYTES_PER_PARAMETER = 16

LOGIT_COPIES_BYTES = 12
"""Per logit, beside the logit itself: its FP32 copy, the FP32 log-softmax and the FP32 gradient."""
CHUNKED_LOGIT_BYTES = 2
"""Per logit, where the loss is taken chunk by chunk: the bf16 logits; the FP32 copies exist for one chunk only."""
DROPOUT_BYTES = 3
"""Per input of an adapter with dropout: the masked bf16 copy and the mask."""

ALLOCATOR_SHARE = 0.12
"""What PyTorch's allocator holds beyond what is allocated, as a share: the median of the rows of
benchmarks/data/fine_tuning.csv that state both."""
SPREAD = 0.12
"""Half of the interval, as a share: every row with gradient checkpointing of benchmarks/data/fine_tuning.csv lies
within. They are models of 1 to 14 billion parameters on one GPU."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How somebody fine-tunes. The defaults are those of Hugging Face's PEFT with bitsandbytes and a plain loss."""

    method: Method
    rank: int = 16
    projections: tuple[str, ...] = ALL_LINEAR
    sequence_tokens: int = 2048
    micro_batch: int = 1
    double_quantization: bool = True
    checkpointing: bool = True
    chunked_loss: bool = False
    """The loss never sees all logits at once (Unsloth, Liger kernels, torchtune, LitGPT)."""
    wide_rest: bool = False
    """Whatever is not quantized is held in FP32, and so is the residual stream: what PEFT's
    `prepare_model_for_kbit_training` does."""
    adapter_type_bytes: int = FP32
    """Of adapter weights, gradients and moments: PEFT trains adapters in FP32, others in bf16."""
    dropout: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of one step."""
        return self.sequence_tokens * self.micro_batch


def peft(method: Method, sequence_tokens: int) -> Recipe:
    """PEFT as its documentation shows it: adapters on all linear layers, checkpointing, a plain loss."""
    return Recipe(method, sequence_tokens=sequence_tokens, wide_rest=method == "qlora")


def lean(method: Method, sequence_tokens: int) -> Recipe:
    """What trainers written for little memory do: everything in bf16 and the loss in chunks."""
    return Recipe(method, sequence_tokens=sequence_tokens, chunked_loss=True, adapter_type_bytes=BF16)


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """Peak bytes by part, as PyTorch allocates them on one GPU."""

    weights_bytes: int
    adapter_bytes: int
    """Adapter weights, gradients and moments."""
    checkpoint_bytes: int
    """What of every layer is kept for the backward pass."""
    logits_bytes: int
    layer_bytes: int
    """The layer being recomputed, with its gradients."""
    copy_bytes: int
    """bf16 copy of the largest quantized matrix."""

    @property
    def allocated_bytes(self) -> int:
        """Peak of allocated bytes: of the humps of logits and of one layer, the larger."""
        humps = max(self.logits_bytes, self.layer_bytes)
        return self.weights_bytes + self.adapter_bytes + self.checkpoint_bytes + humps + self.copy_bytes

    @property
    def process_bytes(self) -> int:
        """What the process takes of the GPU: with the allocator's spare blocks and the driver's context."""
        return round(self.allocated_bytes * (1 + ALLOCATOR_SHARE)) + CONTEXT_BYTES["cuda"]

    @property
    def bounds_bytes(self) -> tuple[int, int]:
        """Between which the process is expected; no published measurement was found above 14 billion parameters."""
        return round((1 - SPREAD) * self.process_bytes), round((1 + SPREAD) * self.process_bytes)


def unsupported(shape: Shape | None) -> str | None:
    """Why nothing is known of a model's training memory; None where the formulas hold."""
    if shape is None:
        return "its shape is unknown"
    if shape.latent is not None:
        return "no published measurement covers latent attention, and the formulas were not made for it"
    if shape.state_space is not None:
        return "no published measurement covers state-space layers, and the formulas were not made for them"
    return None


def training_memory(shape: Shape, recipe: Recipe) -> TrainingMemory:
    """Peak memory of one step on one GPU. Raises ValueError where `unsupported` gives a reason."""
    reason = unsupported(shape)
    if reason is not None:
        raise ValueError(reason)
    kept = _kept_per_token(shape, recipe)
    stream = FP32 if recipe.wide_rest else BF16
    per_layer = stream * shape.hidden_size if recipe.checkpointing else kept
    return TrainingMemory(
        weights_bytes=_weights_bytes(shape, recipe),
        adapter_bytes=(2 + ADAMW_MOMENTS) * recipe.adapter_type_bytes * adapter_parameters(shape, recipe),
        checkpoint_bytes=recipe.tokens * shape.n_layers * per_layer,
        logits_bytes=recipe.tokens * shape.vocab_size * _logit_bytes(recipe),
        layer_bytes=recipe.tokens * ((kept if recipe.checkpointing else 0) + _gradients_per_token(shape)),
        copy_bytes=_largest_matrix(shape) * BF16 if recipe.method == "qlora" else 0,
    )


def full_fine_tuning_bytes(parameters: int) -> int:
    """Weights, gradients, master weights and moments, before any activation."""
    return FULL_BYTES_PER_PARAMETER * parameters


def adapter_parameters(shape: Shape, recipe: Recipe) -> int:
    """Trainable parameters: r × (inputs + outputs) of each projection, for each expert where there are several."""
    return sum(
        recipe.rank * (group.shape[0] + group.shape[1]) * len(group.layers) * _experts_of(group)
        for group in tensor_groups(shape)
        if _stem(group) in recipe.projections
    )


def nf4_bits(*, double_quantization: bool) -> float:
    """Bits per weight with their constants: 4.5, or 4.127 with double quantization."""
    if double_quantization:
        return 4 + 8 / NF4_BLOCK + 32 / (NF4_BLOCK * CONSTANTS_PER_BLOCK)
    return 4 + 32 / NF4_BLOCK


def _stem(group: TensorGroup) -> str:
    name = group.suffix.removesuffix(".weight")
    return name.removesuffix("_exps").removesuffix("_shexp")


def _experts_of(group: TensorGroup) -> int:
    return group.shape[2] if group.is_expert else 1


def _is_linear(group: TensorGroup) -> bool:
    """Whether bitsandbytes quantizes it: a matrix inside a block; the router is small enough not to matter."""
    return bool(group.layers) and len(group.shape) > 1 and group.role is not Role.UNQUANTIZED


def _weights_bytes(shape: Shape, recipe: Recipe) -> int:
    groups = [g for g in tensor_groups(shape) if g.suffix != "rope_freqs.weight"]
    linear = sum(g.n_elements * len(g.layers) for g in groups if _is_linear(g))
    rest = sum(g.n_elements * max(1, len(g.layers)) for g in groups) - linear
    if recipe.method == "lora":
        return BF16 * (linear + rest)
    bits = nf4_bits(double_quantization=recipe.double_quantization)
    return round(linear * bits / 8) + (FP32 if recipe.wide_rest else BF16) * rest


def _largest_matrix(shape: Shape) -> int:
    return max(g.shape[0] * g.shape[1] for g in tensor_groups(shape) if _is_linear(g))


def _logit_bytes(recipe: Recipe) -> int:
    if recipe.chunked_loss:
        return CHUNKED_LOGIT_BYTES
    return (FP32 if recipe.wide_rest else BF16) + LOGIT_COPIES_BYTES


def _widths(shape: Shape) -> tuple[int, int, int]:
    """Widths of queries, of keys and values together, and of the feed-forward blocks that one token visits."""
    experts = shape.experts
    inner = shape.ffn_size if experts is None else experts.ffn_size * (experts.n_used + experts.n_shared)
    return shape.n_heads * shape.head_dim, 2 * shape.n_kv_heads * shape.head_dim, inner


def _kept_per_token(shape: Shape, recipe: Recipe) -> int:
    """Bytes that one layer keeps for its backward pass: FP32 inputs of both norms; queries, keys, values and the
    attention's result; gate, its activation and up; and the input of every adapter that is not among them."""
    hidden, (queries, keys_values, inner) = shape.hidden_size, _widths(shape)
    kept = 2 * FP32 * hidden + BF16 * (2 * queries + keys_values) + BF16 * 3 * inner
    inputs = _adapter_inputs(recipe, hidden, inner)
    if recipe.dropout:
        taps = {"attn_output": queries, "ffn_down": inner}
        kept += DROPOUT_BYTES * sum(taps.get(name, hidden) for name in recipe.projections)
    return kept + BF16 * inputs


def _adapter_inputs(recipe: Recipe, hidden: int, inner: int) -> int:
    """Inputs kept for adapters alone; those of the output projection are the attention's result, kept anyway."""
    names = set(recipe.projections)
    attention = hidden if names & {"attn_q", "attn_k", "attn_v"} else 0
    gated = hidden if names & {"ffn_gate", "ffn_up"} else 0
    return attention + gated + (inner if "ffn_down" in names else 0)


def _gradients_per_token(shape: Shape) -> int:
    """Gradients that stand together at the widest point of a layer: gate, up and their product, bf16."""
    return BF16 * 3 * _widths(shape)[2]
