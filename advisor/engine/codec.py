"""Dataclasses to JSON and back, with their types checked."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, nested ones included; unlike `asdict` it copies nothing."""
    return {spec.name: _plain(getattr(value, spec.name)) for spec in fields(value)}


def from_json(kind: type[T], raw: object) -> T:
    """A dataclass from its fields. Raises ValueError for fields that are missing, unknown or of a wrong type."""
    if not isinstance(raw, dict):
        raise ValueError(f"{kind.__name__} must be an object")
    cls: Any = kind
    hints = _hints(cls)
    unknown = sorted(set(raw) - set(hints))
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {unknown[0]!r}")
    return kind(**{name: _read(hints[name], value, name) for name, value in _complete(kind, raw).items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, tuple):
        return [_plain(element) for element in value]
    return to_json(value)


def _complete(kind: Any, raw: dict[str, Any]) -> dict[str, Any]:
    for spec in fields(kind):
        required = spec.default is MISSING and spec.default_factory is MISSING
        if required and spec.name not in raw:
            raise ValueError(f"{kind.__name__} needs {spec.name!r}")
    return raw


def _read(hint: Any, value: Any, name: str) -> Any:
    origin = get_origin(hint)
    if origin is Literal:
        return _checked(value in get_args(hint), value, name)
    if origin in (Union, types.UnionType):
        return None if value is None else _read(_without_none(hint), value, name)
    if origin is tuple:
        _checked(isinstance(value, list | tuple), value, name)
        return tuple([_read(get_args(hint)[0], element, name) for element in value])
    if is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]  # is_dataclass narrows to instances as well
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    is_right = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    return _checked(is_right, value, name)


def _without_none(hint: Any) -> Any:
    return next(arg for arg in get_args(hint) if arg is not type(None))


def _checked(is_right: bool, value: T, name: str) -> T:
    if not is_right:
        raise ValueError(f"{name!r} cannot be {value!r:.80}")
    return value
