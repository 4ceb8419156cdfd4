"""A JSON schema validator for the keywords that our schemas use; any other keyword is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_WORDS = frozenset({"$schema", "$defs", "title", "description", "default"})
_CHECKED = frozenset({
    "$ref", "type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "items", "minimum",
    "maximum", "exclusiveMinimum", "pattern", "minItems", "uniqueItems",
})  # fmt: skip


def schema_text(schema: Schema) -> str:
    """What `llm-advisor schema` prints."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


class Validator:
    """Collects `path: problem` lines. `others` are schemas that a `$ref` may name by file."""

    def __init__(self, root: Schema, others: Mapping[str, Schema] | None = None) -> None:
        self._root = root
        self._others = others or {}

    def problems(self, value: Any, schema: Schema | None = None, path: str = "$") -> list[str]:
        schema = self._root if schema is None else schema
        unknown = set(schema) - _WORDS - _CHECKED
        assert not unknown, f"the validator does not know {unknown}"
        found = self._referred(value, schema, path) + self._own(value, schema, path)
        if "anyOf" in schema and all(self.problems(value, option, path) for option in schema["anyOf"]):
            found.append(f"{path}: {value!r} matches no option")
        if isinstance(value, dict):
            found += self._members(value, schema, path)
        if isinstance(value, list) and "items" in schema:
            for i, element in enumerate(value):
                found += self.problems(element, schema["items"], f"{path}[{i}]")
        return found

    def _referred(self, value: Any, schema: Schema, path: str) -> list[str]:
        ref = schema.get("$ref")
        if ref is None:
            return []
        if ref in self._others:
            return Validator(self._others[ref], self._others).problems(value, path=path)
        return self.problems(value, self._root["$defs"][ref.removeprefix("#/$defs/")], path)

    def _own(self, value: Any, schema: Schema, path: str) -> list[str]:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        kind = schema.get("type")
        wrong = {
            "type": kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")),
            "enum": "enum" in schema and value not in schema["enum"],
            "const": "const" in schema and value != schema["const"],
            "minimum": is_number and value < schema.get("minimum", value),
            "maximum": is_number and value > schema.get("maximum", value),
            "exclusiveMinimum": is_number and value <= schema.get("exclusiveMinimum", value - 1),
            "pattern": isinstance(value, str) and not re.search(schema.get("pattern", ""), value),
            "minItems": isinstance(value, list) and len(value) < schema.get("minItems", 0),
            "uniqueItems": schema.get("uniqueItems") and isinstance(value, list) and len(set(value)) < len(value),
        }
        return [f"{path}: {value!r} breaks {keyword}" for keyword, is_wrong in wrong.items() if is_wrong]

    def _members(self, value: Mapping[str, Any], schema: Schema, path: str) -> list[str]:
        properties = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        found = [f"{path}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key, element in value.items():
            if key in properties:
                found += self.problems(element, properties[key], f"{path}.{key}")
            elif rest is False:
                found.append(f"{path}: {key} is unknown")
            elif isinstance(rest, Mapping):
                found += self.problems(element, rest, f"{path}.{key}")
        return found
