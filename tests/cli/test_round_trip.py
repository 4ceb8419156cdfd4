"""A recommendation written, read back, verified and run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tomli

from tests.cli.running import SHORT, Cli

LOW = ("--set", "latency.tokens_per_s=none")


def test_a_recommendation_is_written_verified_and_not_overwritten(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "recommendation.toml"
    written = cli("recommend", "-o", path, *LOW)
    assert (written.code, written.out) == (0, "")
    document = tomli.loads(path.read_text())
    assert document["recommendation"]["model"]
    assert "#" in path.read_text()
    verified = cli("verify", path, "--json")
    assert verified.code == 0
    assert verified.document["status"] == "holds"
    again = cli("recommend", "-o", path)
    assert again.code == 2
    assert "exists" in again.err
    assert tomli.loads(path.read_text()) == document
    assert cli("recommend", "-o", path, "--force", *LOW).code == 0


@pytest.mark.parametrize("form", ["--json", "--plain", "--excluded", "--exclusions"])
def test_a_recommendation_on_standard_output_stands_there_alone(cli: Cli, form: str) -> None:
    found = cli("recommend", "-o", "-", form, *LOW)
    assert found.code == 0
    assert tomli.loads(found.out)["recommendation"]["model"]


def test_a_machine_is_written_and_told_as_json_at_once(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    assert cli("probe", "-o", path, "--json").document["simulated"] is False
    assert tomli.loads(path.read_text("utf-8"))["memory"]["total"] > 0
    assert "memory" in tomli.loads(cli("probe", "-o", "-", "--json").out)


def test_a_recommendation_that_no_longer_fits_fails_verification(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "recommendation.toml"
    assert cli("recommend", "-o", path, "--gpu", "RTX 4090", "--ram", "64GiB").code == 0
    found = cli("verify", path, "--gpu", "none", "--ram", "3GiB")
    assert found.code == 4
    assert "no longer holds" in found.err


def test_a_recommendation_replays_on_its_recorded_machine(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "recommendation.toml"
    assert cli("recommend", "-o", path, "--gpu", "H100 80GBx2", "--ram", "256GiB").code == 0
    found = cli("verify", path, "--recorded-machine", "--json")
    assert found.code == 0
    assert found.document["status"] == "holds"


def test_a_recommendation_file_serves_as_constraints(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "recommendation.toml"
    assert cli("recommend", "-o", path, "--set", "task.kind=coding", *LOW).code == 0
    found = cli("recommend", "--json", "--constraints", path)
    assert found.document["constraints"]["task"]["kind"] == "coding"


def test_real_weights_pass_the_smoke_test(cli: Cli, smollm2: Path) -> None:
    found = cli("smoke", smollm2, "--json", *LOW, *SHORT)
    assert found.code == 0
    document = found.document
    assert document["verdict"] in ("pass", "warn")
    assert document["synthetic"] is False
    assert document["decode_tokens_per_s"] > 1
    checks = {check["id"]: check["passed"] for check in document["checks"]}
    assert checks["runs"] is True
    assert checks["text"] is True


def test_a_speed_that_is_out_of_reach_fails_the_smoke_test(cli: Cli, smollm2: Path) -> None:
    found = cli("smoke", smollm2, "--json", "--set", "latency.tokens_per_s=100000", *SHORT)
    assert found.code == 4
    assert found.document["verdict"] == "fail"


def test_the_size_of_a_real_file_is_read_off_its_header(cli: Cli, smollm2: Path) -> None:
    from gguf import GGUFReader

    tensors = GGUFReader(smollm2).tensors
    found = cli("size", smollm2, "--json").document
    assert found["weights_bytes"] == sum(int(t.n_bytes) for t in tensors)


def test_commands_that_need_no_screen_load_no_textual() -> None:
    import subprocess

    code = (
        "import sys; from advisor.cli.main import run; run(['models', '--plain']); sys.exit('textual' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 0


def test_a_recommendation_loads_nothing_that_only_files_and_screens_need() -> None:
    import subprocess

    code = (
        "import sys; from advisor.cli.main import run; run(['recommend', '--json']);"
        "late = {'pydantic', 'textual', 'rich', 'tomlkit', 'numpy', 'huggingface_hub', 'llama_cpp'};"
        "print(*sorted(late & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.startswith("{")
    assert done.stderr.strip().splitlines()[-1:] in ([], [""]), done.stderr


def test_a_smoke_test_is_written_into_the_recommendation_that_it_tested(cli: Cli, tmp_path: Path) -> None:
    path, tested = tmp_path / "recommendation.toml", tmp_path / "tested.toml"
    assert cli("recommend", "-o", path, *LOW, *SHORT).code == 0
    before = tomli.loads(path.read_text())
    found = cli("smoke", path, "-o", tested, "--json")
    assert found.code == 0
    after = tomli.loads(tested.read_text())
    pick = before["recommendation"]
    assert after.pop("smoke")["subject"] == found.document["subject"] == f"{pick['model']}:{pick['quantization']}"
    assert after == before
    assert tested.read_text().startswith("#:schema")
    assert cli("verify", tested, "--json").code == 0
    again = cli("smoke", path, "-o", tested)
    assert (again.code, "exists" in again.err) == (2, True)


def test_a_smoke_test_of_a_file_is_written_nowhere(cli: Cli, smollm2: Path) -> None:
    found = cli("smoke", smollm2, "-o", "tested.toml")
    assert found.code == 2
    assert "nothing to write" in found.err
