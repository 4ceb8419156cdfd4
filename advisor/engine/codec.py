"""Dataclasses to JSON and back, with their types checked."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_Reader = Callable[[Any, str], Any]


def to_json(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, nested ones included; unlike `asdict` it copies nothing."""
    cls: Any = type(value)
    return {name: _plain(getattr(value, name)) for name in _names(cls)}


def from_json(kind: type[T], raw: object) -> T:
    """A dataclass from its fields. Raises ValueError for fields that are missing, unknown or of a wrong type."""
    if not isinstance(raw, dict):
        raise ValueError(f"{kind.__name__} must be an object")
    cls: Any = kind
    readers, required = _plan(cls)
    if not raw.keys() <= readers.keys():
        raise ValueError(f"{kind.__name__} has no field {min(raw.keys() - readers.keys())!r}")
    for name in required:
        if name not in raw:
            raise ValueError(f"{kind.__name__} needs {name!r}")
    return kind(**{name: readers[name](value, name) for name, value in raw.items()})


@cache
def _plan(kind: Any) -> tuple[dict[str, _Reader], tuple[str, ...]]:
    """How each field is read, and those that must be there."""
    specs = [spec for spec in fields(kind) if spec.default is MISSING and spec.default_factory is MISSING]
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    return readers, tuple([spec.name for spec in specs])


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple([spec.name for spec in fields(kind)])


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):  # a union would be made anew each time
        return value
    if isinstance(value, tuple):
        return [_plain(element) for element in value]
    return to_json(value)


def _reader(hint: Any) -> _Reader:
    """Takes a value and its name, for a complaint; made once for a type, of which thousands of values can come."""
    origin = get_origin(hint)
    if origin is Literal:
        return lambda value, name: _checked(value in get_args(hint), value, name)
    if origin in (Union, types.UnionType):
        present = _reader(_without_none(hint))
        return lambda value, name: None if value is None else present(value, name)
    if origin is tuple:
        return _tuple_reader(_reader(get_args(hint)[0]))
    if is_dataclass(hint):
        return lambda value, _: from_json(hint, value)  # type: ignore[arg-type]  # it narrows to instances as well
    return _float if hint is float else _plain_reader(hint)


def _tuple_reader(element: _Reader) -> _Reader:
    def read(value: Any, name: str) -> tuple[Any, ...]:
        _checked(isinstance(value, list | tuple), value, name)
        return tuple([element(each, name) for each in value])

    return read


def _plain_reader(kind: type) -> _Reader:
    def read(value: Any, name: str) -> Any:
        return value if type(value) is kind else _checked(_is(kind, value), value, name)

    return read


def _float(value: Any, name: str) -> float:
    try:
        return float(value) if _is(int, value) else _checked(isinstance(value, float), value, name)
    except OverflowError as error:
        raise ValueError(f"{name!r} cannot be {value!r:.80}") from error


def _is(kind: type, value: Any) -> bool:
    """Whether a value is of a type; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _without_none(hint: Any) -> Any:
    return next(arg for arg in get_args(hint) if arg is not type(None))


def _checked(is_right: bool, value: T, name: str) -> T:
    if not is_right:
        raise ValueError(f"{name!r} cannot be {value!r:.80}")
    return value
