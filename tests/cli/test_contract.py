"""What other programs rely on: exit codes, streams, keys, stable bytes."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from advisor.cli.diagnostics import ExitCode, exit_code_for, guarded
from advisor.cli.main import COMMANDS
from advisor.cli.main import cli as cli_group
from advisor.cli.options import flag_of
from advisor.errors import (
    AdvisorError,
    CheckFailedError,
    EngineError,
    InputError,
    NetworkError,
    NoCandidateError,
)
from advisor.service import Advisor
from advisor.service.diagnosis import Diagnosis
from advisor.text import printable
from tests.builders import questionnaire
from tests.cli.running import Cli, as_process

SMALL = ("--gpu", "none", "--ram", "16GiB")


def test_every_kind_of_error_has_its_exit_code() -> None:
    codes = {
        InputError: 2,
        NoCandidateError: 3,
        CheckFailedError: 4,
        NetworkError: 5,
        EngineError: 6,
        AdvisorError: 1,
    }
    assert {kind: int(exit_code_for(kind("x"))) for kind in codes} == codes
    assert set(AdvisorError.__subclasses__()) <= set(codes)
    assert int(ExitCode.INTERRUPTED) == 130


def test_without_a_terminal_and_arguments_it_says_how_to_go_on() -> None:
    found = as_process()
    assert found.code == 2
    assert found.out == ""
    assert "llm-advisor --help" in found.err
    assert len(found.err.splitlines()) == 1


def test_an_error_moves_no_cursor_with_or_without_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise InputError("a file named \x1b]0;title\x07 or \x9b2J")

    for debug in (False, True):
        assert guarded(fail, debug=debug) == ExitCode.INVALID
        said = capsys.readouterr().err
        assert ("Traceback" in said) == debug
        assert "\\x1b]0;title\\x07 or \\x9b2J" in said
        assert printable(said) == said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(cli: Cli, command: str) -> None:
    found = cli(command, "--help")
    assert found.code == 0
    assert f"llm-advisor {command}" in found.out
    assert found.err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recomend"], "Did you mean 'recommend'? Try: llm-advisor --help"),
        (["recommend", "--jsn"], "no such option"),
        (["size", "mistral-7b-instruct-v0.4"], "Did you mean 'mistral-7b-instruct-v0.3'?"),
        (["size", "mistral-7b-instruct-v0.3", "--quant", "Q4_KM"], "Did you mean 'Q4_K_M'?"),
        (["size", "mistral-7b-instruct-v0.3", "--ctx", "999999"], "--ctx 32768 or less"),
        (["size", "mistral-7b-instruct-v0.3", "--kv-type", "q8"], "Did you mean 'q8_0'?"),
        (["size", "mistral-7b-instruct-v0.3", "--gpu-layers", "34", "--gpu", "RTX 4090"], "0 to 33"),
        (["size", "mistral-7b-instruct-v0.3", "--gpu-layers", "3", "--gpu", "none"], "no GPU"),
        (["size", "missing.gguf"], "missing.gguf"),
        (["recommend", "--gpu", "RTX 9999"], "RTX"),
        (["recommend", "--ram", "lots"], "is no size"),
        (["recommend", "--set", "use.mau"], "key=value"),
        (["recommend", "--set", "use.maus=3"], "Did you mean 'use.mau'?"),
        (["recommend", "--set", "task.kind=cooking"], "task.kind"),
        (["recommend", "--constraints", "nowhere.toml"], "nowhere.toml"),
        (["licence", "no-such-model"], "unknown model"),
        (["verify", "nowhere.toml"], "nowhere.toml"),
        (["smoke", "nowhere.gguf"], "nowhere.gguf"),
        (["schema", "nothing"], "nothing"),
        (["recommend", "extra"], "argument (extra). Try: llm-advisor recommend --help"),
        (["recommend", "--json", "--plain"], "give one of them"),
        (["recommend", "--ram", "64"], "'--ram': no machine has 64 bytes; write a unit"),
        (["recommend", "--quant", "q4"], "Those that begin like that: Q4_0, Q4_1, Q4_K_S, Q4_K_M."),
        (["recommend", "--quant", "Q5_K"], "Those that begin like that: Q5_K_S, Q5_K_M."),
        (["recommend", "--quant", "Q9"], "Known file types: F32, F16,"),
        (["recommend", "-o", "."], "is a folder. Name a file."),
        (["recommend", "--report", "page"], "Known: .md"),
        (["show", "mistral-7b"], "or 'mistral-7b-instruct-v0.3'?"),
        (["compare", "mistral"], "2 to 4 can be compared, not 1"),
        (["size", "."], "its name does not end in .gguf"),
        (["size", "ftp://x.example/a.gguf"], "only by https"),
        (["smoke", "https://x.example/a.gguf?secret=1"], "https://x.example/a.gguf cannot be used"),
        (["smoke", "mistral-7b-instruct-v0.3", "-o", "new.toml"], "leave -o out"),
        (["trial", "nowhere.jsonl", "--picks", "2"], "nowhere.jsonl"),
        (["trial", "nowhere.jsonl", "--judge", "--result", "nowhere.json"], "--result goes with --judge alone"),
        (["trial", "--result", "nowhere.json"], "--result goes with --judge alone"),
        (["trial", "--text", "nowhere.txt", "--file", "a.gguf", "--picks", "2"], "--text goes with files alone"),
        (["trial", "--text", "nowhere.txt", "--file", "a.gguf", "-o", "new.json"], "--text writes no file"),
        (["recommend", "--what-hardware", "--model", "x", "-o", "new.toml"], "--what-hardware takes no -o"),
        (["recommend", "--what-hardware", "--model", "x", "--relax", "x"], "--what-hardware takes no --relax"),
        (["verify", "nowhere.toml", "--recorded-machine", "--gpu", "none"], "Leave --gpu, --ram and --machine out."),
        (["plan", "--fleet", "nowhere.toml", "--gpu", "none"], "--gpu and --ram change one machine only"),
        (["download", "mistral-7b-instruct-v0.3", "--to", __file__], "is no folder"),
    ],
)
def test_bad_input_ends_with_one_clear_line_and_exit_2(cli: Cli, arguments: list[str], message: str) -> None:
    found = cli(*arguments)
    assert found.code == 2
    assert found.out == ""
    assert message in found.err
    assert len(found.err.splitlines()) == 1
    assert "Traceback" not in found.err


@pytest.mark.parametrize("arguments", [["verify"], ["smoke"], ["export", "--to", "html"]])
def test_a_file_of_another_kind_is_told_apart_from_a_recommendation(
    cli: Cli, arguments: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "needs.toml"
    path.write_text("schema_version = 1\n[use]\ncommercial = true\n", "utf-8")
    found = cli(*arguments, path)
    assert found.code == 2
    assert found.err.splitlines() == [
        f"llm-advisor: {path} is no recommendation: it has no table [recommendation]. "
        "Write one with: llm-advisor recommend -o FILE"
    ]


def test_an_outcome_that_cannot_be_written_is_refused_before_the_work(cli: Cli, tmp_path: Path) -> None:
    tasks, taken = tmp_path / "tasks.jsonl", tmp_path / "result.json"
    tasks.write_text('{"id": "a", "prompt": "Say a."}\n', "utf-8")
    taken.write_text("mine", "utf-8")
    found = cli("trial", tasks, "--file", tmp_path / "missing.gguf", "-o", taken)
    assert (found.code, found.out) == (2, "")
    assert f"{taken} exists" in found.err
    assert taken.read_text("utf-8") == "mine"


def test_a_report_that_cannot_be_written_is_refused_before_the_recommendation_is(cli: Cli, tmp_path: Path) -> None:
    taken, wanted = tmp_path / "report.html", tmp_path / "pick.toml"
    taken.write_text("mine", "utf-8")
    found = cli("recommend", *SMALL, "-o", wanted, "--report", taken)
    assert (found.code, found.out) == (2, "")
    assert f"{taken} exists" in found.err
    assert not wanted.exists()


def test_a_broken_constraints_file_is_named_with_its_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "needs.toml"
    path.write_text("[use]\ncommercial = \n")
    found = cli("recommend", "--constraints", path)
    assert found.code == 2
    assert "needs.toml" in found.err
    assert "line 2" in found.err


def test_a_misspelled_key_in_a_file_is_named_with_the_nearest(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "needs.toml"
    path.write_text('[languages]\nrequird = ["fr"]\n')
    found = cli("recommend", "--constraints", path)
    assert found.code == 2
    assert "languages.requird" in found.err
    assert "Did you mean 'languages.required'?" in found.err


def test_a_recommendation_carries_the_contracts_keys(cli: Cli) -> None:
    found = cli("recommend", "--json", *SMALL)
    assert found.code == 0
    document = found.document
    assert document["schema_version"] == 1
    assert {"machine", "constraints", "recommendation", "alternatives", "rejected", "plan", "catalogue"} <= set(
        document
    )
    pick = document["recommendation"]
    assert {
        "model", "hf_id", "quantization", "placement", "footprint", "speed", "licence", "languages", "quality",
        "score", "basis", "close_calls",
    } <= set(pick)  # fmt: skip
    shown = {f"{other['model']}:{other['quantization']}" for other in document["alternatives"]}
    assert set(pick["close_calls"]) <= shown
    quality = pick["quality"]
    assert quality["low"] < quality["score"] < quality["high"]
    assert quality["interval"] == 0.9
    assert pick["footprint"]["total_bytes"] <= 14 << 30
    assert all(reason["text"] for rejected in document["rejected"] for reason in rejected["reasons"])
    assert set(document["catalogue"]) == {"version", "sha256"}


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    machine = tmp_path / "machine.toml"
    machine.write_text('[cpu]\nname = "AMD EPYC"\ncores = 8\n[memory]\ntotal = "64GiB"\n')
    first, second = (as_process("recommend", "--json", "--machine", machine, "--gpu", "RTX 4090") for _ in range(2))
    assert first.code == 0
    assert first.document["machine"]["simulated"] is True
    assert first.out == second.out


def test_nothing_that_fits_is_exit_3_with_three_near_misses(cli: Cli) -> None:
    found = cli("recommend", "--json", "--gpu", "none", "--ram", "2500MiB", "--set", "latency.tokens_per_s=400")
    assert found.code == 3
    assert found.document["recommendation"] is None
    misses = [line for line in found.err.splitlines() if line.startswith("near miss")]
    assert len(misses) == 3
    assert all("→" in line for line in misses)
    assert "no model satisfies the constraints" in found.err.splitlines()[-1]


def test_near_misses_begin_with_what_another_answer_admits(cli: Cli) -> None:
    found = cli("recommend", "--gpu", "none", "--ram", "24GiB", "--set", "latency.tokens_per_s=60")
    first = next(line for line in found.err.splitlines() if line.startswith("near miss"))
    wanted = first.rpartition("set latency.tokens_per_s to ")[2].removesuffix(" or less")
    again = cli("recommend", "--json", "--gpu", "none", "--ram", "24GiB", "--set", f"latency.tokens_per_s={wanted}")
    assert again.code == 0
    assert f"near miss {again.document['recommendation']['model']} " in first


def test_settings_win_over_the_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "needs.toml"
    path.write_text('[task]\nkind = "math"\ncontext_tokens = 4096\n')
    found = cli("recommend", "--json", *SMALL, "--constraints", path, "--set", "task.kind=coding")
    assert found.document["constraints"]["task"] == {"kind": "coding", "context_tokens": 4096, "fine_tune": False}


def test_a_missing_reader_is_no_error() -> None:
    import subprocess
    import sys

    command = f"{sys.executable} -m advisor models --json | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


def test_size_carries_the_contracts_keys(cli: Cli) -> None:
    found = cli("size", "mistral-7b-instruct-v0.3", "--json").document
    assert {
        "model", "quantization", "context_tokens", "basis", "weights_bytes", "kv_cache_bytes", "compute_bytes",
        "output_bytes", "total_bytes", "devices",
    } <= set(found)  # fmt: skip
    assert found["weights_bytes"] == 4_372_054_016
    assert found["kv_cache_bytes"] == 1 << 30
    assert {"name", "weights_bytes", "kv_cache_bytes", "compute_bytes"} <= set(found["devices"][0])


def test_licence_carries_the_contracts_keys(cli: Cli) -> None:
    found = cli("licence", "llama-3.1-8b-instruct", "--json", "--set", "use.mau_at_release=900000000").document
    assert {"model", "licence", "verdict", "obligations", "conservative", "clauses"} <= set(found)
    assert found["verdict"] == "needs_separate_licence"
    assert {"id", "text", "source"} <= set(found["clauses"][0])


@pytest.mark.parametrize("model", ["llama-3.1-8b-instruct", "llama-3.2-11b-vision-instruct", "codestral-22b-v0.1"])
def test_licence_says_as_text_whatever_it_says_as_json(cli: Cli, model: str) -> None:
    found = cli("licence", model, "--json").document
    text = cli("licence", model).out
    parts = (*found["obligations"], *found["standing"], *found["open_points"], *found["clauses"])
    for said in [part["text"] for part in parts] + found["reasons"] + found["changes"]:
        assert said in text


def test_plain_output_has_one_tab_separated_row_per_model(cli: Cli) -> None:
    lines = cli("models", "--plain").out.splitlines()
    assert lines[0].startswith("id\tfamily\t")
    assert len({line.count("\t") for line in lines}) == 1
    assert "mistral-7b-instruct-v0.3" in {line.split("\t")[0] for line in lines}


def test_show_gives_every_known_value_a_source(cli: Cli) -> None:
    rows = [line.split("\t") for line in cli("show", "mistral-7b-instruct-v0.3", "--plain").out.splitlines()[1:]]
    unsourced = {row[0] for row in rows if not row[2] and not row[1].startswith("unknown - ")}
    assert unsourced <= {"name", "family", "note"}


def test_probe_tells_this_machine(cli: Cli) -> None:
    import psutil

    document = cli("probe", "--json").document
    assert document["memory"]["total_bytes"]["value"] == psutil.virtual_memory().total
    assert document["engine"]["version"]["value"].startswith("0.3.")
    assert document["simulated"] is False


def test_a_probed_machine_can_be_advised_for_elsewhere(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    assert cli("probe", "-o", path).code == 0
    found = cli("recommend", "--json", "--machine", path)
    assert found.code == 0
    assert found.document["machine"]["simulated"] is True


def test_a_reason_stands_behind_what_it_is_about(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    path.write_text('[cpu]\ncores = 8\n[memory]\ntotal = "64GiB"\n[[gpu]]\nmemory = "24GiB"\n', "utf-8")
    facts = dict(line.split("\t") for line in cli("probe", "--machine", path, "--plain").out.splitlines())
    assert facts["GPU 0"].endswith(": 24.00 GiB, free unknown - machine.toml does not say")
    assert facts["cores"].startswith("8 physical, logical unknown - machine.toml does not say")


@pytest.mark.parametrize("text", ["none: no driver", "The driver cannot be asked."])
def test_doctor_parts_a_finding_from_what_would_mend_it(cli: Cli, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    found = Diagnosis("gpu", "failed", text, "Install it.", 1.0)
    monkeypatch.setattr(Advisor, "diagnose", lambda _: (found,))
    told = cli("doctor", "--plain")
    assert told.out.splitlines()[1] == f"✗ failed\tgpu\t{text.removesuffix('.')}. Install it.\t1"
    assert (told.code, told.err) == (4, "llm-advisor: 1 check failed: gpu\n")


def test_doctor_finds_this_installation_sound(cli: Cli) -> None:
    found = cli("doctor", "--json")
    assert found.code == 0
    assert {check["status"] for check in found.document["checks"]} <= {"ok", "warning"}


def test_every_question_has_a_flag_that_means_the_same_as_its_setting(cli: Cli) -> None:
    by_flag = cli("recommend", "--json", *SMALL, "--task-kind", "coding", "--languages-required", "fr,de")
    by_setting = cli(
        "recommend", "--json", *SMALL, "--set", "task.kind=coding", "--set", 'languages.required=["fr", "de"]'
    )
    assert by_flag.document["constraints"] == by_setting.document["constraints"]
    command = cli_group.get_command(click.Context(cli_group), "recommend")
    assert command is not None
    flags = {option for parameter in command.params for option in parameter.opts}
    assert {flag_of(question.key) for question in questionnaire().questions} <= flags


def test_a_flag_that_cannot_be_used_names_its_key(cli: Cli) -> None:
    found = cli("recommend", "--task-kind", "cooking")
    assert found.code == 2
    assert "task.kind: 'cooking' cannot be used" in found.err
