"""A small knowledge directory that tests can break in one place."""

from __future__ import annotations

import shutil
from pathlib import Path

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"

MODELS = """
schema_version = 1

[sources]
card = { text = "the model card", checked = "2026-11-20" }
config = { text = "config.json", checked = "2026-11-23" }

[[model]]
id = "tiny-1"
name = "Tiny 1"
family = "llama"
line = "tiny"
vendor = "Example"
hf_id = { value = "example/Tiny-1", source = "card" }
release_date = { value = "2026-01", source = "card", note = "the day was not found" }
total_params = { value = 1000, source = "card" }
text_params = { value = 1000, source = "card" }
active_params = { unknown = "nobody counted" }
max_context_tokens = { value = 4096, source = "config" }
rope_theta = { value = 10000, source = "config" }
licence = { value = "apache-2.0", source = "card" }
languages = { value = ["en", "pt-BR"], source = "card", note = "for text" }
modalities = { value = ["text"], source = "card" }
gated = { value = false, source = "card" }
status = { value = "superseded", source = "card" }
superseded_by = "tiny-2"
benchmark = [
  { name = "MMLU", score = 40, setting = "5-shot", source = "card" },
  { name = "GSM8K", score = 12.5, source = "card", via = "a copy" },
]

[model.shape]
architecture = { value = "llama", source = "config" }
n_layers = { value = 2, source = "config" }
hidden_size = { value = 64, source = "config" }
n_heads = { value = 4, source = "config" }
n_kv_heads = { value = 2, source = "config" }
head_dim = { value = 16, source = "config" }
ffn_size = { value = 128, source = "config" }
vocab_size = { value = 1000, source = "config" }
tied_embeddings = { value = true, source = "config" }
[model.shape.experts]
n_total = { value = 8, source = "config" }
n_used = { value = 2, source = "config" }
n_shared = { value = 0, source = "config" }
ffn_size = { value = 96, source = "config" }

[[model]]
id = "tiny-2"
name = "Tiny 2"
family = "llama"
line = "tiny"
vendor = "Example"
hf_id = { value = "example/Tiny-2", source = "card" }
release_date = { unknown = "not announced" }
total_params = { unknown = "not announced" }
text_params = { unknown = "not announced" }
active_params = { unknown = "not announced" }
max_context_tokens = { unknown = "not announced" }
rope_theta = { unknown = "not announced" }
licence = { value = "llama4", source = "card" }
languages = { unknown = "the card names none" }
modalities = { value = ["text", "image"], source = "card" }
gated = { unknown = "not announced" }
status = { value = "current", source = "card" }
related_only = "only an example"
shape_reason = "not announced"
"""

GGUF = """
schema_version = 1

[sources]
hub = { text = "the repository's file list", checked = "2026-11-23" }

[[file]]
model = "tiny-1"
repo = "example/Tiny-1-GGUF"
file = "tiny-1-Q4_K_M-00001-of-00002.gguf"
quantization = "Q4_K_M"
n_parts = 2
n_bytes = 700
tensor_bytes = 600
sha256 = ["0000000000000000000000000000000000000000000000000000000000000000"]
source = "hub"

[[file]]
model = "tiny-1.5"
repo = "example/Tiny-1.5-GGUF"
file = "tiny-1.5-Q8_0.gguf"
quantization = "Q8_0"
n_parts = 1
source = "hub"
"""

QUANTIZATIONS = """
schema_version = 1

[sources]
table = { text = "a table", checked = "2026-11-23" }

[[quantization]]
name = "Q4_K_M"
file_type = { value = 15, source = "table" }
offered = true
perplexity_increase = { value = 0.03, source = "table" }
kl_divergence = { unknown = "not measured" }
reference = "a model and a text"
"""

LANGUAGES = """
schema_version = 1
source = "cldr"

[sources]
cldr = { text = "CLDR", checked = "2026-11-23" }

[[language]]
tag = "de"
english = "German"
own = "Deutsch"
"""


def write_example(directory: Path) -> Path:
    """A valid knowledge directory with two models, without a seal; returns its model file."""
    shutil.copytree(KNOWLEDGE / "licences", directory / "licences")
    for name in ("speed.toml", "quality.toml"):
        shutil.copy(KNOWLEDGE / name, directory / name)
    files = {
        "models/llama/tiny.toml": MODELS,
        "gguf/tiny.toml": GGUF,
        "quantizations.toml": QUANTIZATIONS,
        "languages.toml": LANGUAGES,
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory / "models/llama/tiny.toml"


def replace(path: Path, old: str, new: str) -> None:
    """Change a file in the one place where the old text stands."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")
