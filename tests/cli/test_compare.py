from __future__ import annotations

import pytest

from advisor.cli.main import COMMANDS
from tests.cli.running import Cli, as_process

PAIR = ("mistral-7b-instruct-v0.3", "llama-3.1-8b-instruct")
GPU = ("--gpu", "RTX 4090", "--ram", "64GiB")


def test_compare_is_a_command() -> None:
    assert "compare" in COMMANDS


def test_the_document_carries_its_keys(cli: Cli) -> None:
    found = cli("compare", *PAIR, *GPU, "--json")
    assert found.code == 0
    document = found.document
    assert document["schema_version"] == 1
    assert {"machine", "use", "subjects", "sections", "bottom_line", "catalogue"} <= set(document)
    assert {"label", "model", "hf_id", "family", "quantization", "usable", "fits", "score", "reasons"} <= set(
        document["subjects"][0]
    )
    for section in document["sections"]:
        assert set(section) == {"id", "title", "lines", "notes"}
        for line in section["lines"]:
            assert set(line) == {"id", "title", "unit", "remark", "figures", "edge"}
            assert all(set(figure) == {"text", "value", "basis", "source"} for figure in line["figures"])
            assert line["edge"] is None or set(line["edge"]) == {"kind", "subject", "text"}


def test_sections_follow_the_order_of_the_question(cli: Cli) -> None:
    sections = [s["id"] for s in cli("compare", "mistral", "llama", *GPU, "--json").document["sections"]]
    assert sections == [
        "families", "quality", "efficiency", "licence", "languages", "ecosystem", "tuning", "deployment",
    ]  # fmt: skip


def test_plain_is_one_figure_a_line_with_basis_and_source(cli: Cli) -> None:
    lines = cli("compare", *PAIR, *GPU, "--plain").out.splitlines()
    assert lines[0].split("\t") == ["section", "line", "subject", "text", "basis", "source"]
    assert all(line.count("\t") == 5 for line in lines)
    decode = [line.split("\t") for line in lines if line.startswith("efficiency\tdecode\t")]
    assert decode[0][4] == "estimated"


def test_text_ends_with_the_bottom_line(cli: Cli) -> None:
    text = cli("compare", *PAIR, *GPU).out
    assert text.index("Sources") < text.index("Bottom line")
    assert "trial on your own task" in text.splitlines()[-1]


def test_markdown_has_tables_and_numbered_sources(cli: Cli) -> None:
    text = cli("compare", *PAIR, *GPU, "--markdown").out
    assert text.startswith("# mistral-7b-instruct-v0.3")
    assert "\n| --- |" in text
    assert "\n## Sources\n\n1. " in text


@pytest.mark.parametrize("other", ["--json", "--plain"])
def test_two_forms_at_once_are_refused(cli: Cli, other: str) -> None:
    found = cli("compare", "mistral", "llama", "--markdown", other)
    assert (found.code, found.out) == (2, "")
    assert "exclude one another" in found.err


def test_the_same_inputs_give_the_same_bytes() -> None:
    machine = "benchmarks/data/machines/rtx-4090.toml"
    first, second = (as_process("compare", *PAIR, "--machine", machine, "--json") for _ in range(2))
    assert first.code == 0
    assert first.out == second.out


def test_none_usable_is_exit_3_with_the_comparison_and_the_reasons(cli: Cli) -> None:
    found = cli("compare", *PAIR, *GPU, "--set", 'languages.required=["ja"]', "--json")
    assert found.code == 3
    assert len(found.document["sections"]) == 7
    assert not any(subject["usable"] for subject in found.document["subjects"])
    last = found.err.splitlines()[-1]
    assert "the model card does not claim" in last
    assert "ja" in last


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["mistral-7b-instruct-v0.4", "llama"], "Did you mean 'mistral-7b-instruct-v0.3'?"),
        (["mistrall", "llama"], "Did you mean 'mistral'?"),
        (["mistral", "llama-3.1-8b-instruct:Q4_KM"], "Did you mean 'Q4_K_M'?"),
        (["mistral"], "2 to 4"),
        ([], "2 to 4"),
        (["mistral", "mistral"], "stands twice"),
        (["mistral", "llama", *PAIR, "mixtral-8x7b-instruct-v0.1"], "2 to 4"),
    ],
)
def test_bad_names_are_exit_2_with_one_line(cli: Cli, names: list[str], message: str) -> None:
    found = cli("compare", *names, *GPU)
    assert found.code == 2
    assert found.out == ""
    assert message in found.err
    assert len(found.err.splitlines()) == 1


def test_a_quantization_can_follow_the_name(cli: Cli) -> None:
    document = cli("compare", f"{PAIR[1]}:q4_k_m", f"{PAIR[1]}:Q8_0", *GPU, "--json").document
    assert [subject["quantization"] for subject in document["subjects"]] == ["Q4_K_M", "Q8_0"]
