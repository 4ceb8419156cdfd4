"""Plain Kubernetes: Deployment, Service, autoscaler, disruption budget, network policy, volume; no secret in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from advisor.errors import InputError
from advisor.export.deploy.engine_container import MODELS, Container, container_of
from advisor.export.deploy.file_header import annotations_of, comment, head, notice_text
from advisor.export.deploy.serving import BUSY_SHARE, GROWTH, Serving
from advisor.export.deploy.yaml_text import yaml_text
from advisor.units import GIB, MIB

Manifest = dict[str, Any]

_USER = 10001
_GPU_RESOURCES = {"cuda": "nvidia.com/gpu", "rocm": "amd.com/gpu"}
"""Names of the device plugins of NVIDIA and AMD."""


def files(serving: Serving) -> dict[str, str]:
    """The manifests in one file, in the order in which they are needed; then the secret's form."""
    name = f"kubernetes-{serving.label}"
    container = container_of(serving, "a Deployment")
    app = serving.label
    token = ' --from-literal=hf-token="$HF_TOKEN"' if serving.licence.gated and serving.engine == "vllm" else ""
    usage = (
        f'    kubectl create secret generic {app}-secrets --from-literal=api-key="$(openssl rand -hex 32)"{token}',
        f"    kubectl apply -f {name}.yaml",
        f"    kubectl port-forward service/{app} 8080:80      # then: curl http://127.0.0.1:8080/health",
        "The autoscaler sets the number of copies, so that the Deployment names none. It follows the engine's own "
        f"count of running requests ({container.running_metric}), which needs a Prometheus adapter that serves it as "
        f"a metric of pods named {_metric(container)}; without one it keeps the least number. llama-server shows "
        "/metrics to clients with the key only.",
        "The network policy lets in pods of this namespace only: add the namespaces of your gateway and of Prometheus.",
        "The volume is shared by all copies: its storage class must know ReadWriteMany. Pin the image by digest.",
        *container.notes,
    )
    documents = (
        _volume_claim(serving, container),
        _deployment(serving, container),
        _service(serving),
        _autoscaler(serving, container),
        _disruption_budget(serving),
        _network_policy(serving),
    )
    return {
        f"{name}.yaml": yaml_text(head(serving, "Kubernetes", usage), *documents),
        f"{name}-secret.example.yaml": _secret(serving),
        f"{name}.NOTICE.txt": notice_text(serving),
    }


def metadata(serving: Serving, suffix: str = "", extra: Mapping[str, str] | None = None) -> Manifest:
    """Name and recommended labels."""
    found: Manifest = {"name": f"{serving.label}{suffix}", "labels": labels(serving)}
    return found | ({"annotations": dict(extra)} if extra else {})


def labels(serving: Serving) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": serving.label,
        "app.kubernetes.io/component": "model-server",
        "app.kubernetes.io/managed-by": "llm-advisor",
    }


def selector(serving: Serving) -> dict[str, str]:
    return {"app.kubernetes.io/name": serving.label, "app.kubernetes.io/component": "model-server"}


def quantity(n_bytes: int, unit: int = MIB) -> str:
    """Bytes, rounded up, as Kubernetes writes them."""
    return f"{math.ceil(n_bytes / unit)}{'Gi' if unit == GIB else 'Mi'}"


def gpu_limits(serving: Serving, count: int) -> dict[str, str]:
    """The resource that a device plugin hands out. Raises InputError where none is known for the GPU."""
    if not count:
        return {}
    if serving.backend not in _GPU_RESOURCES:
        raise InputError(
            f"no device plugin for {serving.backend} is known",
            hint="Export for NVIDIA or AMD GPUs, or for a processor.",
        )
    return {_GPU_RESOURCES[serving.backend]: str(count)}


def secret_variable(serving: Serving, name: str, key: str, *, optional: bool) -> Manifest:
    """An environment variable from the Secret."""
    reference: Manifest = {"name": f"{serving.label}-secrets", "key": key}
    return {"name": name, "valueFrom": {"secretKeyRef": reference | ({"optional": True} if optional else {})}}


CONTAINER_SECURITY: Manifest = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
POD_SECURITY: Manifest = {
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "runAsGroup": _USER,
    "fsGroup": _USER,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _volume_claim(serving: Serving, container: Container) -> Manifest:
    # Twice the weights: a new file is downloaded beside the old one.
    size = quantity(2 * container.disk_bytes + GIB, GIB)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(serving, "-models"),
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": size}}},
    }


def _deployment(serving: Serving, container: Container) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(serving, extra=annotations_of(serving)),
        "spec": {
            "selector": {"matchLabels": selector(serving)},
            # No copy goes before its successor is ready; where GPUs are scarce, set maxSurge 0 and maxUnavailable 1.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "progressDeadlineSeconds": 60 * (container.start_minutes + 60),
            "template": {
                "metadata": {"labels": labels(serving), "annotations": annotations_of(serving)},
                "spec": _pod(serving, container),
            },
        },
    }


