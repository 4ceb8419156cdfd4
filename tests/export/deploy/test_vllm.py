"""vLLM's files against the options of `vllm serve`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from advisor.errors import InputError
from advisor.export.deploy import serving_files
from advisor.export.deploy.serving import Replicas, VllmSettings
from advisor.export.deploy.vllm_args import command_line, engine_arguments
from tests.export.deploy.support import HOSTILE, listed, vllm

NAME = "vllm-llama-3-1-8b-instruct"


def test_every_key_is_an_option_of_vllm_serve() -> None:
    known = listed("vllm_serve_options.txt")
    config = yaml.safe_load(serving_files("vllm", vllm())[f"{NAME}.yaml"])
    assert len(config) > 10
    assert {f"--{key}" for key in config} <= known
    assert {argument.split("=")[0] for argument in command_line(vllm(), "0.0.0.0")[1:]} <= known
    assert {f"--{key.replace('_', '-')}" for key in engine_arguments(vllm())} <= known


def test_the_plan_stands_in_the_configuration() -> None:
    config = yaml.safe_load(serving_files("vllm", vllm())[f"{NAME}.yaml"])
    assert (config["model"], config["served-model-name"]) == (
        "meta-llama/Llama-3.1-8B-Instruct",
        "llama-3.1-8b-instruct",
    )
    assert (config["max-model-len"], config["max-num-seqs"]) == (8192, 256)
    assert (config["tensor-parallel-size"], config["quantization"]) == (2, "fp8")
    assert config["host"] == "127.0.0.1"
    whole = vllm(vllm=VllmSettings(1, 1, 0.92, 2048, fp8=False))
    assert "quantization" not in yaml.safe_load(serving_files("vllm", whole)[f"{NAME}.yaml"])


@pytest.mark.parametrize(("backend", "variable"), [("cuda", "CUDA_VISIBLE_DEVICES"), ("rocm", "HIP_VISIBLE_DEVICES")])
def test_copies_of_one_machine_have_gpus_and_ports_of_their_own(backend: str, variable: str) -> None:
    script = serving_files("vllm", vllm(replicas=Replicas(3, 3, "as given", per_machine=3), backend=backend))[
        f"{NAME}.sh"
    ]
    assert f"    {variable}=2,3 bash {NAME}.sh --port 8081" in script
    assert f"    {variable}=4,5 bash {NAME}.sh --port 8082" in script
    assert variable not in serving_files("vllm", vllm(backend=backend))[f"{NAME}.sh"]


def test_the_command_file_wants_a_key_and_hands_on_options(tmp_path: Path) -> None:
    program = tmp_path / "vllm"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", "utf-8")
    program.chmod(0o755)
    script = tmp_path / "run.sh"
    script.write_text(serving_files("vllm", vllm())[f"{NAME}.sh"], "utf-8")
    environment = {"PATH": f"{tmp_path}:{os.defpath}"}
    refused = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "VLLM_API_KEY" in refused.stderr
    environment["VLLM_API_KEY"] = "k"
    ran = subprocess.run(["bash", script, "--port", "9"], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["serve", "--config", f"{tmp_path}/{NAME}.yaml", "--port", "9"]


@settings(max_examples=40, deadline=None)
@given(model=HOSTILE, hub=HOSTILE, caution=HOSTILE)
def test_names_come_back_from_the_configuration_as_they_are(model: str, hub: str, caution: str) -> None:
    text = next(iter(serving_files("vllm", vllm(model=model, hf_id=hub, cautions=(caution,))).values()))
    config = yaml.safe_load(text)
    assert (config["model"], config["served-model-name"]) == (hub, model)


def test_one_program_cannot_span_machines() -> None:
    wide = vllm(vllm=VllmSettings(8, 2, 0.92, 2048, fp8=False))
    for target in ("vllm", "compose", "kubernetes"):
        with pytest.raises(InputError, match=r"takes 2 machines.*ray-serve"):
            serving_files(target, wide)
    assert serving_files("kuberay", wide)
