"""Turning what pydantic says about a file into one line that names the file, the place and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor.errors import InputError, nearest

Location = Sequence[str | int]

_MESSAGES = {"missing": "the key is missing", "extra_forbidden": "unknown key"}
_NAME_KEYS = ("id", "name", "tag", "file")


class StrictModel(BaseModel):
    """Base of the tables in knowledge/: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def validate(schema: type[StrictModel], document: Mapping[str, Any], *, name: str) -> None:
    """Hold a document against its schema. Raises InputError `name: place: what is wrong`."""
    try:
        schema.model_validate(document)
    except ValidationError as error:
        raise _explained(schema, document, name, error) from error


def _explained(schema: type[BaseModel], document: Mapping[str, Any], name: str, error: ValidationError) -> InputError:
    first, *others = error.errors(include_url=False, include_input=False)
    location: Location = first["loc"]
    message = _MESSAGES.get(first["type"], first["msg"].removeprefix("Value error, "))
    hint = None
    if first["type"] == "extra_forbidden":
        hint = nearest(str(location[-1]), _keys_beside(schema, location))
    why = f"and {len(others)} more in this file" if others else None
    return InputError(f"{name}: {place(document, location)}: {message}", why=why, hint=hint)


def place(document: Any, location: Location) -> str:
    """`model[mistral-7b].shape.n_layers` for `("model", 0, "shape", "n_layers", "value")`."""
    text, here = "", document
    steps = location[:-1] if len(location) > 1 and location[-1] == "value" else location
    for step in steps:
        here = _child(here, step)
        if isinstance(step, int):
            text += f"[{_label(here, step)}]"
        else:
            text += f".{step}" if text else step
    return text or "the file"


def _child(container: Any, step: str | int) -> Any:
    if isinstance(container, Mapping):
        return container.get(step)
    if isinstance(container, list) and isinstance(step, int) and step < len(container):
        return container[step]
    return None


def _label(element: Any, index: int) -> str:
    if isinstance(element, Mapping):
        for key in _NAME_KEYS:
            if isinstance(element.get(key), str):
                return str(element[key])
    return str(index)


def _keys_beside(schema: type[BaseModel], location: Location) -> list[str]:
    """Keys that the table at this location may have."""
    here = schema
    for step in location[:-1]:
        field = here.model_fields.get(step) if isinstance(step, str) else None
        here = (_model_in(field.annotation) if field else None) or here
    return list(here.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
