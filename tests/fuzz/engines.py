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
_SHARE_POOL = 0.6
"""Of atheris's changes: those made to an input that was read, where libFuzzer chose another."""
_SHARE_BYTES = 0.2
"""Of atheris's changes: those that do not keep the syntax."""
_EXAMPLES = 500


def run_atheris(name: str, state: Path, cpu_s: float, report: Path, scratch: Path) -> None:
    """Coverage-guided, until the time is used up. Does not return."""
    import atheris

    # Left open: much of the product is imported only when it is called.
    atheris.instrument_imports(include=["advisor"]).__enter__()
    harness = load(name)
    from tests.fuzz.mutation import mutated
    from tests.fuzz.session import Session, write_seeds

    corpus = state / "corpus" / name
    write_seeds(harness, corpus)
    session = Session(harness, scratch, state / "findings" / name, report, cpu_s)

    def change(raw: bytes, most: int, seed: int) -> bytes:
        rng, others = random.Random(seed), session.pool.inputs
        if rng.random() < _SHARE_POOL:
            raw = rng.choice(others)
        if harness.codec is not None and rng.random() >= _SHARE_BYTES:
            try:
                changed = mutated(raw, harness.codec, rng, harness.words, others)
            except (ValueError, RecursionError):
                changed = b""  # it has lost its syntax
            if changed and len(changed) <= most:
                return changed
        found: bytes = atheris.Mutate(raw[:most], most)
        return found

    words = state / f"{name}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in harness.words if word), "utf-8")
    # The bounds are the guard's, in processor time: libFuzzer's go by the clock.
    options = [f"-max_len={MOST_INPUT_BYTES}", "-timeout=0", "-rss_limit_mb=0", "-len_control=0"]
    options += ["-report_slow_units=1000000", f"-dict={words}", f"-artifact_prefix={state / 'deaths' / name}-"]
    atheris.Setup([sys.argv[0], str(corpus), *options], session.one, custom_mutator=change)
    atheris.Fuzz()


def run_hypothesis(name: str, state: Path, cpu_s: float, report: Path, scratch: Path) -> None:
    """Structured changes to what was read and small random documents, until the time is used up."""
    from hypothesis import HealthCheck, Phase, given, settings

    from tests.fuzz.session import Session
    from tests.fuzz.strategies import inputs

    harness = load(name)
    session = Session(harness, scratch, state / "findings" / name, report, cpu_s)
    quiet = settings(
        max_examples=_EXAMPLES, database=None, deadline=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @quiet
    @given(raw=inputs(harness, session.pool))
    def many(raw: bytes) -> None:
        session.one(raw)

    while True:
        many()


def at_home(scratch: Path) -> Path:
    """Everything that the program may write lies in the folder that the caller removes."""
    folder = scratch / "scratch"
    folder.mkdir()
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
        run(name, Path(folder), float(seconds), Path(report), at_home(Path(report).parent))
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
