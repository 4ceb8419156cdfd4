"""ARCHITECTURE.md draws what the import contracts enforce, and names every package there is."""

from __future__ import annotations

import re
from pathlib import Path

import tomli

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CONTRACTS = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
_NAMES = r"\w+(?: \| \w+)*"


def drawn_layers(picture: str = "layers") -> list[set[str]]:
    """The rows of a picture, from the top."""
    found = re.search(rf"<!-- {picture} -->\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    rows = [re.match(rf" +({_NAMES})(?=  | -|$)", line) for line in found[1].splitlines()]
    return [set(row[1].split(" | ")) for row in rows if row is not None]


def test_the_picture_has_the_rows_of_the_contract_in_its_order() -> None:
    whole, inside = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
    assert drawn_layers() == [{name.removeprefix("advisor.") for name in row.split(" | ")} for row in whole]
    assert drawn_layers("layers of service") == [set(row.split(" | ")) for row in inside]


def test_every_package_and_module_is_drawn_and_every_drawn_one_exists() -> None:
    packages = {path.parent.name for path in ROOT.glob("advisor/*/__init__.py")}
    modules = {path.stem for path in ROOT.glob("advisor/*.py")} - {"__init__"}
    assert set().union(*drawn_layers()) == packages | modules
    parts = {path.stem for path in ROOT.glob("advisor/service/*.py")} - {"__init__"}
    assert set().union(*drawn_layers("layers of service")) == parts


def test_the_engine_may_import_the_one_adapter_that_is_drawn_beside_it() -> None:
    (forbidden,) = [set(c["forbidden_modules"]) for c in CONTRACTS if c.get("source_modules") == ["advisor.engine"]]
    (adapters,) = [row for row in drawn_layers() if "gguf" in row]
    assert {f"advisor.{name}" for name in adapters} - forbidden == {"advisor.gguf"}
    assert "| gguf only" in PAGE


def test_every_path_that_the_page_names_exists() -> None:
    paths = set(re.findall(r"`((?:advisor|knowledge|tests)/[\w./]*)`", PAGE))
    assert len(paths) > 8
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_only_the_modules_that_the_page_names_import_llama_cpp_and_ray() -> None:
    for package, only in (("llama_cpp", "advisor.engine.worker"), ("ray", "advisor.cluster.prober")):
        line = re.compile(rf"^\s*(?:import|from) {package}\b", re.MULTILINE)
        users = [path for path in ROOT.glob("advisor/**/*.py") if line.search(path.read_text("utf-8"))]
        assert [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in users] == [only]
        assert f"only `{only}` imports `{package}`" in PAGE
