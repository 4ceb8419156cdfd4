"""One session asked again and again, as a long-lived program with the screens or an assistant would."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from advisor.domain.sizing import SizeRequest
from advisor.service import Advisor, MachineChoice
from advisor.units import GIB
from benchmarks.shared import smollm2
from tests.faults.making import babbler
from tests.soak.sampling import Run, Sampler

_SAMPLES = 50
"""Looks at the process during one run."""


def repeat(share: float) -> list[Run]:
    """1,000 recommendations, 500 dry runs and 100 smoke tests, or a share of them, in this process."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        if hasattr(os, "sched_setaffinity"):
            # One core: the threads of llama.cpp wait for each other, for ages where other programs take their core.
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.environ |= {f"LLM_ADVISOR_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE")}
        os.environ |= {"HOME": name, "HF_HOME": str(folder / "hf"), "TMPDIR": name}
        tempfile.tempdir = name
        advisor = Advisor()
        machine = advisor.machine()
        defaults = advisor.constraints(advisor.questionnaire.defaults())
        small = advisor.constraints(advisor.answers(settings=["task.context_tokens=1024"]))
        sizes = [advisor.machine(MachineChoice(ram_bytes=n * GIB)) for n in (8, 24, 96)]
        models = [model.id for model in advisor.catalogue.models if model.shape is not None]
        model_file = babbler(folder / "made", smollm2())

        def recommend(i: int) -> None:
            advisor.recommend((machine, *sizes)[i % 4], defaults)

        def dry_run(i: int) -> None:
            # What was asked before is remembered and would start no child.
            (folder / "cache" / "dry-runs.json").unlink(missing_ok=True)
            request = SizeRequest(context_tokens=4096)
            advisor.size(models[i % len(models)], "Q4_K_M", request, MachineChoice(), use_engine=True)

        def smoke(_: int) -> None:
            report = advisor.smoke_file(model_file, small)
            if report.measurement.error is not None:
                raise RuntimeError(report.measurement.error)

        return [
            _repeated("recommendations", "recommendations over the whole catalogue", int(1000 * share), recommend),
            _repeated("dry_runs", "dry runs, a child each", int(500 * share), dry_run),
            _repeated("smoke_tests", "smoke tests of a small file, two children each", int(100 * share), smoke),
        ]


def _repeated(name: str, what: str, count: int, work: Callable[[int], None]) -> Run:
    run, sampler = Run(name, f"{count} {what}"), Sampler()
    for i in range(count):
        try:
            work(i)
        except Exception as error:  # counted, and the soak goes on
            run.failures.append(f"{name} {i}: {type(error).__name__}: {error}")
        if i % max(1, count // _SAMPLES) == 0 or i == count - 1:
            run.samples.append(sampler.look(i + 1))
            print(name, run.samples[-1], flush=True)  # noqa: T201
    return run
