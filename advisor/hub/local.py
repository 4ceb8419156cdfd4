"""Model files that are already on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from advisor.domain.model import GgufFile


def find_cached(files: Iterable[GgufFile]) -> Path | None:
    """The first of the published files that lies whole in the Hugging Face cache; looks at the disk only."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    for file in files:
        if file.n_parts != 1:
            continue
        try:
            found = try_to_load_from_cache(file.repo, file.file)
        except HFValidationError:
            continue  # a repository name that the Hub would refuse can have no cache
        if isinstance(found, str):
            return Path(found)
    return None
