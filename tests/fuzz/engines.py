"""The two engines, each in a process of its own: `python -m tests.fuzz.engines ENGINE NAME FOLDER SECONDS REPORT`."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import traceback
from pathlib import Path

from tests.fuzz.registry import load

MOST_INPUT_BYTES = 1 << 18
_BYTES_ALONE = 0.3
"""Share of atheris's changes that do not keep the syntax."""
_SHARE_RANDOM = 0.1
_EXAMPLES = 500


def run_atheris(name: str, state: Path, cpu_s: float, report: Path) -> None:
    """Coverage-guided, until the time is used up. Does not return."""
    import atheris

    # Left open: much of the product is imported only when it is called.
    atheris.instrument_imports(include=["advisor"]).__enter__()
    harness = load(name)
    from tests.fuzz.mutation import mutated
    from tests.fuzz.session import Session, initial_corpus

    corpus = state / "corpus" / name
    seeds = initial_corpus(harness, corpus)
    session = Session(harness, _scratch(), state / "findings" / name, report, cpu_s)

    def change(raw: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if harness.codec is not None and rng.random() >= _BYTES_ALONE:
            try:
                return mutated(raw, harness.codec, rng, harness.words, seeds)[:most]
            except (ValueError, RecursionError):
                pass  # it has lost its syntax
        found: bytes = atheris.Mutate(raw, most)
        return found

    words = state / f"{name}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in harness.words if word), "utf-8")
    options = [
        f"-max_len={MOST_INPUT_BYTES}",
        "-timeout=0",
        "-rss_limit_mb=0",
        "-len_control=0",
        "-report_slow_units=30",
    ]
    options += [f"-dict={words}", f"-artifact_prefix={state / 'deaths' / name}-"]
    atheris.Setup([sys.argv[0], str(corpus), *options], session.one, custom_mutator=change)
    atheris.Fuzz()


def run_hypothesis(name: str, state: Path, cpu_s: float, report: Path) -> None:
    """Structured changes to the seeds and small random documents, until the time is used up."""
    from hypothesis import HealthCheck, Phase, given, settings

    from tests.fuzz.session import Session
    from tests.fuzz.strategies import inputs

    harness = load(name)
    session = Session(harness, _scratch(), state / "findings" / name, report, cpu_s)
    quiet = settings(
        max_examples=_EXAMPLES, database=None, deadline=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @quiet
    @given(raw=inputs(harness))
    def many(raw: bytes) -> None:
        session.one(raw)

    while True:
        many()


def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="llm-advisor-fuzz-"))
    for kind in ("CONFIG", "CACHE", "STATE"):
        os.environ[f"LLM_ADVISOR_{kind}_DIR"] = str(folder / kind.lower())
    os.environ["HOME"] = os.environ["HF_HOME"] = os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = str(folder)
    return folder


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass"))


def main() -> None:
    """Run an engine. A process that atheris was set up in hangs when it ends by itself, so it never does."""
    engine, name, folder, seconds, report = sys.argv[1:]
    run = {"atheris": run_atheris, "hypothesis": run_hypothesis}[engine]
    try:
        run(name, Path(folder), float(seconds), Path(report))
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
