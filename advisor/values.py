"""Frozen slotted values: what `dataclass(frozen=True, slots=True)` makes, of one compiled function instead of six.

A short command defines 150 classes of values before it can answer, and `dataclasses` compiles an initializer, a
representation, a comparison, a hash and two guards for each: a quarter of the time of such a command. Here all but the
initializer are functions that the classes share. The result is a dataclass, so that `fields`, `replace` and `asdict`
know it. Modules that a cold start loads take it; it has no use for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

C = TypeVar("C")

_NOT_GIVEN = object()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[C]) -> type[C]:
    """Make a class one of frozen slotted values. Its fields may have defaults; it inherits none from another class."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    specs = fields(made)
    key = _key([spec.name for spec in specs if spec.compare])

    def equal(self: object, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is made else NotImplemented

    made.__init__ = _initializer(made, specs)
    made.__eq__, made.__hash__ = equal, lambda self: hash(key(self))
    made.__repr__ = _repr
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    made.__getstate__, made.__setstate__ = _state, _set_state
    finished: type[C] = made
    return finished


def _initializer(made: Any, specs: tuple[Field[Any], ...]) -> Callable[..., None]:
    """A function that takes the fields in order and sets their slots."""
    known: dict[str, Any] = {"_not_given": _NOT_GIVEN}
    taken, body = ["self"], []
    for spec in specs:
        name = spec.name
        known[f"_set_{name}"] = getattr(made, name).__set__
        given = name
        if spec.default_factory is not MISSING:
            known[f"_make_{name}"] = spec.default_factory
            taken.append(f"{name}=_not_given")
            given = f"_make_{name}() if {name} is _not_given else {name}"
        elif spec.default is not MISSING:
            known[f"_default_{name}"] = spec.default
            taken.append(f"{name}=_default_{name}")
        else:
            taken.append(name)
        body.append(f" _set_{name}(self, {given})\n")
    if hasattr(made, "__post_init__"):
        body.append(" self.__post_init__()\n")
    exec(f"def __init__({', '.join(taken)}):\n{''.join(body) or ' pass'}", known)  # names of fields, nothing foreign
    function: Callable[..., None] = known["__init__"]
    function.__qualname__ = f"{made.__qualname__}.__init__"
    return function


def _key(names: list[str]) -> Callable[[object], tuple[Any, ...]]:
    """What values are compared by."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple([getattr(self, name) for name in names])


def _repr(self: Any) -> str:
    shown = [f"{spec.name}={getattr(self, spec.name)!r}" for spec in fields(self) if spec.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, spec.name) for spec in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for spec, held in zip(fields(self), state, strict=True):
        object.__setattr__(self, spec.name, held)
