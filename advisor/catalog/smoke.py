"""What a smoke test says to a model, read from `smoke.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from advisor.catalog.sealed import KnowledgeReader
from advisor.files import is_file


def load_questions(directory: Path) -> Mapping[str, str]:
    """One request for each language, by tag; none where the directory has no such file.

    Raises InputError naming the file and what is wrong with it.
    """
    path = directory / "smoke.toml"
    if not is_file(path):
        return {}
    prompts: Mapping[str, str] = KnowledgeReader(directory).read(path, "smoke")["prompts"]
    return prompts
