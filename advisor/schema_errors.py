"""What is wrong with a file that pydantic refused, in one line: the file, the place, the reason, the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from advisor.errors import InputError, nearest
from advisor.text import one_line

Location = Sequence[str | int]

MOST_PROBLEMS = 100
"""Of one file, before it is mended and looked over again."""

_MESSAGES = {"missing": "the key is missing", "extra_forbidden": "unknown key"}
_NAME_KEYS = ("id", "name", "tag", "file")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that breaks a schema."""

    place: str
    message: str
    hint: str | None


def problems(error: ValidationError, schema: type[BaseModel], document: object) -> list[Problem]:
    """What the schema found, up to a hundred, with the nearest valid key where a key is unknown."""
    return list(islice(_all(error, schema, document), MOST_PROBLEMS))


def _all(error: ValidationError, schema: type[BaseModel], document: object) -> Iterator[Problem]:
    # One by one: the search for the nearest key takes long when every key of a long file is unknown.
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        yield _problem(detail["loc"], detail["type"], detail["msg"], schema, document)


def _problem(location: Location, kind: str, text: str, schema: type[BaseModel], document: object) -> Problem:
    message = _MESSAGES.get(kind, text.removeprefix("Value error, "))
    hint = None
    if kind == "extra_forbidden":
        valid = _keys_beside(schema, location)
        hint = nearest(str(location[-1]), valid) or f"Valid keys: {', '.join(valid)}."
    return Problem(place(document, location), message, hint)


def explained(error: ValidationError, schema: type[BaseModel], document: object, *, name: str) -> InputError:
    """The first problem as `name: place: message`, with the nearest valid key where the key is unknown."""
    first, n_others = next(_all(error, schema, document)), error.error_count() - 1
    why = f"and {n_others} more in this file" if n_others else None
    return InputError(f"{name}: {first.place}: {first.message}", why=why, hint=first.hint)


def place(document: object, location: Location) -> str:
    """`model[mistral-7b].shape.n_layers` for `("model", 0, "shape", "n_layers", "value")`."""
    text, here = "", document
    steps = location[:-1] if len(location) > 1 and location[-1] == "value" else location
    for step in steps:
        here = _child(here, step)
        if isinstance(step, int):
            text += f"[{_label(here, step)}]"
        else:
            text += f".{one_line(step)}" if text else one_line(step)
    return text or "the file"


def _child(container: object, step: str | int) -> object:
    if isinstance(container, Mapping):
        return container.get(step)
    if isinstance(container, list) and isinstance(step, int) and step < len(container):
        return container[step]
    return None


def _label(element: object, index: int) -> str:
    """How a person finds an element: by its name, else by its number."""
    if isinstance(element, Mapping):
        for key in _NAME_KEYS:
            if isinstance(element.get(key), str):
                return one_line(str(element[key]))
    return str(index)


def _keys_beside(schema: type[BaseModel], location: Location) -> list[str]:
    """Keys that the table at this location may have."""
    here = schema
    for step in location[:-1]:
        field = here.model_fields.get(step) if isinstance(step, str) else None
        here = (model_in(field.annotation) if field else None) or here
    return list(here.model_fields)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside an annotation such as `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
