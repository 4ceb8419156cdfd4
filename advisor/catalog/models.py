"""Validated tables of knowledge/models, knowledge/gguf and knowledge/quantizations.toml as domain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.domain.model import (
    Benchmark,
    Ecosystem,
    Experts,
    Fact,
    GgufFile,
    Languages,
    LatentAttention,
    Model,
    Provenance,
    Shape,
    StateSpace,
    Window,
)
from advisor.domain.quantization import Quantization
from advisor.errors import InputError, nearest

Table = Mapping[str, Any]


def read_models(document: Table, path: Path) -> list[Model]:
    """Every model of a file. Raises InputError for a source key that the file does not define."""
    sources, shared = document["sources"], dict[tuple[str, str | None], Provenance]()
    return [_model(table, _Ledger(f"{path}: model[{table['id']}]", sources, shared)) for table in document["model"]]


def read_gguf_files(document: Table, path: Path, model_id: str) -> tuple[GgufFile, ...]:
    """The published files of one model, in the order of the file. Raises InputError for an undefined source key."""
    rows = (row for row in document["file"] if row["model"] == model_id)
    return tuple(_gguf_file(row, document["sources"], path) for row in rows)


def _gguf_file(row: Table, sources: Table, path: Path) -> GgufFile:
    source = _source(row["source"], sources, f"{path}: file[{row['file']}].source")
    return GgufFile(
        repo=row["repo"],
        file=row["file"],
        quantization=row["quantization"],
        n_parts=row["n_parts"],
        n_bytes=row.get("n_bytes"),
        tensor_bytes=row.get("tensor_bytes"),
        sha256=tuple(row.get("sha256", ())),
        source=source["text"],
        checked=source["checked"],
    )


def read_quantizations(document: Table, path: Path) -> dict[str, Quantization]:
    """Every file type by name. Raises InputError for an undefined source key."""
    found, shared = {}, dict[tuple[str, str | None], Provenance]()
    for row in document["quantization"]:
        ledger = _Ledger(f"{path}: quantization[{row['name']}]", document["sources"], shared)
        increase = ledger.take("perplexity_increase", row)
        found[row["name"]] = Quantization(
            name=row["name"],
            file_type=ledger.take("file_type", row),
            offered=row["offered"],
            perplexity_increase=None if increase is None else float(increase),
            kl_divergence=ledger.take("kl_divergence", row),
            reference=row.get("reference"),
            source=ledger.source_of("perplexity_increase"),
        )
    return found


@dataclass
class _Ledger:
    """Takes values out of their `{ value, source }` wrapping and notes where each came from."""

    place: str
    sources: Table
    shared: dict[tuple[str, str | None], Provenance]
    """One value per source and note of the file: a model has some forty figures, but few sources."""
    provenance: dict[str, Provenance] = field(default_factory=dict)
    unknowns: dict[str, str] = field(default_factory=dict)

    def take(self, key: str, table: Table, prefix: str = "") -> Any:
        """The value under a key; None where the key is missing or its value unknown."""
        cell = table.get(key)
        if cell is None:
            return None
        name = prefix + key
        if "unknown" in cell:
            self.unknowns[name] = cell["unknown"]
            return None
        self.provenance[name] = self._provenance(name, cell["source"], cell.get("note"))
        return cell["value"]

    def _provenance(self, name: str, key: str, note: str | None) -> Provenance:
        found = self.shared.get((key, note))
        if found is None:
            source = _source(key, self.sources, f"{self.place}.{name}")
            found = self.shared[key, note] = Provenance(source["text"], source["checked"], note)
        return found

    def take_all(self, table: Table, keys: tuple[str, ...], prefix: str = "") -> dict[str, Any]:
        """The values under those of the keys that the table has."""
        return {key: self.take(key, table, prefix) for key in keys if key in table}

    def source_of(self, key: str) -> str | None:
        """The text of the source noted for a key."""
        found = self.provenance.get(key)
        return None if found is None else found.source


def _source(key: str, sources: Table, place: str) -> Table:
    found: Table | None = sources.get(key)
    if found is None:
        raise InputError(f"{place}: {key!r} is not among the sources", hint=nearest(key, sources))
    return found


_PLAIN = ("id", "name", "family", "line", "vendor", "shape_reason", "superseded_by", "related_only")
_SOURCED = (
    *("hf_id", "release_date", "licence", "gated", "status", "max_context_tokens"),
    *("total_params", "text_params", "active_params", "vision_params"),
)


def _model(table: Table, ledger: _Ledger) -> Model:
    rope_theta = ledger.take("rope_theta", table)
    ledger.unknowns.update(table.get("missing", {}))
    shape = table.get("shape")
    plain: dict[str, Any] = {key: table.get(key) for key in _PLAIN}
    sourced: dict[str, Any] = {key: ledger.take(key, table) for key in _SOURCED}
    return Model(
        **plain,
        **sourced,
        rope_theta=None if rope_theta is None else float(rope_theta),
        languages=_languages(table, ledger),
        modalities=tuple(ledger.take("modalities", table)),
        shape=None if shape is None else _shape(shape, ledger),
        benchmarks=tuple(_benchmark(row, ledger) for row in table.get("benchmark", ())),
        ecosystem=_ecosystem(table, ledger),
        notes=tuple(table.get("notes", ())),
        provenance=ledger.provenance,
        unknowns=ledger.unknowns,
    )


def _languages(table: Table, ledger: _Ledger) -> Languages:
    supported = ledger.take("languages", table)
    if supported is None:
        return Languages(None, ledger.unknowns["languages"])
    limited = table.get("languages_by_modality", {})
    by_modality = {key: tuple(ledger.take(key, limited, "languages_by_modality.")) for key in limited}
    return Languages(tuple(supported), ledger.provenance["languages"].note, by_modality)


def _benchmark(row: Table, ledger: _Ledger) -> Benchmark:
    source = _source(row["source"], ledger.sources, f"{ledger.place}.benchmark[{row['name']}].source")
    return Benchmark(row["name"], float(row["score"]), row.get("setting"), source["text"], row.get("via"))


def _ecosystem(table: Table, ledger: _Ledger) -> Ecosystem:
    repos = ledger.take("gguf_repos", table) or ()
    return Ecosystem(tuple(repos), tuple(_fact(row, ledger) for row in table.get("ecosystem", ())))


def _fact(row: Table, ledger: _Ledger) -> Fact:
    source = _source(row["source"], ledger.sources, f"{ledger.place}.ecosystem[{row['fact']}].source")
    return Fact(row["fact"], source["text"])


_DIMENSIONS = ("architecture", "n_layers", "hidden_size", "vocab_size", "tied_embeddings", "rope_factors")
_ATTENTION = ("n_heads", "n_kv_heads", "head_dim", "ffn_size")
_EXPERTS = ("n_total", "n_used", "n_shared", "ffn_size", "layer_step", "n_leading_dense")
_WINDOW = ("tokens", "kind", "full_every")
_LATENT = ("kv_rank", "q_rank", "nope_head_dim", "rope_head_dim", "value_head_dim")
_STATE_SPACE = ("conv_kernel", "inner_size", "state_size", "n_heads", "n_groups")


def _shape(table: Table, ledger: _Ledger) -> Shape:
    def part(name: str, keys: tuple[str, ...]) -> dict[str, Any] | None:
        inner = table.get(name)
        return None if inner is None else ledger.take_all(inner, keys, f"shape.{name}.")

    experts, window = part("experts", _EXPERTS), part("window", _WINDOW)
    latent, state_space = part("latent", _LATENT), part("state_space", _STATE_SPACE)
    # A state-space model has no attention heads and no feed-forward block: zero is their true number.
    attention = dict.fromkeys(_ATTENTION, 0) | ledger.take_all(table, _ATTENTION, "shape.")
    return Shape(
        **ledger.take_all(table, _DIMENSIONS, "shape."),
        **attention,
        experts=None if experts is None else Experts(**experts),
        window=None if window is None else Window(**window),
        latent=None if latent is None else LatentAttention(**latent),
        state_space=None if state_space is None else StateSpace(**state_space),
    )
