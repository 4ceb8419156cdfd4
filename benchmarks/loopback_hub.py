"""A Hub on loopback in a process of its own, with one model in the catalogue whose file lies there.

`python -m benchmarks.loopback_hub FILE` serves it until its input ends; the first line it says is the address.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from advisor.catalog.loader import load_catalogue
from advisor.domain.weights import blueprint
from advisor.gguf.writer import write_sparse
from advisor.paths import knowledge_dir
from benchmarks.shared import say
from tests.hub.conftest import ENTRY, REPO
from tests.hub.server import HubServer, Repo

MODEL, QUANTIZATION = "tiny-tune", "Q4_0"
FILE = f"Tiny-Tune-{QUANTIZATION}.gguf"
_LIKE = "llama-3.2-1b-instruct"
"""Whose size the file has; it has no weights."""
ROOT = Path(__file__).parents[1]


@contextmanager
def loopback_hub(folder: Path) -> Iterator[None]:
    """The model is in the catalogue and its file on a Hub, for as long as this lasts and where the environment points.

    Raises CalledProcessError where the catalogue cannot be refreshed.
    """
    config = Path(os.environ["LLM_ADVISOR_CONFIG_DIR"]) / "models"
    config.mkdir(parents=True)
    (config / "mine.toml").write_text(ENTRY, "utf-8")
    path = folder / FILE
    like = load_catalogue(knowledge_dir()).model(_LIKE)
    assert like is not None
    write_sparse(blueprint(like, QUANTIZATION), path)
    command = [sys.executable, "-m", "benchmarks.loopback_hub", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        os.environ.update(HF_ENDPOINT=server.stdout.readline().strip(), HF_HOME=str(folder / "hub"))
        refresh = [sys.executable, "-m", "advisor", "catalog", "refresh", MODEL]
        try:
            subprocess.run(refresh, check=True, capture_output=True, cwd=ROOT)
            yield
        finally:
            (config / "mine.toml").unlink()
            server.stdin.close()


def main(arguments: list[str]) -> int:
    """Serve one file until the input ends."""
    repo = Repo(REPO, {FILE: Path(arguments[0])})
    repo.sha256(FILE)
    with HubServer(repo) as server:
        say(server.url)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