def _pod(serving: Serving, container: Container) -> Manifest:
    found: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
        "terminationGracePeriodSeconds": 180,
    }
    if container.fetch is not None:
        found["initContainers"] = [_download(serving, container, container.fetch)]
    found["containers"] = [_engine(serving, container)]
    found["volumes"] = _volumes(serving, container)
    found["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(serving)},
        }
    ]
    if serving.gpus:
        key = next(iter(gpu_limits(serving, serving.gpus)))
        found["tolerations"] = [{"key": key, "operator": "Exists", "effect": "NoSchedule"}]
    return found


def _download(serving: Serving, container: Container, script: str) -> Manifest:
    return {
        "name": "weights",
        "image": container.image,
        "command": ["/bin/sh", "-c", _literal(script)],
        "env": [secret_variable(serving, "HF_TOKEN", "hf-token", optional=True)],
        "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "models", "mountPath": MODELS}, {"name": "tmp", "mountPath": "/tmp"}],
    }


def _engine(serving: Serving, container: Container) -> Manifest:
    environment = [{"name": name, "value": value} for name, value in container.environment.items()]
    environment.append(secret_variable(serving, container.key_variable, "api-key", optional=False))
    if container.fetch is None:
        environment.append(secret_variable(serving, "HF_TOKEN", "hf-token", optional=True))
    mounts: list[Manifest] = [
        {"name": "models", "mountPath": MODELS, "readOnly": container.fetch is not None},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    if container.shared_memory_gib:
        mounts.append({"name": "shm", "mountPath": "/dev/shm"})
    return {
        "name": "engine",
        "image": container.image,
        "command": container.command,
        "args": [_literal(argument) for argument in container.arguments],
        "env": environment,
        "ports": [{"name": "http", "containerPort": serving.port}],
        "resources": _resources(serving, container),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": mounts,
        **_probes(container),
        # Connections in flight end before the process is told to.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "10"]}}},
    }


def _literal(text: str) -> str:
    """As it stands: Kubernetes would put a variable in the place of $(NAME)."""
    return text.replace("$(", "$$(")


def _resources(serving: Serving, container: Container) -> Manifest:
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if container.cores is not None:
        requests["cpu"] = str(container.cores)
    if container.memory_bytes is not None:
        requests["memory"] = limits["memory"] = quantity(container.memory_bytes)
    limits |= gpu_limits(serving, serving.gpus)
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def _probes(container: Container) -> Manifest:
    health = {"httpGet": {"path": "/health", "port": "http"}, "timeoutSeconds": 5}
    return {
        "startupProbe": {**health, "periodSeconds": 10, "failureThreshold": 6 * container.start_minutes},
        "readinessProbe": {**health, "periodSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**health, "periodSeconds": 20, "failureThreshold": 6},
    }


def _volumes(serving: Serving, container: Container) -> list[Manifest]:
    found: list[Manifest] = [
        {"name": "models", "persistentVolumeClaim": {"claimName": f"{serving.label}-models"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    if container.shared_memory_gib:
        found.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": f"{container.shared_memory_gib}Gi"}})
    return found


def _service(serving: Serving) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(serving),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(serving),
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def _metric(container: Container) -> str:
    return container.running_metric.replace(":", "_")


def _autoscaler(serving: Serving, container: Container) -> Manifest:
    # Never more run than there are slots, so the mean must stay below their number to grow beyond it.
    target = f"{round(1000 * BUSY_SHARE * serving.slots)}m"
    metric = {"metric": {"name": _metric(container)}, "target": {"type": "AverageValue", "averageValue": target}}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": serving.label}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(serving),
        "spec": {
            "scaleTargetRef": reference,
            "minReplicas": serving.replicas.count,
            "maxReplicas": GROWTH * serving.replicas.count,
            "metrics": [{"type": "Pods", "pods": metric}],
            # Weights take minutes to load, so copies that were just started are not taken away at once.
            "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 30},
                "scaleDown": {
                    "stabilizationWindowSeconds": 600,
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
                },
            },
        },
    }


def _disruption_budget(serving: Serving) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(serving),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(serving)}},
    }


def _network_policy(serving: Serving) -> Manifest:
    """In: pods of the namespace, on the engine's port. Out: names, and HTTPS for the weights."""
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(serving),
        "spec": {
            "podSelector": {"matchLabels": selector(serving)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": "http"}]}],
            "egress": [{"ports": dns}, {"ports": [{"protocol": "TCP", "port": 443}]}],
        },
    }


def _secret(serving: Serving) -> str:
    lines = comment([
        "The form of the secret. Better than filling it in here: kubectl create secret, or a store of secrets.",
        "api-key: what clients send as bearer token; hf-token: for weights that ask for a login, else leave it out.",
    ])  # fmt: skip
    document: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(serving, "-secrets"),
        "type": "Opaque",
        "stringData": {"api-key": "", "hf-token": ""},
    }
    return yaml_text(lines, document)
