"""The form of `config.toml`. Imported only where there is such a file: pydantic takes a while to load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError

from advisor.errors import InputError
from advisor.schema_errors import explained


class SettingsFile(BaseModel):
    """Settings of the screens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: StrictStr | None = Field(None, description="name of a theme of the screens")
    ascii: StrictBool = Field(False, description="whether the screens use ASCII characters only")
    keys: dict[StrictStr, StrictStr] = Field(
        default_factory=dict, description="keys by command, in place of its own, separated by commas"
    )


def read_settings(document: Mapping[str, Any], *, name: str) -> tuple[str | None, bool, dict[str, str]]:
    """Theme, ASCII and keys. Raises InputError naming the file, the key and the nearest valid key."""
    if isinstance(document.get("keys"), Mapping):
        try:
            document = {**document, "keys": _flat(document["keys"])}
        except RecursionError as error:
            raise InputError(f"{name}: keys: tables are nested too deeply") from error
    try:
        read = SettingsFile.model_validate(document)
    except ValidationError as error:
        raise explained(error, SettingsFile, document, name=name) from error
    return read.theme, read.ascii, dict(read.keys)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """`measure.best` and `"measure.best"` are the same command, although TOML makes a table of the first."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat
