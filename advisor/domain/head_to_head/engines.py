"""Which engines run a model, where a source says so."""

from __future__ import annotations

from advisor.domain.model import Model
from advisor.domain.tensors import supported_architectures

VLLM_SOURCE = "vllm-project/vllm@0046f770 docs/models/supported_models.md"
VLLM_RECIPE_SOURCE = "vllm-project/recipes@8959cf64 models/mistralai/Mistral-Small-4-119B-2603.yaml"
LLAMA_CPP_SOURCE = "the tensor table of llama-cpp-python 0.3.36, which loads it"

_VLLM_ARCHITECTURES = ("llama", "mistral3", "llama4", "deepseek2", "mamba2")
"""llama.cpp's names of those in vLLM's list; knowledge/serving.toml has the same for plans."""


def engines_of(model: Model) -> tuple[tuple[str, str], ...]:
    """Engine and source of each that is known to run the model."""
    found = []
    if model.shape is not None and model.shape.architecture in supported_architectures():
        found.append((f"llama.cpp (architecture {model.shape.architecture})", LLAMA_CPP_SOURCE))
    found += [(f"Ollama ({repo.partition(':')[2].strip()})", _repo_source(model)) for repo in _ollama(model)]
    architecture = None if model.shape is None else model.shape.architecture
    if architecture == "mistral4":
        found.append(("vLLM", VLLM_RECIPE_SOURCE))
    elif architecture in _VLLM_ARCHITECTURES:
        name = vllm_class(model)
        found.append(("vLLM" if name is None else f"vLLM ({name})", VLLM_SOURCE))
    return tuple(found)


def _ollama(model: Model) -> tuple[str, ...]:
    return tuple(repo for repo in model.ecosystem.gguf_repos if repo.startswith("ollama:"))


def _repo_source(model: Model) -> str:
    found = model.provenance.get("gguf_repos")
    return "the catalogue" if found is None else found.source


def vllm_class(model: Model) -> str | None:
    """vLLM's class for the architecture; None where its list names none that surely means this model."""
    shape = model.shape
    if shape is None:
        return None
    if shape.architecture == "llama4":
        return "Llama4ForConditionalGeneration"
    if shape.architecture == "mamba2":
        return "Mamba2ForCausalLM"
    if shape.architecture == "deepseek2":
        return "MistralLarge3ForCausalLM"
    if len(model.modalities) > 1:
        return "PixtralForConditionalGeneration" if shape.architecture in ("llama", "mistral3") else None
    if shape.architecture != "llama":
        return None
    if model.family == "llama":
        return "LlamaForCausalLM"
    return "MixtralForCausalLM" if shape.experts is not None else "MistralForCausalLM"
