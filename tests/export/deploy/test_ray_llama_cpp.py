"""llama.cpp on Ray Serve: the configuration by Ray's own schema, the application by the project's own rules."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tomli
import yaml

from advisor.domain.export_request import ExportRequest
from advisor.errors import InputError
from advisor.export.deploy import serving_files
from advisor.export.deploy.serving import LlamaSettings
from advisor.service import Advisor, MachineChoice
from tests.export.deploy.support import llama

ROOT = Path(__file__).parents[3]
TARGET = "ray-llama-cpp"


def recommendation(folder: Path, *settings: str, gpu: str | None = None) -> Path:
    advisor = Advisor()
    machine = advisor.machine(MachineChoice(gpu=gpu or "none", ram_bytes=32 << 30))
    answers = advisor.answers(settings=list(settings))
    found = advisor.recommend(machine, advisor.constraints(answers))
    path = folder / "pick.toml"
    path.write_text(advisor.recommendation_text(found, answers), "utf-8")
    return path


def exported(path: Path, **request: Any) -> dict[str, str]:
    return Advisor().export_file(path, TARGET, ExportRequest(allow_simulated=True, **request))


def load_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomli.loads(path.read_text("utf-8"))["plan"]
    return found


def configuration(texts: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(next(iter(texts.values())))
    return found


@pytest.mark.cluster
def test_ray_takes_the_configuration(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    path = tmp_path / "serve.yaml"
    path.write_text(next(iter(exported(recommendation(tmp_path)).values())), "utf-8")
    code = (
        "import sys, yaml; from ray.serve.schema import ServeDeploySchema;"
        "found = ServeDeploySchema.model_validate(yaml.safe_load(open(sys.argv[1])));"
        "print([d.name for d in found.applications[0].deployments])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "['Gateway', 'LlamaReplica']\n"), done.stderr


SCHEMA = {
    "type": "object",
    "properties": {"sum": {"type": "integer"}},
    "required": ["sum"],
    "additionalProperties": False,
}
ANSWERING = """
import json, sys
from llama_app import ChatRequest
from llama_cpp import Llama
request = ChatRequest.model_validate(json.loads(sys.argv[2]))
found = Llama(sys.argv[1], n_ctx=512, n_threads=1, verbose=False).create_chat_completion(**request.arguments(48))
print(found["choices"][0]["message"]["content"])
"""


@pytest.mark.cluster
@pytest.mark.parametrize(
    "asked",
    [
        {"type": "json_schema", "json_schema": {"name": "sum", "schema": SCHEMA}},
        {"type": "json_object", "schema": SCHEMA},
    ],
)
def test_an_answer_keeps_to_the_schema_that_a_client_sends(
    tmp_path: Path, smollm2: Path, asked: dict[str, Any]
) -> None:
    pytest.importorskip("ray")
    (tmp_path / "llama_app.py").write_text(exported(recommendation(tmp_path))["llama_app.py"], "utf-8")
    messages = [{"role": "user", "content": "What is 2 + 2?"}]
    request = json.dumps({"messages": messages, "temperature": 0, "response_format": asked})
    command = [sys.executable, "-c", ANSWERING, str(smollm2), request]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=120)
    answer = json.loads(done.stdout)
    assert list(answer) == ["sum"]
    assert isinstance(answer["sum"], int)


@pytest.mark.cluster
def test_a_schema_that_is_missing_is_the_clients_mistake(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "llama_app.py").write_text(exported(recommendation(tmp_path))["llama_app.py"], "utf-8")
    code = "from llama_app import ResponseFormat as F; F.model_validate({'type': 'json_schema'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "json_schema is missing" in done.stderr


def test_the_application_is_clean_by_the_projects_own_rules(tmp_path: Path) -> None:
    texts = exported(recommendation(tmp_path))
    path = tmp_path / "llama_app.py"
    path.write_text(texts["llama_app.py"], "utf-8")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), "--no-cache", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_every_setting_of_the_configuration_is_one_of_the_application(tmp_path: Path) -> None:
    texts = exported(recommendation(tmp_path))
    module = ast.parse(texts["llama_app.py"])
    (settings,) = [n for n in module.body if isinstance(n, ast.ClassDef) and n.name == "Settings"]
    known = {n.target.id for n in settings.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    assert set(configuration(texts)["applications"][0]["args"]) <= known


def test_a_copy_answers_one_request_at_a_time_so_there_are_as_many_as_requests(tmp_path: Path) -> None:
    path = recommendation(tmp_path, "scale.users=100", "latency.ttft_ms=20000")
    application = configuration(exported(path, gguf="/m.gguf"))["applications"][0]
    gateway, replica = application["deployments"]
    assert replica["max_ongoing_requests"] == 2
    assert replica["max_replicas_per_node"] == 1
    assert replica["max_queued_requests"] == 8 * replica["num_replicas"]
    assert replica["num_replicas"] >= load_of(path)["slots"] > 1
    assert gateway["ray_actor_options"] == {"num_cpus": 0}
    for options in ({"slots": 4}, {"node": "g6.xlarge"}, {"engine": "vllm"}):
        with pytest.raises(InputError):
            exported(path, gguf="/m.gguf", **options)


def test_gpus_are_asked_for_where_the_model_lies_on_them(tmp_path: Path) -> None:
    replica = configuration(exported(recommendation(tmp_path, gpu="RTX 4090")))["applications"][0]["deployments"][1]
    assert replica["ray_actor_options"]["num_gpus"] == 1
    assert "max_replicas_per_node" not in replica


def test_layers_are_shared_out_as_recommended_and_experts_in_system_memory_are_refused() -> None:
    several = replace(llama(slots=1), llama=LlamaSettings("f16", True, 2048, 512, 8, 33, (20, 12)))
    application = configuration(serving_files(TARGET, several))["applications"][0]
    assert application["args"]["gpu_shares"] == [20, 13]
    assert application["deployments"][1]["ray_actor_options"]["num_gpus"] == 2
    with pytest.raises(InputError, match="leave the experts in system memory"):
        serving_files(TARGET, llama(slots=1))


def test_weights_come_from_the_hub_or_from_a_place_on_every_node(tmp_path: Path) -> None:
    path = recommendation(tmp_path)
    fetched = configuration(exported(path))["applications"][0]["args"]
    assert fetched["model_files"][0].endswith(".gguf")
    assert "model_path" not in fetched
    placed = configuration(exported(path, gguf="/models/x.gguf"))["applications"][0]["args"]
    assert placed["model_path"] == "/models/x.gguf"


def test_licence_duties_are_in_the_configuration_the_notice_and_what_the_server_says(tmp_path: Path) -> None:
    path = recommendation(tmp_path, "preferences.families=['llama']", "use.redistribute=product")
    texts = exported(path)
    assert "Built with Llama" in next(iter(texts.values()))
    assert any("Built with Llama" in text for name, text in texts.items() if name.endswith("NOTICE.txt"))
    assert "Built with Llama" in configuration(texts)["applications"][0]["args"]["notices"]


def test_the_package_holds_the_application_as_text_not_as_a_module() -> None:
    assert find_spec("advisor.export.deploy.ray_llama_app") is None
    assert (ROOT / "advisor/export/deploy/ray_llama_app.py.txt").is_file()
