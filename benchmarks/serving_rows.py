"""Published serving throughput as rows that the capacity model can be held against."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from advisor.catalog.hardware import find_gpu, load_gpus
from advisor.catalog.loader import load_catalogue
from advisor.domain.capacity.vllm import Group, kv_token_bytes, sized
from advisor.domain.hardware import GpuSpec
from advisor.domain.model import Shape
from benchmarks.speed_rows import HERE, KNOWLEDGE

DATA = HERE / "data" / "serving_measurements.csv"

MODELS = {
    "meta-llama/Llama-2-7b-hf": "llama-2-7b-chat",
    "meta-llama/Llama-2-70b-hf": "llama-2-70b-chat",
    "Llama 2 70B": "llama-2-70b-chat",
    "meta-llama/Meta-Llama-3-8B": "llama-3-8b-instruct",
    "meta-llama/Meta-Llama-3-70B": "llama-3-70b-instruct",
    "Llama 3 70B": "llama-3-70b-instruct",
    "Llama 3.1 8B": "llama-3.1-8b-instruct",
    "Llama 3.1 8B Instruct": "llama-3.1-8b-instruct",
    "Llama 3.3 70B Instruct": "llama-3.3-70b-instruct",
    "Llama 4 Scout": "llama-4-scout",
    "mistralai/Mistral-7B-v0.1": "mistral-7b-instruct-v0.1",
    "mistralai/Mixtral-8x7B-v0.1": "mixtral-8x7b-instruct-v0.1",
}
"""Base models have the shape of their instructed versions."""

GPUS = {
    "A100 (40GB per paper, not in CSV)": "A100 SXM 40GB",
    "A100-SXM4-80GB": "A100 SXM 80GB",
    "GH200 96GB": "GH200 96GB",
    "H100 80GB": "H100 SXM 80GB",
    "H100 SXM 80GB": "H100 SXM 80GB",
    "H200": "H200 SXM 141GB",
    "H200 SXM 141GB": "H200 SXM 141GB",
    "MI300X": "MI300X",
}
ENGINES = {
    "vLLM": "vLLM",
    "vLLM benchmark_latency": "vLLM",
    "TensorRT-LLM": "TensorRT-LLM",
    "TensorRT-LLM (trtllm-bench throughput, PyTorch backend)": "TensorRT-LLM 1.0",
}
LINKS = {
    "A100 SXM 40GB": 300e9,
    "A100 SXM 80GB": 300e9,
    "H100 SXM 80GB": 450e9,
    "H200 SXM 141GB": 450e9,
    "MI300X": 64e9,
}
"""One direction between two GPUs: half of NVLink 3's 600 and NVLink 4's 900 GB/s (NVIDIA A100 and H100 data sheets);
on MI300X one Infinity Fabric link of 128 GB/s in both directions (AMD MI300X data sheet)."""


@dataclass(frozen=True)
class ServingRow:
    """One published throughput of a number of requests that start together."""

    engine: str
    model: str
    precision: str
    gpu: str
    tensor: int
    prompt_tokens: int
    answer_tokens: int
    batch: int
    """Requests at once, or that wait from the start."""
    is_static: bool
    tokens_per_s: float
    """Answer tokens of all requests over the time from the first to the last."""
    shape: Shape
    spec: GpuSpec

    @property
    def seconds(self) -> float:
        return self.batch * self.answer_tokens / self.tokens_per_s

    @cached_property
    def group(self) -> Group:
        # NVIDIA's FP8 checkpoints store keys and values in FP8 too.
        value_bytes = 1.0 if self.precision == "FP8" else 2.0
        return Group(self.spec, self.tensor, link_bytes_per_s=LINKS.get(self.gpu), kv_value_bytes=value_bytes)

    @property
    def name(self) -> str:
        return f"{self.engine}, {self.model} {self.precision}, {self.tensor} x {self.gpu}"

    @property
    def held_out_with(self) -> str:
        """Rows predicted together, by a fit without them: of a GPU, or of a model where a back end has one GPU."""
        return f"{self.engine} {self.model if self.spec.backend == 'rocm' else self.gpu}"

    def fits(self, share: float, overhead_bytes: int) -> bool:
        """Whether all requests fit into memory at once."""
        room = self.tensor * (share * self.spec.memory_bytes - overhead_bytes) - sized(self.shape, self.precision).total
        need = (
            self.batch
            * (self.prompt_tokens + self.answer_tokens)
            * kv_token_bytes(self.shape, self.tensor, self.group.kv_value_bytes)
        )
        return need <= room


def read_serving_rows() -> tuple[list[ServingRow], Counter[str]]:
    """The rows that can be predicted, and why the others cannot."""
    shapes = {m.id: m.shape for m in load_catalogue(KNOWLEDGE).models}
    specs = load_gpus(KNOWLEDGE)
    rows: list[ServingRow] = []
    reasons: Counter[str] = Counter()
    with DATA.open(encoding="utf-8", newline="") as file:
        for raw in csv.DictReader(file):
            reason = _reason(raw)
            if reason:
                reasons[f"{raw['engine']}: {reason}"] += 1
                continue
            shape = shapes[MODELS[raw["model"]]]
            assert shape is not None
            rows.append(_row(raw, shape, find_gpu(specs, GPUS[raw["gpu"]])))
    return rows, reasons


def _reason(raw: dict[str, str]) -> str | None:
    if raw["engine"].startswith("NVIDIA NIM"):
        return "lengths or precision lost, or answers to a client in a closed loop"
    if raw["engine"] == "Deepspeed-MII":
        return "an engine that plans do not offer"
    if raw["isl"] == "ShareGPT":
        return "lengths of the sampled conversations are not given"
    if not raw["output_tok_s"]:
        return "no throughput, a wait for the first token"
    if raw["engine"] not in ENGINES or raw["gpu"] not in GPUS or raw["model"] not in MODELS:
        return f"{raw['gpu']} with {raw['precision']} is not modelled"
    if "FP8" in raw["precision"].upper() and raw["engine"] == "TensorRT-LLM":
        return "of 2023, throughput per GPU at the largest batch alone"
    if raw["engine"].startswith("TensorRT-LLM (") and "Scout" in raw["model"]:
        return "images' share of the model and the multi-GPU link are not stated"
    return None


def _row(raw: dict[str, str], shape: Shape, spec: GpuSpec) -> ServingRow:
    queued = re.search(r"(\d+) requests queued", raw["load"])
    static = re.search(r"static batch (\d+)", raw["load"])
    found = static or queued
    assert found is not None
    return ServingRow(
        engine=ENGINES[raw["engine"]],
        model=raw["model"].rpartition("/")[2],
        precision="FP8" if "FP8" in raw["precision"] else "BF16",
        gpu=GPUS[raw["gpu"]],
        tensor=int(raw["n_gpus"]),
        prompt_tokens=int(raw["isl"]),
        answer_tokens=int(raw["osl"]),
        batch=int(found[1]),
        is_static=static is not None,
        tokens_per_s=float(raw["output_tok_s"]),
        shape=shape,
        spec=spec,
    )
