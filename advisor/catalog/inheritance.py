"""A fine-tune's table filled up from the table of its base, each value with the source that it has there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Table = Mapping[str, Any]

OWN_KEYS = frozenset({
    "id", "name", "hf_id", "vendor", "release_date", "gated", "status", "superseded_by", "notes", "benchmark",
    "gguf_repos", "ecosystem", "missing",
})  # fmt: skip
"""What is true of a base and need not be of what was made from it, such as its results, and why it has none."""

_UNSAID = {"unknown": "the overlay does not say"}
_PARTS = ("experts", "window", "latent", "state_space")


def filled(own: Table, base: Table, base_id: str) -> dict[str, Any]:
    """The table with what it leaves out taken from its base; its own entry of the same id takes over everything.

    Nothing is checked here: the result is held against the schema like any other table.
    """
    is_same = own.get("id") == base_id
    note = None if is_same else f"inherited from {base_id}"
    taken = {key: _sourced_in(base_id, value, note) for key, value in base.items() if is_same or key not in OWN_KEYS}
    said = {key: value for key, value in own.items() if key != "base"}
    found = {**taken, **said}
    if "shape" in said and "shape" in taken:
        found["shape"] = _shape(said["shape"], taken["shape"])
    _drop_contradiction(found, said)
    return found if is_same else _with_defaults(found)


def renamed_sources(sources: Table, base_id: str) -> dict[str, Any]:
    """The sources of a base's file under the keys that inherited values name."""
    return {_renamed(base_id, key): source for key, source in sources.items()}


def _renamed(base_id: str, key: str) -> str:
    return f"{base_id}/{key}"


def _sourced_in(base_id: str, value: Any, note: str | None) -> Any:
    """The value with every source key renamed, and every figure marked as inherited."""
    if isinstance(value, list):
        return [_sourced_in(base_id, element, note) for element in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _sourced_in(base_id, inner, note) for key, inner in value.items()}
    if isinstance(value.get("source"), str):
        found["source"] = _renamed(base_id, value["source"])
        if note is not None and "value" in value:
            found["note"] = "; ".join(filter(None, (note, value.get("note"))))
    return found


def _shape(own: Any, base: Any) -> Any:
    """The base's dimensions with the own ones over them, part by part: a longer vocabulary is no new shape."""
    if not isinstance(own, Mapping) or not isinstance(base, Mapping):
        return own
    parts = {}
    for key in _PARTS:
        mine, theirs = own.get(key), base.get(key)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            parts[key] = {**theirs, **mine}
    return {**base, **own, **parts}


def _drop_contradiction(found: dict[str, Any], said: Table) -> None:
    """A shape of one's own replaces the reason why the base has none, and the other way round."""
    for key, other in (("shape", "shape_reason"), ("shape_reason", "shape")):
        if key in said and other not in said:
            found.pop(other, None)


def _with_defaults(found: dict[str, Any]) -> dict[str, Any]:
    hf_id = found.get("hf_id")
    cell = hf_id if isinstance(hf_id, Mapping) else {}
    owner = str(cell.get("value", "")).partition("/")[0]
    status = {"value": "unknown", "source": cell.get("source", ""), "note": _UNSAID["unknown"]}
    defaults = {"vendor": owner or "unknown", "release_date": _UNSAID, "gated": _UNSAID, "status": status}
    return {**defaults, **found}
