"""KubeRay's RayService: a Ray cluster on Kubernetes that runs Ray Serve LLM with vLLM."""

from __future__ import annotations

from advisor.export.deploy.file_header import annotations_of, head, notice_text
from advisor.export.deploy.kubernetes import Manifest, gpu_limits, metadata, quantity, secret_variable
from advisor.export.deploy.ray_serve import serve_config
from advisor.export.deploy.serving import GROWTH, Serving
from advisor.export.deploy.vllm_args import vllm_of
from advisor.export.deploy.yaml_text import yaml_text
from advisor.units import GIB

RAY_VERSION = "2.56.0"
_IMAGE = f"rayproject/ray-llm:{RAY_VERSION}-py312-cu130"
"""As in KubeRay's own samples (ray-operator/config/samples at feeaf72, 2026-08-19)."""

_POD_SECURITY: Manifest = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
"""1000 is the user `ray` of Ray's images."""
_CONTAINER_SECURITY: Manifest = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def files(serving: Serving) -> dict[str, str]:
    """The manifest first."""
    name = f"kuberay-{serving.label}"
    usage = (
        "Needs the KubeRay operator and the device plugin of the GPUs.",
        f"    kubectl create secret generic {serving.label}-secrets --from-literal=hf-token=...   # for gated weights",
        f"    kubectl apply -f {name}.yaml",
        f"    kubectl port-forward service/{serving.label}-serve-svc 8000    # then: curl http://127.0.0.1:8000/v1/models",
        "Ray Serve asks for no key: put a gateway with keys and TLS before it. One pod holds one copy of the model, or",
        "one stage of it; the autoscaler of Ray adds pods when copies are added. Pin the image by digest.",
        *_unknown(serving),
    )
    return {
        f"{name}.yaml": yaml_text(head(serving, "KubeRay", usage), _service(serving)),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def _unknown(serving: Serving) -> list[str]:
    if serving.ram_bytes is not None and serving.cores is not None:
        return []
    return ["What the node has is not known in full: set cpu and memory of the workers, or Ray takes all for its own."]


def _service(serving: Serving) -> Manifest:
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": metadata(serving, extra=annotations_of(serving)),
        "spec": {
            "serveConfigV2": yaml_text((), serve_config(serving)).lstrip("\n"),
            "rayClusterConfig": {
                "rayVersion": RAY_VERSION,
                "enableInTreeAutoscaling": True,
                "headGroupSpec": {
                    # The head carries no model, so that losing a worker never loses the cluster's state.
                    "rayStartParams": {"dashboard-host": "0.0.0.0", "num-cpus": "0"},
                    "template": {"spec": {"securityContext": _POD_SECURITY, "containers": [_head(serving)]}},
                },
                "workerGroupSpecs": [_workers(serving)],
            },
        },
    }


def _head(serving: Serving) -> Manifest:
    ports = (("gcs-server", 6379), ("dashboard", 8265), ("client", 10001), ("serve", 8000))
    return {
        "name": "ray-head",
        "image": serving.image or _IMAGE,
        "ports": [{"name": name, "containerPort": port} for name, port in ports],
        "resources": {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"memory": "8Gi"}},
        "env": [secret_variable(serving, "HF_TOKEN", "hf-token", optional=True)],
        "securityContext": _CONTAINER_SECURITY,
    }


def _resources(serving: Serving, gpus: Manifest) -> Manifest:
    """Ray reads off the limits what it may hand out; without them it would take the whole node for its own."""
    disk = quantity(2 * serving.weights_bytes + 4 * GIB, GIB)
    limits: Manifest = {**gpus}
    requests: Manifest = {**gpus, "ephemeral-storage": disk}
    if serving.cores is not None:
        requests["cpu"] = limits["cpu"] = str(serving.cores)
    if serving.ram_bytes is not None:
        requests["memory"] = limits["memory"] = quantity(serving.ram_bytes)
    return {"requests": requests, "limits": limits}


def _workers(serving: Serving) -> Manifest:
    vllm = vllm_of(serving)
    pods = serving.replicas.count * vllm.pipeline_parallel
    limits = gpu_limits(serving, vllm.tensor_parallel)
    key = next(iter(limits))
    worker: Manifest = {
        "name": "ray-worker",
        "image": serving.image or _IMAGE,
        "env": [secret_variable(serving, "HF_TOKEN", "hf-token", optional=True)],
        "resources": _resources(serving, limits),
        "securityContext": _CONTAINER_SECURITY,
        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],
    }
    return {
        "groupName": "gpu",
        "replicas": pods,
        "minReplicas": pods,
        "maxReplicas": GROWTH * pods,
        "numOfHosts": 1,
        "rayStartParams": {},
        "template": {
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": _POD_SECURITY,
                "containers": [worker],
                "tolerations": [{"key": key, "operator": "Exists", "effect": "NoSchedule"}],
                # Ray keeps its objects in shared memory, and GPUs of one copy talk through it.
                "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}],
            }
        },
    }
