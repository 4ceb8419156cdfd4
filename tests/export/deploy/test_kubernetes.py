"""Manifests against the JSON schemas of Kubernetes, unknown fields refused, and KubeRay's against its fields."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings

from advisor.errors import InputError
from advisor.export.deploy import serving_files
from advisor.export.deploy.serving import Replicas, Serving, VllmSettings
from advisor.units import GIB
from tests.export.deploy.support import documents, fields, hostile_llama, llama, misfits, on_processor, vllm

VERSIONS = ("1.29", "1.34", "1.37")
KINDS = {
    "PersistentVolumeClaim", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
}  # fmt: skip


def manifests(serving: Serving) -> dict[str, Any]:
    """By kind."""
    return {m["kind"]: m for m in documents(next(iter(serving_files("kubernetes", serving).values())))}


def rayservice(serving: Serving) -> dict[str, Any]:
    (found,) = documents(next(iter(serving_files("kuberay", serving).values())))
    manifest: dict[str, Any] = found
    return manifest


def engine(serving: Serving) -> dict[str, Any]:
    (container,) = manifests(serving)["Deployment"]["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "serving", [llama(), on_processor(), vllm(), llama(backend="rocm"), on_processor(ram_bytes=None)]
)
def test_kubernetes_takes_every_manifest(serving: Serving, version: str) -> None:
    texts = list(serving_files("kubernetes", serving).values())
    found = [*documents(texts[0]), *documents(texts[1])]
    assert {m["kind"] for m in found} == {*KINDS, "Secret"}
    for manifest in found:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_find_what_is_wrong() -> None:
    deployment = manifests(llama())["Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)


def test_the_autoscaler_starts_from_the_planned_copies() -> None:
    found = manifests(llama(replicas=Replicas(7, 6, "the plan"), slots=4))
    scaler = found["HorizontalPodAutoscaler"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (7, 14)
    assert scaler["metrics"][0]["pods"]["target"]["averageValue"] == "3200m"
    assert "replicas" not in found["Deployment"]["spec"]


def test_everything_that_selects_finds_the_pods() -> None:
    found = manifests(llama())
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    spec = {kind: manifest["spec"] for kind, manifest in found.items()}
    selectors = [
        spec["Deployment"]["selector"]["matchLabels"],
        spec["Service"]["selector"],
        spec["PodDisruptionBudget"]["selector"]["matchLabels"],
        spec["NetworkPolicy"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert spec["HorizontalPodAutoscaler"]["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    claim = spec["Deployment"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == found["PersistentVolumeClaim"]["metadata"]["name"]


def test_a_pod_asks_for_gpus_memory_and_nothing_dangerous() -> None:
    container = engine(llama(ram_bytes=2 * GIB))
    assert container["resources"]["limits"] == {"memory": "2560Mi", "nvidia.com/gpu": "2"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    pod = manifests(llama())["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert engine(llama(backend="rocm"))["resources"]["limits"]["amd.com/gpu"] == "2"
    assert engine(on_processor())["resources"]["requests"]["cpu"] == "8"
    assert "memory" not in engine(on_processor(ram_bytes=None))["resources"].get("limits", {})


def test_keys_come_from_a_secret() -> None:
    container = engine(llama())
    variables = {variable["name"]: variable for variable in container["env"]}
    reference = variables["LLAMA_API_KEY"]["valueFrom"]["secretKeyRef"]
    secret = documents(list(serving_files("kubernetes", llama()).values())[1])[0]
    assert reference["name"] == secret["metadata"]["name"]
    assert reference["key"] in secret["stringData"]
    assert set(secret["stringData"].values()) == {""}
    assert "HF_TOKEN" not in variables


def test_probes_wait_for_the_weights() -> None:
    container = engine(vllm())
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 3600
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {
        "/health"
    }


def test_duties_stand_in_the_annotations() -> None:
    notes = manifests(llama())["Deployment"]["metadata"]["annotations"]
    assert notes["llm-advisor/display"] == "Built with Llama"
    assert "acceptable use policy" in notes["llm-advisor/binding"]


def test_a_gpu_without_a_device_plugin_is_refused() -> None:
    with pytest.raises(InputError, match="no device plugin for vulkan"):
        manifests(llama(backend="vulkan"))


@settings(max_examples=15, deadline=None)
@given(serving=hostile_llama())
def test_hostile_names_stay_values(serving: Serving) -> None:
    found = manifests(serving)
    assert set(found) == KINDS
    kubernetes_validate.validate(found["Deployment"], VERSIONS[-1], strict=True)
    (download,) = found["Deployment"]["spec"]["template"]["spec"]["initContainers"]
    assert "$(" not in download["command"][2].replace("$$(", "")
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    arguments = container["args"]
    given_name = arguments[arguments.index("--alias") + 1]
    assert "$(" not in given_name.replace("$$(", "")
    assert given_name.replace("$$(", "$(") == serving.model


@pytest.mark.parametrize(
    "serving", [vllm(), vllm(vllm=VllmSettings(8, 2, 0.92, 2048, fp8=False)), vllm(ram_bytes=None)]
)
def test_kuberay_takes_the_service(serving: Serving) -> None:
    manifest = rayservice(serving)
    assert list(misfits(manifest, fields("rayservice_fields.json"))) == []
    cluster = manifest["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": group["template"]["spec"]}
        kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_kuberay_has_a_pod_for_every_stage_of_every_copy() -> None:
    wide = vllm(vllm=VllmSettings(8, 2, 0.92, 2048, fp8=False), replicas=Replicas(3, 2, "the plan"))
    (workers,) = rayservice(wide)["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    assert (workers["replicas"], workers["maxReplicas"]) == (6, 12)
    (worker,) = workers["template"]["spec"]["containers"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "8"


def test_kuberay_runs_what_ray_serve_runs() -> None:
    inner = yaml.safe_load(rayservice(vllm())["spec"]["serveConfigV2"])
    outer = yaml.safe_load(next(iter(serving_files("ray-serve", vllm()).values())))
    assert inner["applications"] == outer["applications"]
