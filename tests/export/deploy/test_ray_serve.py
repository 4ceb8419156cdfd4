"""Ray Serve's configuration against Ray's own schema."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings

from advisor.export.deploy import serving_files
from advisor.export.deploy.ray_serve import accelerator_of
from advisor.export.deploy.serving import Replicas
from tests.export.deploy.support import HOSTILE, vllm


def test_ray_takes_the_configuration() -> None:
    schema = pytest.importorskip("ray.serve.schema", reason="ray[serve] is not installed")
    document = yaml.safe_load(next(iter(serving_files("ray-serve", vllm()).values())))
    found = schema.ServeDeploySchema.model_validate(document)
    (application,) = found.applications
    assert application.import_path == "ray.serve.llm:build_openai_app"
    (config,) = application.args["llm_configs"]
    schema.DeploymentSchema.model_validate({"name": "LLMServer", **config["deployment_config"]})


def test_the_plan_stands_in_the_configuration() -> None:
    serving = vllm(replicas=Replicas(4, 3, "the plan"))
    document = yaml.safe_load(next(iter(serving_files("ray-serve", serving).values())))
    (config,) = document["applications"][0]["args"]["llm_configs"]
    scaling = config["deployment_config"]["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (4, 8)
    assert scaling["target_ongoing_requests"] < config["deployment_config"]["max_ongoing_requests"] == 256
    assert config["engine_kwargs"]["tensor_parallel_size"] == 2
    assert config["accelerator_type"] == "H100"
    assert document["http_options"]["host"] == "127.0.0.1"


def test_accelerators_are_named_as_ray_names_them() -> None:
    accelerators = pytest.importorskip("ray.util.accelerators", reason="ray is not installed")
    known = {name for name in vars(accelerators).values() if isinstance(name, str)}
    names = ("H100 SXM 80GB", "A100 SXM 40GB", "L4", "Tesla T4", "A10G", "Instinct MI300X", "V100")
    assert {accelerator_of(name) for name in names} <= known
    assert [accelerator_of(name) for name in ("RTX 4090", "L40S", None)] == [None, None, None]


@settings(max_examples=40, deadline=None)
@given(model=HOSTILE, hub=HOSTILE)
def test_names_come_back_as_they_are(model: str, hub: str) -> None:
    text = next(iter(serving_files("ray-serve", vllm(model=model, hf_id=hub)).values()))
    (config,) = yaml.safe_load(text)["applications"][0]["args"]["llm_configs"]
    assert config["model_loading_config"] == {"model_id": model, "model_source": hub}
