"""`export` and `recommend --report`: which files appear, and when none does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.running import Cli

SMALL = ("--gpu", "none", "--ram", "16GiB")


@pytest.fixture
def recommendation(cli: Cli, tmp_path: Path) -> Path:
    path = tmp_path / "pick.toml"
    assert cli("recommend", *SMALL, "-o", path).code == 0
    return path


def test_a_report_names_the_file_that_it_was_made_from(cli: Cli, recommendation: Path, tmp_path: Path) -> None:
    found = cli("export", recommendation, "--to", "html", "-o", tmp_path / "out", "--json")
    path = tmp_path / "out" / "pick.html"
    assert found.document["files"] == [{"path": str(path), "bytes": path.stat().st_size}]
    assert hashlib.sha256(recommendation.read_bytes()).hexdigest() in path.read_text("utf-8")


def test_nothing_is_written_where_one_file_exists(cli: Cli, recommendation: Path, tmp_path: Path) -> None:
    taken = tmp_path / "pick-memory.svg"
    taken.write_text("mine", "utf-8")
    found = cli("export", recommendation, "--to", "markdown", "-o", tmp_path)
    assert found.code == 2
    assert f"{taken} exists" in found.err
    assert taken.read_text("utf-8") == "mine"
    assert not (tmp_path / "pick.md").exists()
    assert cli("export", recommendation, "--to", "markdown", "-o", tmp_path, "--force").code == 0
    assert (tmp_path / "pick.md").exists()


def test_a_report_can_go_to_standard_output(cli: Cli, recommendation: Path) -> None:
    found = cli("export", recommendation, "--to", "html", "-o", "-")
    assert found.code == 0
    assert found.out.startswith("<!doctype html>")


def test_files_that_standard_output_has_no_place_for_are_named(cli: Cli, recommendation: Path) -> None:
    found = cli("export", recommendation, "--to", "markdown", "-o", "-")
    assert (found.code, found.out[:2]) == (0, "# ")
    assert found.err == "left out: pick-memory.svg, pick-quality-speed.svg; -o DIR writes them too\n"
    everything = cli("export", recommendation, "--to", "all", "-o", "-")
    assert (everything.code, everything.out) == (2, "")
    assert "Name a folder: -o DIR." in everything.err


@pytest.mark.parametrize(("name", "others"), [("r.html", []), ("r.htm", []), ("r.md", ["r-memory.svg"])])
def test_a_recommendation_writes_its_report(cli: Cli, tmp_path: Path, name: str, others: list[str]) -> None:
    found = cli("recommend", *SMALL, "--report", tmp_path / "new" / name)
    assert (found.code, found.out) == (0, "")
    assert all((tmp_path / "new" / other).is_file() for other in (name, *others))
    again = cli("recommend", *SMALL, "--report", tmp_path / "new" / name)
    assert again.code == 2
    assert "exists" in again.err


def test_without_a_pick_there_is_no_report(cli: Cli, tmp_path: Path) -> None:
    found = cli("recommend", "--gpu", "none", "--ram", "2500MiB", "--report", tmp_path / "r.html")
    assert found.code == 3
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["recommend", *SMALL, "--report", "report.pdf"], "Known: .md, .markdown, .html, .htm."),
        (["recommend", *SMALL, "--report", "report"], "Known: .md, .markdown, .html, .htm."),
        (["export", "nowhere.toml", "--to", "html"], "nowhere.toml"),
        (["export", "pyproject.toml", "--to", "html"], "pyproject.toml"),
        (["export", "nowhere.toml"], "--to"),
    ],
)
def test_what_cannot_be_reported_is_told_in_one_line(cli: Cli, options: list[str], message: str) -> None:
    found = cli(*options)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert len(found.err.splitlines()) == 1


def test_a_misspelled_target_is_told_with_the_nearest(cli: Cli, recommendation: Path) -> None:
    found = cli("export", recommendation, "--to", "htlm")
    assert found.code == 2
    assert "Did you mean 'html'?" in found.err


@pytest.fixture
def published(cli: Cli, tmp_path: Path) -> Path:
    """A recommendation of a file that the catalogue knows, for a described machine."""
    path = tmp_path / "pick.toml"
    assert cli("recommend", *SMALL, "--quant", "Q4_K_M", "--model", "llama-3.1-8b-instruct", "-o", path).code == 0
    return path


def test_files_that_serve_are_written_beside_each_other(cli: Cli, published: Path, tmp_path: Path) -> None:
    options = ("--allow-simulated", "--gguf", "o/n/f.gguf", "--slots", "2")
    found = cli("export", published, "--format", "llama-server", "-o", tmp_path / "out", *options, "--json")
    assert found.code == 0
    names = [Path(file["path"]).name for file in found.document["files"]]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names[0].endswith(".sh")
    assert "--parallel 2" in (tmp_path / "out" / names[0]).read_text("utf-8")
    again = cli("export", published, "--to", "llama-server", "-o", tmp_path / "out", *options)
    assert again.code == 2
    assert "exists" in again.err


def test_a_described_machine_is_told_in_one_line(cli: Cli, published: Path, tmp_path: Path) -> None:
    found = cli("export", published, "--to", "compose", "-o", tmp_path / "out")
    assert (found.code, found.out) == (2, "")
    assert "--allow-simulated" in found.err
    assert len(found.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_all_writes_what_it_can_and_tells_the_rest(cli: Cli, published: Path, tmp_path: Path) -> None:
    found = cli("export", published, "--to", "all", "-o", tmp_path / "out", "--json")
    assert found.code == 0
    names = {Path(file["path"]).name for file in found.document["files"]}
    assert {"pick.md", "pick.html"} < names
    assert any(name.startswith("kuberay-") for name in names)
    assert "No compose: " in found.err
    assert not any(name.startswith("compose-") for name in names)


def test_manifests_can_go_to_standard_output(cli: Cli, published: Path) -> None:
    found = cli("export", published, "--to", "kubernetes", "--engine", "vllm", "--node", "p5.48xlarge", "-o", "-")
    assert found.code == 0
    assert found.out.startswith("# Kubernetes: ")
    assert "kind: Deployment" in found.out
