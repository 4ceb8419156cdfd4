"""A comparison on a text as plain values."""

from __future__ import annotations

from typing import Any

from advisor.domain.trial.statistics import LEVEL
from advisor.domain.trial.text_loss import TextComparison, TextDifference, TextLoss
from advisor.trial.documents import interval_document


def text_document(found: TextComparison) -> dict[str, Any]:
    """Everything, for `--json`."""
    return {
        "kind": "text",
        "text": {"name": found.text_name, "sha256": found.text_sha256},
        "tokens": found.n_tokens,
        "bytes": found.n_bytes,
        "window_tokens": found.window_tokens,
        "interval": LEVEL,
        "basis": "measured",
        "files": [_loss(loss) for loss in found.losses],
        "difference": None if found.difference is None else _difference(found.difference),
        "notes": list(found.notes),
    }


def _loss(loss: TextLoss) -> dict[str, Any]:
    return {
        "name": loss.name,
        "sha256": loss.sha256,
        "n_bytes": loss.n_bytes_file,
        "bits_per_byte": interval_document(loss.bits_per_byte),
        "log_likelihood_per_byte": round(loss.log_likelihood_per_byte, 6),
        "perplexity": interval_document(loss.perplexity),
    }


def _difference(found: TextDifference) -> dict[str, Any]:
    return {
        "name": found.name,
        "reference": found.reference,
        "bits_per_byte": interval_document(found.bits_per_byte),
        "ln_perplexity_ratio": interval_document(found.ln_perplexity_ratio),
        "kl_divergence": interval_document(found.divergence),
        "kl_divergence_p99": round(found.divergence_p99, 6),
        "top_tokens": found.n_top,
        "top_token_agreement": interval_document(found.agreement),
        "significant": found.is_significant,
        "statement": found.statement,
    }
