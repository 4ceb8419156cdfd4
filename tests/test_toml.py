from __future__ import annotations

from pathlib import Path

import pytest

from advisor._toml import load_toml, parse_toml
from advisor.errors import InputError


@pytest.mark.parametrize("text", ["x = ", "x = 1\nx = 2", "[" * 5000, f"x = {'9' * 5000}", "x = 'é\x00'"])
def test_what_is_no_toml_is_an_input_error_that_names_its_source(text: str) -> None:
    with pytest.raises(InputError, match=r"^needs.toml is not valid TOML"):
        parse_toml(text, name="needs.toml")


def test_the_line_of_the_mistake_is_told() -> None:
    with pytest.raises(InputError, match="line 3"):
        parse_toml("a = 1\nb = 2\nc = = 3\n", name="needs.toml")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing.toml cannot be read"):
        load_toml(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b'x = "\xe9"')
    with pytest.raises(InputError, match="is not UTF-8"):
        load_toml(tmp_path / "latin.toml")
