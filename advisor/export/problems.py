"""What is wrong with a file, in one line that names the place and the way out."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from advisor.errors import InputError, nearest
from advisor.export.tables import Table, table_in
from advisor.text import one_line

_MESSAGES = {"missing": "the key is missing", "extra_forbidden": "unknown key"}


def explained(error: ValidationError, schema: type[Table], *, name: str) -> InputError:
    """The first problem as `name: key: message`, with the nearest valid key where the key is unknown."""
    first, *others = error.errors(include_url=False, include_input=False, include_context=False)
    message = _MESSAGES.get(first["type"], first["msg"])
    hint = None
    if first["type"] == "extra_forbidden":
        hint = nearest(str(first["loc"][-1]), _keys_beside(schema, first["loc"]))
    why = f"and {len(others)} more in this file" if others else None
    return InputError(f"{name}: {_place(first['loc'])}: {message}", why=why, hint=hint)


def _place(location: tuple[int | str, ...]) -> str:
    """`alternatives[2].score` for `("alternatives", 2, "score")`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{one_line(step)}" for step in location)
    return text.removeprefix(".") or "the file"


def _keys_beside(schema: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    here = schema
    for step in location[:-1]:
        field = here.model_fields.get(step) if isinstance(step, str) else None
        here = (table_in(field.annotation) if field else None) or here
    return list(here.model_fields)
