"""ARCHITECTURE.md draws what the import contracts enforce, and names every package there is; no piece is too long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tomli

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CONTRACTS = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
MODULES = sorted(path for part in ("advisor", "benchmarks", "docs", "tests") for path in ROOT.glob(f"{part}/**/*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40
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


def function_lengths(module: Path) -> Iterator[tuple[str, int]]:
    """Lines of every function from its `def` to its end; decorators and the docstring do not count."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = 0 if ast.get_docstring(node) is None else (first.end_lineno or 0) - first.lineno + 1
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert len(lengths) > 800
    assert not {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FILE}


def test_no_function_is_too_long_to_be_seen_whole() -> None:
    lengths = [(f"{path.relative_to(ROOT)}: {name}", n) for path in MODULES for name, n in function_lengths(path)]
    assert len(lengths) > 6000
    assert not [(name, n) for name, n in lengths if n > MOST_LINES_OF_A_FUNCTION]


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or leads to something in one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:n])
        module = next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.exists()), None)
        if module is not None:
            return all(re.search(rf"\b{word}\b", module.read_text("utf-8")) for word in parts[n:])
    return False


def test_every_module_that_a_text_names_exists() -> None:
    paths = [
        *ROOT.glob("advisor/**/*.py"),
        *ROOT.glob("benchmarks/**/*.py"),
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
    ]
    named = {name for path in paths for name in re.findall(r"`(advisor(?:\.\w\w+)+)`", path.read_text("utf-8"))}
    assert len(named) > 25
    assert [name for name in sorted(named) if not is_there(name)] == []
