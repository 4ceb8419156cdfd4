"""What breaks first when a load grows, in words."""

from __future__ import annotations

from typing import Literal

Breaks = Literal["kv_memory", "decode_bandwidth", "prefill_compute", "queue"]

BREAKS_WORDS: dict[Breaks, str] = {
    "kv_memory": "memory for the KV cache",
    "decode_bandwidth": "decoding (reading weights and cache)",
    "prefill_compute": "computing prompts",
    "queue": "the queue for a slot",
}
