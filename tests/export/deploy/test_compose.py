"""The Compose file against compose-spec's fields, and against Compose itself where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from advisor.errors import InputError
from advisor.export.deploy import serving_files
from advisor.export.deploy.serving import GgufSource, LlamaSettings, Replicas, Serving
from tests.export.deploy.support import documents, fields, hostile_llama, llama, misfits, on_processor, vllm

EVERY = [llama(), on_processor(), vllm(), llama(backend="rocm"), llama(backend="vulkan")]


def compose(serving: Serving) -> dict[str, Any]:
    (found,) = documents(next(iter(serving_files("compose", serving).values())))
    document: dict[str, Any] = found
    return document


@pytest.mark.parametrize("serving", EVERY)
def test_every_field_is_one_of_the_specification(serving: Serving) -> None:
    assert list(misfits(compose(serving), fields("compose_fields.json"))) == []


def test_the_list_of_fields_finds_what_is_wrong() -> None:
    document = compose(llama())
    document["services"]["server"]["helthcheck"] = {}
    document["services"]["server"]["healthcheck"]["interval"] = 15
    document["services"]["server"]["depends_on"]["weights"]["condition"] = "service_done"
    assert len(list(misfits(document, fields("compose_fields.json")))) == 3


def test_the_gpus_are_reserved_and_the_weights_come_first() -> None:
    server = compose(llama())["services"]["server"]
    (device,) = server["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}
    assert server["depends_on"] == {"weights": {"condition": "service_completed_successfully"}}
    assert server["image"] == "ghcr.io/ggml-org/llama.cpp:server-cuda"
    assert "deploy" not in compose(on_processor())["services"]["server"]
    assert compose(vllm())["services"]["server"]["shm_size"] == "2gb"


def test_of_several_gpus_those_are_reserved_that_were_planned() -> None:
    settings = LlamaSettings("f16", True, 2048, 512, 8, 33, (0, 32))
    one_of_two = llama(llama=settings, gpus=1)
    (device,) = compose(one_of_two)["services"]["server"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "device_ids": ["1"], "capabilities": ["gpu"]}
    assert list(misfits(compose(one_of_two), fields("compose_fields.json"))) == []
    text = next(iter(serving_files("compose", vllm(replicas=Replicas(4, 4, "as given", per_machine=4))).values()))
    assert "One machine runs 4 copies, each on GPUs of its own" in text
    assert "One machine runs" not in next(iter(serving_files("compose", vllm()).values()))


def test_only_hosts_with_amd_gpus_are_asked_for_amds_own_device() -> None:
    devices = {name: compose(llama(backend=name))["services"]["server"]["devices"] for name in ("rocm", "vulkan")}
    assert devices == {"rocm": ["/dev/kfd:/dev/kfd", "/dev/dri:/dev/dri"], "vulkan": ["/dev/dri:/dev/dri"]}


def test_it_listens_on_this_machine_and_holds_no_secret() -> None:
    server = compose(llama())["services"]["server"]
    assert server["ports"] == ["127.0.0.1:8080:8080"]
    assert server["environment"]["LLAMA_API_KEY"].startswith("${LLAMA_API_KEY:?")
    assert "HF_TOKEN" not in server["environment"]
    assert server["labels"]["llm-advisor/display"] == "Built with Llama"


@settings(max_examples=100, deadline=None)
@given(serving=hostile_llama())
def test_no_name_becomes_a_variable(serving: Serving) -> None:
    document = compose(serving)
    environment = document["services"]["server"].pop("environment")
    document["services"]["weights"].pop("environment")
    assert environment["LLAMA_API_KEY"].count("$") == 1
    text = json.dumps(document).replace("$$", "")
    assert "$" not in text
    plain = document["services"]["server"]["command"]
    assert plain[plain.index("--alias") + 1].replace("$$", "$") == serving.model


def test_what_no_container_can_run_is_refused() -> None:
    with pytest.raises(InputError, match="no image for metal"):
        compose(llama(backend="metal"))
    with pytest.raises(InputError, match=r"does not see /m/a\.gguf"):
        compose(llama(gguf=GgufSource(None, "/m/a.gguf")))


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="no docker-compose here")
@pytest.mark.parametrize("serving", [llama(), on_processor(), vllm()])
def test_compose_itself_takes_the_file(serving: Serving, tmp_path: Path) -> None:
    document = compose(serving)
    version = subprocess.run(["docker-compose", "--version"], capture_output=True, text=True, check=True).stdout
    if "version 1." in version:
        document.pop("name")  # newer than Compose 1
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(document), "utf-8")
    (tmp_path / "key.env").write_text("LLAMA_API_KEY=k\nVLLM_API_KEY=k\n", "utf-8")
    ran = subprocess.run(
        ["docker-compose", "--env-file", "key.env", "-f", "compose.yaml", "config"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "127.0.0.1" in ran.stdout
