"""A placement in the words of llama.cpp."""

from __future__ import annotations

from advisor.domain.placement import Placement, tensor_split
from advisor.engine.messages import ContextParams


def context_params(placement: Placement) -> ContextParams:
    """How the engine is told to load and run a candidate where it was placed.

    Shares are told for one GPU too: llama.cpp would give layers to others that the machine has.
    """
    keys, values = placement.kv_type, placement.value_type or placement.kv_type
    return ContextParams(
        n_ctx=placement.context_tokens,
        n_batch=placement.batch,
        n_ubatch=placement.ubatch,
        n_seq_max=placement.parallel,
        n_outputs_max=placement.outputs or 0,
        flash_attention="on" if placement.flash_attention else "off",
        type_k=keys.upper(),
        type_v=values.upper(),
        n_gpu_layers=placement.n_gpu_layers,
        tensor_split=_shares(placement),
        offload_kqv=placement.cache_on_gpu,
        experts_in_ram=placement.experts_in_ram,
        threads=placement.threads,
    )


def _shares(placement: Placement) -> tuple[float, ...]:
    return tuple(map(float, tensor_split(placement.gpu_layers, placement.n_gpu_layers)))
