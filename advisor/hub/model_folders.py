"""Folders in which programs of this field keep GGUF files.

Sources: huggingface_hub's `constants.py` (HF_HUB_CACHE, HF_HOME), Ollama's envconfig and Linux installer
(OLLAMA_MODELS, /usr/share/ollama), LM Studio's folders by version, llama.cpp's `common.cpp` (LLAMA_CACHE).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from advisor.values import value

Layout = Literal["hub", "ollama", "folder"]

MODELS_DIR_VARIABLE = "LLM_ADVISOR_MODELS_DIR"


@value
class ModelFolder:
    """A folder and how files are named in it. It need not exist."""

    name: str
    """Whose it is."""
    folder: Path
    layout: Layout = "folder"


def model_folders(
    chosen: Iterable[Path] = (), *, environ: Mapping[str, str] | None = None, platform: str = sys.platform
) -> tuple[ModelFolder, ...]:
    """Every folder to look in: the chosen ones first, then those that the other programs would use."""
    env = os.environ if environ is None else environ
    home = _home(env)
    listed = [Path(os.path.expanduser(text)) for text in env.get(MODELS_DIR_VARIABLE, "").split(os.pathsep) if text]
    found = [ModelFolder("your folder", folder) for folder in (*chosen, *listed)]
    found.append(ModelFolder("Hugging Face cache", hub_cache(env), "hub"))
    ollama = env.get("OLLAMA_MODELS")
    found.append(ModelFolder("Ollama", Path(ollama) if ollama else home / ".ollama/models", "ollama"))
    if platform == "linux" and not ollama:
        found.append(ModelFolder("Ollama", Path("/usr/share/ollama/.ollama/models"), "ollama"))
    found += [
        ModelFolder("LM Studio", home / ".lmstudio/models"),
        ModelFolder("LM Studio", home / ".cache/lm-studio/models"),
    ]
    found.append(ModelFolder("llama.cpp cache", _llama_cache(env, home, platform)))
    return tuple(dict.fromkeys(found))


def hub_cache(env: Mapping[str, str]) -> Path:
    """Where huggingface_hub keeps files, without importing it."""
    home = _home(env)
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if env.get(name):
            return Path(os.path.expanduser(env[name]))
    if env.get("HF_HOME"):
        return Path(os.path.expanduser(env["HF_HOME"])) / "hub"
    return Path(os.path.expanduser(env.get("XDG_CACHE_HOME") or home / ".cache")) / "huggingface/hub"


def _home(env: Mapping[str, str]) -> Path:
    """The user's home; `~` itself, which is nowhere, for a user without one."""
    return Path(env.get("HOME") or env.get("USERPROFILE") or os.path.expanduser("~"))


def _llama_cache(env: Mapping[str, str], home: Path, platform: str) -> Path:
    if env.get("LLAMA_CACHE"):
        return Path(env["LLAMA_CACHE"])
    if platform == "darwin":
        return home / "Library/Caches/llama.cpp"
    if platform == "win32":
        return Path(env.get("LOCALAPPDATA") or home / "AppData/Local") / "llama.cpp"
    return Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "llama.cpp"
