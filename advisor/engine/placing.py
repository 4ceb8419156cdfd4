"""A placement in the words of llama.cpp."""

from __future__ import annotations

from advisor.domain.placement import Placement
from advisor.engine.messages import ContextParams


def context_params(placement: Placement) -> ContextParams:
    """How the engine is told to load and run a candidate where it was placed."""
    kv_type = placement.kv_type.upper()
    return ContextParams(
        n_ctx=placement.context_tokens,
        n_batch=placement.batch,
        n_ubatch=placement.ubatch,
        n_seq_max=placement.parallel,
        flash_attention="on" if placement.flash_attention else "off",
        type_k=kv_type,
        type_v=kv_type,
        n_gpu_layers=placement.n_gpu_layers,
        tensor_split=tuple([float(n) for n in placement.gpu_layers]) if len(placement.gpu_layers) > 1 else (),
        experts_in_ram=placement.experts_in_ram,
        threads=placement.threads,
    )
