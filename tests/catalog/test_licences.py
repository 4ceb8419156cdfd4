from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import tomli

from advisor._toml import load_toml
from advisor.catalog.licences import load_licences
from advisor.domain.licence import Licence, Verdict, evaluate
from advisor.errors import InputError
from tests.domain.licence_support import KNOWLEDGE, ROOT, shipped, use_of

IDS = [
    "apache-2.0", "cc-by-nc-4.0", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4",
    "mistral-modified-mit", "mnpl-0.1", "mrl-0.1", "unknown",
]  # fmt: skip
FILES = sorted((KNOWLEDGE / "licences").glob("*.toml"))
MINIMAL = """
schema_version = 1
id = "sample"
name = "Sample"

[no_such_term]
user_threshold = "text"
revenue_threshold = "text"
eu_restriction = "text"
field_of_use = "text"
training_ban = "text"
duties = "text"
standing = "text"

[sources.text]
text = "Sample licence, full text"
url = "https://example.org/licence"
checked = 2026-11-23

[grant]
value = "everything"
clause = "1"
source = "text"
"""
DUTY = """
[[duty]]
kind = "DISPLAY"
when = ["service"]
text = 'Show "Made with Sample".'
value = "a display"
clause = "2"
source = "text"
"""
AMBIGUITY = """
[[ambiguity]]
id = "A1"
text = "Open."
when = ["always"]
duties = ["DISPLAY"]
"""


def _load(directory: Path, document: str, name: str = "sample") -> dict[str, Licence]:
    (directory / "licences").mkdir()
    (directory / "licences" / f"{name}.toml").write_text(document, encoding="utf-8")
    return load_licences(directory)


def _refusal(directory: Path, document: str) -> str:
    with pytest.raises(InputError) as caught:
        _load(directory, document)
    return str(caught.value)


def test_the_twelve_licences_come_in_order_of_id() -> None:
    assert list(shipped()) == IDS


@pytest.mark.parametrize("licence", [name for name in IDS if name != "unknown"])
def test_every_named_licence_is_established(licence: str) -> None:
    loaded = shipped()[licence]
    assert loaded.is_established
    assert loaded.licensor
    assert loaded.url
    assert loaded.url.startswith("https://")


def test_the_unknown_licence_is_missing_every_point() -> None:
    assert not shipped()["unknown"].is_established
    assert len(shipped()["unknown"].missing) == 8


def test_only_apache_is_approved_by_the_osi() -> None:
    assert [licence.id for licence in shipped().values() if licence.osi_approved] == ["apache-2.0"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_toml_readers_agree_on_the_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text) == tomli.loads(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_quotations_are_short_and_every_source_is_used(path: Path) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    phrases, used = [], set(document.get("no_such_term", {}).values())
    for table in _tables(document):
        phrases.append(table.get("phrase", ""))
        used.add(table.get("source"))
    assert all(len(phrase.split()) <= 20 for phrase in phrases)
    assert set(document.get("sources", {})) <= used


def _tables(document: dict[str, object]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for value in document.values():
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict):
                found.append(child)
                found.extend(_tables(child))
    return found


def test_a_complete_file_grants_what_it_says(tmp_path: Path) -> None:
    licence = _load(tmp_path, MINIMAL)["sample"]
    assert evaluate(licence, use_of(), model_is_multimodal=False).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("point", ["user_threshold", "revenue_threshold", "eu_restriction", "field_of_use", "duties"])
def test_a_point_that_is_neither_given_nor_denied_makes_it_unknown(tmp_path: Path, point: str) -> None:
    licence = _load(tmp_path, MINIMAL.replace(f'{point} = "text"\n', ""))["sample"]
    assert licence.missing == (point,)
    assert evaluate(licence, use_of(), model_is_multimodal=False).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("document", "parts"), [
    (MINIMAL.replace("name =", "nane ="), ["name", "required"]),
    (MINIMAL + "\n[grants]\n", ["grants: unknown key", "Did you mean 'grant'?"]),
    (MINIMAL.replace("clause =", "clausse ="), ["grant.clause"]),
    (MINIMAL + 'phrasse = "x"\n', ["grant.phrasse: unknown key", "Did you mean 'phrase'?"]),
    (MINIMAL.replace("standing =", "standin ="), ["no_such_term.standin: unknown key", "Did you mean 'standing'?"]),
    (MINIMAL + 'url = 3\n', ["grant.url: unknown key"]),
    (MINIMAL.replace("checked = 2026-11-23", 'checked = "recently"'), ["sources.text.checked"]),
    (MINIMAL.replace('source = "text"', 'source = "txet"'), ["grant.source", "Did you mean 'text'?"]),
    (MINIMAL.replace('standing = "text"', 'standing = "txet"'), ["no_such_term.standing", "Did you mean 'text'?"]),
    (MINIMAL.replace('id = "sample"', 'id = "other"'), ["id: 'other' is not the file's name"]),
    (MINIMAL.replace("schema_version = 1", "schema_version = 2"), ["schema_version"]),
    (MINIMAL + DUTY, ["no_such_term.duties: the file has such a term"]),
    (MINIMAL.replace('duties = "text"\n', "") + DUTY, ["duty[0].exact"]),
    (MINIMAL.replace('duties = "text"\n', "") + DUTY + 'exact = "Built with Sample"\n', ["duty[0].text"]),
    (MINIMAL.replace('duties = "text"\n', "") + DUTY + 'exakt = "Made"\n', ["duty[0].exakt", "'exact'"]),
    (MINIMAL.replace('duties = "text"\n', "") + DUTY.replace("service", "servis"), ["duty[0].when[0]"]),
    (MINIMAL + "[user_threshold]\nlimit = \"700M\"\n", ["user_threshold."]),
    (MINIMAL + AMBIGUITY, ["ambiguity[0].duties: the licence has no duty of kind DISPLAY"]),
])  # fmt: skip
def test_a_faulty_file_is_refused_by_file_and_key(tmp_path: Path, document: str, parts: list[str]) -> None:
    message = _refusal(tmp_path, document)
    assert message.startswith(str(tmp_path / "licences" / "sample.toml"))
    assert all(part in message for part in parts), message


def test_a_broken_file_names_its_line(tmp_path: Path) -> None:
    assert "line" in _refusal(tmp_path, "schema_version = \n")


def test_a_directory_without_licences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no licence"):
        load_licences(tmp_path)


def test_a_reader_that_vouches_for_its_files_needs_no_pydantic() -> None:
    script = (
        "import sys\nfrom advisor._toml import load_toml\nfrom advisor.catalog.licences import load_licences\n"
        "from pathlib import Path\nassert load_licences(Path('knowledge'), read=load_toml)\n"
        "print('pydantic' in sys.modules)"
    )
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout == "False\n"


def test_a_reader_without_validation_yields_the_same_licences() -> None:
    assert load_licences(KNOWLEDGE, read=load_toml) == shipped()
