"""YAML that says the same to every reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from advisor.export.deploy.file_header import comment
from advisor.export.deploy.serving import dns_label
from advisor.export.deploy.yaml_text import yaml_text
from tests.export.deploy.support import HOSTILE

VALUES = st.recursive(
    st.one_of(HOSTILE, st.text(), st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(HOSTILE, inner, max_size=4)),
    max_leaves=8,
)


@given(value=st.dictionaries(HOSTILE, VALUES, max_size=4), lines=st.lists(st.text(), max_size=3))
def test_what_is_written_is_read_back(value: dict[str, Any], lines: list[str]) -> None:
    assert yaml.safe_load(yaml_text(comment(lines), value)) == value


@pytest.mark.parametrize(
    "text", ["1e3", "0o7", "on", "No", "1_000", "0x1f", "12:30:45", "~", "=", "<<", "1.", ".5", "+1"]
)
def test_words_on_which_versions_of_yaml_disagree_are_quoted(text: str) -> None:
    assert yaml_text((), {"key": text}) == f'\nkey: "{text}"\n'


@given(lines=st.lists(st.text(), max_size=5))
def test_no_text_leaves_its_comment(lines: list[str]) -> None:
    assert all(line.startswith("#") for line in "\n".join(comment(lines)).splitlines() if line)


def test_commands_to_copy_stay_whole() -> None:
    command = "    install " + "a-long-name " * 20
    assert comment([command]) == ["# " + command.rstrip()]


@given(text=st.text())
def test_a_label_is_one_that_dns_takes(text: str) -> None:
    label = dns_label(text)
    assert 1 <= len(label) <= 40
    assert label[0] in "abcdefghijklmnopqrstuvwxyz"
    assert label[-1] != "-"
    assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
