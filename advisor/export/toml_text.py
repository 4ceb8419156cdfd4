"""Plain documents as commented TOML, whatever text they carry.

Every character that is not printable is escaped, so that no terminal or editor obeys what a file says. Comments are
made of our own words and of numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import tomlkit
from tomlkit.items import AoT, Array, InlineTable, Item, Key, KeyType, SingleKey, String, StringType, Trivia
from tomlkit.items import Table as TomlTable

from advisor.export.tables import Table, table_in
from advisor.export.words import comment_for

MAX_LINE = 100
"""Arrays longer than this are written one element a line."""

_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}

Values = Mapping[str, Any]


def fill(container: tomlkit.TOMLDocument | TomlTable, values: Values, schema: type[Table] | None) -> None:
    """Add values to a document or table, plain ones before tables; those that are None are left out.

    The schema gives comments and layout; without one, tables are just tables.
    """
    known = {key: value for key, value in values.items() if value is not None}
    ordered = sorted(known, key=lambda key: _is_table(known[key], _schema_of(schema, key)))
    for key in ordered:
        inner = _schema_of(schema, key)
        item = _item(known[key], inner)
        container.add(_key(key), item)
        comment = comment_for(key, known[key], _description(schema, key))
        if comment and not isinstance(item, TomlTable | AoT):
            item.comment(comment)


def toml_table(values: Values, schema: type[Table] | None, comment: str | None) -> TomlTable:
    """A table that begins with a comment."""
    table = tomlkit.table()
    if comment:
        table.add(tomlkit.comment(comment))
    fill(table, values, schema)
    return table


def escaped(text: str) -> str:
    """The text as it stands between the quotes of a basic string. Lone surrogates, which TOML cannot hold, are
    replaced by U+FFFD."""
    return "".join(map(_escaped_character, text))


def _escaped_character(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\\uFFFD"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _schema_of(schema: type[Table] | None, key: str) -> type[Table] | None:
    field = schema.model_fields.get(key) if schema else None
    return table_in(field.annotation) if field else None


def _description(schema: type[Table] | None, key: str) -> str | None:
    field = schema.model_fields.get(key) if schema else None
    return field.description if field else None


def _is_table(value: object, schema: type[Table] | None) -> bool:
    if schema is not None and schema.one_line:
        return False
    return isinstance(value, Mapping) or _is_list_of_tables(value)


def _is_list_of_tables(value: object) -> bool:
    return _is_list(value) and bool(value) and all(isinstance(element, Mapping) for element in value)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _item(value: Any, schema: type[Table] | None) -> Item:
    one_line = schema is not None and schema.one_line
    if isinstance(value, Mapping):
        return _inline(value) if one_line else toml_table(value, schema, _docstring(schema))
    if _is_list_of_tables(value) and not one_line:
        return _array_of_tables(value, schema)
    return _array(value) if _is_list(value) else _scalar(value)


def _docstring(schema: type[Table] | None) -> str | None:
    return schema.__doc__ if schema else None


def _array_of_tables(values: Sequence[Values], schema: type[Table] | None) -> AoT:
    tables = tomlkit.aot()
    for i, element in enumerate(values):
        tables.append(toml_table(element, schema, None if i else _docstring(schema)))
    return tables


def _scalar(value: bool | int | float | str) -> Item:
    if isinstance(value, str):
        return String(StringType.SLB, value, escaped(value), Trivia())
    return tomlkit.item(value)


def _array(values: Sequence[Any]) -> Array:
    array = tomlkit.array()
    items = [_inline(value) if isinstance(value, Mapping) else _plain(value) for value in values]
    for item in items:
        array.append(item)
    is_long = sum(len(item.as_string()) + 2 for item in items) > MAX_LINE
    return array.multiline(is_long or any(isinstance(item, InlineTable) for item in items))


def _plain(value: Any) -> Item:
    return _array(value) if _is_list(value) else _scalar(value)


def _inline(values: Values) -> InlineTable:
    table = tomlkit.inline_table()
    for key, value in _without_none(values):
        table.add(_key(key), _inline(value) if isinstance(value, Mapping) else _plain(value))
    return table


def _without_none(values: Values) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in values.items() if value is not None)


def _key(key: str) -> Key:
    bare = key.isascii() and key.replace("-", "a").replace("_", "a").isalnum()
    if bare:
        return SingleKey(key, KeyType.Bare)
    return SingleKey(key, KeyType.Basic, original=f'"{escaped(key)}"')
