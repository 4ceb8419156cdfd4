"""What a recommendation file can be turned into: one module a target, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from advisor.domain.capacity.replica import EngineName

if TYPE_CHECKING:
    from advisor.export.deploy.serving import Serving
    from advisor.export.report.contents import Recorded


@dataclass(frozen=True, slots=True)
class Target:
    """A target's module has `files(recorded)`, or `files(serving)` where engines are named: texts by file name."""

    module: str
    help: str
    endings: tuple[str, ...] = ()
    """Of a single file by which the target can be told, such as `.md`."""
    engines: tuple[EngineName, ...] = ()
    """Engines that it can run the model on, the usual one first; empty for a report."""
    scales: bool = False
    """Whether it can run more than one copy of the model."""
    slots: int | None = None
    """Requests that one copy answers at once, where the target leaves no choice."""
    listens: bool = True
    """Whether its files say where to listen."""
    in_containers: bool = False
    """Whether its files name an image to run in."""

    @property
    def is_report(self) -> bool:
        return not self.engines


TARGETS: Mapping[str, Target] = {
    "markdown": Target("markdown", "a report in Markdown, its charts beside it as SVG", (".md", ".markdown")),
    "html": Target("html", "a report in one HTML file that needs nothing else", (".html", ".htm")),
    "llama-server": Target(
        "llama_server", "llama.cpp's server: command file and systemd units", engines=("llama.cpp",)
    ),
    "ollama": Target(
        "ollama", "an Ollama Modelfile, and settings of its service", engines=("llama.cpp",), listens=False
    ),
    "vllm": Target("vllm", "vllm serve: configuration and command file", engines=("vllm",)),
    "compose": Target("compose", "Docker Compose for one machine", engines=("llama.cpp", "vllm"), in_containers=True),
    "kubernetes": Target(
        "kubernetes",
        "Deployment, Service, autoscaler and what belongs to them",
        engines=("llama.cpp", "vllm"),
        scales=True,
        in_containers=True,
    ),
    "kuberay": Target(
        "kuberay",
        "a RayService: Ray Serve LLM with vLLM on Kubernetes",
        engines=("vllm",),
        scales=True,
        listens=False,
        in_containers=True,
    ),
    "ray-serve": Target("ray_serve", "Ray Serve LLM with vLLM on a Ray cluster", engines=("vllm",), scales=True),
    "ray-llama-cpp": Target(
        "ray_llama_cpp",
        "llama.cpp on Ray Serve, on processors or GPUs: application and configuration",
        engines=("llama.cpp",),
        scales=True,
        slots=1,
    ),
}
"""Targets in the order of help."""


def fields_of(target: Target, engine: EngineName | None) -> frozenset[str]:
    """Fields of an ExportRequest, beside target and engine, that change what is made; `engine` None is of a report."""
    if engine is None:
        return frozenset()
    matters = {
        "quantization": engine == "vllm",
        "gguf": engine == "llama.cpp",
        "node": target.slots is None,
        "slots": target.slots is None,
        "replicas": target.scales,
        "port": target.listens,
        "image": target.in_containers,
    }
    return frozenset(field for field, does in matters.items() if does)


def files_for(target: str, recorded: Recorded) -> dict[str, str]:
    """Texts by file name, the main one first; `target` is a report of TARGETS."""
    module = import_module(f"advisor.export.deploy.{TARGETS[target].module}")
    found: dict[str, str] = module.files(recorded)
    return found


def serving_files(target: str, serving: Serving) -> dict[str, str]:
    """Texts by file name, the main one first; `target` is one of TARGETS that names engines.

    Raises InputError for what the target cannot run.
    """
    module = import_module(f"advisor.export.deploy.{TARGETS[target].module}")
    found: dict[str, str] = module.files(serving)
    return found
