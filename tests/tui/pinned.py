"""A machine and a recommendation with every figure written down, so that pictures depend on the screens alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.domain.basis import Basis
from advisor.domain.constraints import Constraints
from advisor.domain.export_request import ExportRequest, MadeFiles
from advisor.domain.fit import Fit
from advisor.domain.footprint import DeviceFootprint, Footprint
from advisor.domain.gates import Reason
from advisor.domain.hardware import Cpu, Engine, EngineDevice, Finding, Machine, Memory, Reading
from advisor.domain.head_to_head import Edge, EdgeKind, Figure, HeadToHead, Line, Section, Subject
from advisor.domain.languages import LanguageFinding, Support
from advisor.domain.licence import LicenceFinding, Obligation, Verdict
from advisor.domain.licence.agreement import Licence
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.quality import Rating
from advisor.domain.quantization import Quantization
from advisor.domain.questions import Answer
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.scoring import Score, Term
from advisor.domain.serving import Load, Plan
from advisor.domain.smoke import SmokeCheck, SmokeMeasurement, SmokeVerdict
from advisor.domain.smoke_report import SmokeReport
from advisor.domain.speed import NO_TIMINGS, Speed, Timings
from advisor.domain.trial.evidence import Evidence
from advisor.service import Advisor, MachineChoice
from advisor.units import GIB, MIB
from tests.builders import model

Q4 = Quantization("Q4_K_M", 15, True, 0.02, None, None, None)
RAM = Pool("RAM", "ram", 22 * GIB, 20 * GIB, 40e9, None, "cpu", cores=8)


def _known(value: Any, source: str = "psutil") -> Reading[Any]:
    return Reading(value, source)


MACHINE = Machine(
    simulated=False,
    platform="linux-x86_64",
    cpu=Cpu(
        name=_known("Example 7000, 8 cores"),
        physical_cores=_known(8),
        logical_cores=_known(16),
        usable_cores=_known(6.5),
        instruction_sets=_known(("avx2", "f16c", "fma")),
    ),
    memory=Memory(
        total_bytes=_known(32 * GIB), available_bytes=_known(20 * GIB), limit_bytes=_known(24 * GIB, "memory.max")
    ),
    gpus=(),
    gpu_query=Reading(None, "NVML", "no driver library was found", "Install the driver if there is a GPU."),
    engine=Engine(
        version=_known("0.3.36"),
        gpu_offload=_known(False),
        devices=_known((EngineDevice("CPU", "Example 7000", "cpu", 32 * GIB, None),)),
        system_info=_known("AVX2 = 1"),
    ),
    disk_free_bytes=Reading(None, "statvfs", "the directory cannot be read"),
    findings=(Finding("warning", "A memory limit of 24 GiB is in force.", "Raise it to use all 32 GiB."),),
)

APACHE = LicenceFinding("apache-2.0", Verdict.ALLOWED, (), (), (), (), None, (), ())
LLAMA = LicenceFinding(
    licence="llama3.1",
    verdict=Verdict.ALLOWED_WITH_OBLIGATIONS,
    obligations=(
        Obligation("DISPLAY:Built with Llama", "Show “Built with Llama” prominently.", "Built with Llama"),
        Obligation("NOTICE_FILE", "Ship a file named Notice.", None),
    ),
    standing=(),
    clauses=(),
    reasons=(),
    conservative=None,
    open_points=(),
    changes=("Kept inside the organisation, with nothing handed on: it would be allowed.",),
)
FORBIDDEN = replace(APACHE, licence="mrl-0.1", verdict=Verdict.FORBIDDEN, reasons=("Production is not allowed.",))


def candidate(name: str, score: float, rate: float, licence: LicenceFinding, weights_gib: float) -> Candidate:
    """A candidate whose figures are what they are said to be."""
    weights = int(weights_gib * GIB)
    ram = DeviceFootprint("RAM", weights, GIB, 272 * MIB, MIB)
    terms = (("quality", 0.5), ("speed", 0.2), ("headroom", 0.1), ("ecosystem", 0.1), ("licence", 0.1))
    return Candidate(
        model=model(name.lower().replace(" ", "-"), name=name, hf_id=f"example/{name.replace(' ', '-')}"),
        quantization=Q4,
        fit=Fit(cpu_placement(8192, threads=6), Footprint((ram,), weights, Basis.ESTIMATED), (RAM,)),
        speed=Speed(rate, rate * 4, 12_000.0, rate / 2, rate * 1.5, 640, 512, Basis.ESTIMATED, ()),
        licence=licence,
        languages=LanguageFinding({"en": Support.SUPPORTED}, {"fr": Support.SUPPORTED, "sw": Support.UNKNOWN}),
        rating=Rating(score, score - 0.1, score + 0.1, 12, 4, 8 * score, 0.25, 0.04, 0.02),
        score=Score(tuple(Term(criterion, score, weight, f"why {criterion} counts") for criterion, weight in terms)),
        warnings=("1.0 GiB must be freed before it can be loaded now",),
    )


RANKED = (
    candidate("Example Small 8B Instruct", 0.712, 7.6, APACHE, 4.4),
    candidate("Example Llama 8B Instruct", 0.655, 7.1, LLAMA, 4.6),
    candidate("Example Tiny 3B [bold]Instruct[/bold]", 0.540, 17.9, APACHE, 1.9),
)
REJECTED = (
    Rejection(
        model("example-large-24b", name="Example Large 24B"),
        "Q2_K",
        (Reason("memory", "memory: needs 24.00 GiB, 2.00 GiB more than RAM can give", "2.00 GiB more", 0.1),),
        APACHE,
    ),
    Rejection(
        model("example-research-22b", name="Example Research 22B"),
        None,
        (Reason("licence", "licence: forbidden: Production is not allowed.", None, 1.0),),
        FORBIDDEN,
    ),
)  # fmt: skip
LOAD = Load(0.003, 0.15, 1)


def recommendation(
    constraints: Constraints, machine: Machine = MACHINE, ranked: tuple[Candidate, ...] = RANKED
) -> Recommendation:
    """What PinnedAdvisor answers to everything."""
    return Recommendation(
        machine=machine,
        constraints=constraints,
        catalogue_version="2026-11-23",
        catalogue_sha256="0" * 64,
        load=LOAD,
        ranked=ranked,
        quantizations=ranked,
        rejected=REJECTED,
        plan=Plan(LOAD, 1, 1, 0.12, Basis.ESTIMATED, "no gain from batching is counted") if ranked else None,
    )


def head_to_head(compared: Sequence[Candidate], constraints: Constraints, terms: Licence) -> HeadToHead:
    """What PinnedAdvisor answers to a comparison."""
    subjects = tuple(
        Subject(c.model, None, c, (), None, c, True, (c,), c.licence, terms, c.languages) for c in compared
    )
    rates = [c.speed.decode_tokens_per_s for c in compared if c.speed]
    decode = Line(
        id="decode",
        title="decode here",
        figures=tuple(Figure(f"{rate:.1f} tok/s", rate, Basis.ESTIMATED, "pinned") for rate in rates),
        edge=Edge(EdgeKind.LEADS, rates.index(max(rates)), "2.5 times as fast"),
        remark="at the asked depth",
    )
    rating = Line("rating", "rating", (Figure("0.70 (0.60 to 0.80)", 0.7),) * len(subjects), Edge(EdgeKind.CLOSE))
    return HeadToHead(
        machine=MACHINE,
        constraints=constraints,
        subjects=subjects,
        sections=(
            Section("quality", "Quality", (rating,)),
            Section("efficiency", "Efficiency", (decode,), ("A note.",)),
        ),
        bottom_line=("Speed here: one of them leads, 2.5 times as fast.", "A trial on your own task settles it."),
        catalogue_version="2026-11-23",
        catalogue_sha256="0" * 64,
    )


REPORT = SmokeReport(
    subject=RANKED[0].id,
    file=None,
    measurement=SmokeMeasurement(
        synthetic=True,
        layers_run=6,
        layers_total=32,
        error=None,
        prompt_tokens=512,
        full_ttft_ms=11_300.0,
        full_decode_tokens_per_s=7.4,
        peak_bytes=1200 * MIB,
    ),
    verdict=SmokeVerdict(
        "pass",
        (
            SmokeCheck("runs", True, True, "ran with random weights in the model's shape, 6 of 32 layers"),
            SmokeCheck("decode", True, True, "decodes 7.4 tok/s (extrapolated), 5.0 tok/s required"),
            SmokeCheck("memory", None, False, "memory not compared: 6 of 32 layers ran"),
        ),
    ),
)

Smoke = Callable[[Callable[[Any], None], threading.Event], SmokeReport]


class PinnedAdvisor(Advisor):
    """The real questionnaire and files, with a machine, a recommendation and a smoke test that are given."""

    def __init__(self, ranked: tuple[Candidate, ...] = RANKED, machine: Machine = MACHINE) -> None:
        super().__init__()
        self.ranked = ranked
        self.pinned_machine = machine
        self.n_probes = 0
        self.run_smoke: Smoke = lambda on_event, cancel: REPORT

    def machine(self, choice: MachineChoice = MachineChoice()) -> Machine:  # noqa: B008 - as the base class has it
        self.n_probes += 1
        return self.pinned_machine

    def recommend(self, machine: Machine, constraints: Constraints, **_: Any) -> Recommendation:
        return recommendation(constraints, machine, self.ranked)

    def compare(
        self,
        names: Sequence[str],
        machine: Machine,
        constraints: Constraints,
        timings: Timings = NO_TIMINGS,
        trial: Evidence | None = None,
    ) -> HeadToHead:
        compared = [c for name in names for c in self.ranked if c.id == name]
        return head_to_head(compared, constraints, self.catalogue.licences["apache-2.0"])

    def smoke(self, candidate: Candidate, constraints: Constraints, **channels: Any) -> SmokeReport:
        return self.run_smoke(channels["on_event"], channels["cancel"])

    def recommendation_text(
        self, found: Recommendation, answers: Mapping[str, Answer], smoke: SmokeReport | None = None
    ) -> str:
        pick = found.pick
        assert pick is not None
        proved = "" if smoke is None else f'\n[smoke]\nverdict = "{smoke.verdict.verdict}"\n'
        return f'schema_version = 1\n\n[recommendation]\nmodel = "{pick.model.id}"\n{proved}'

    def export_text(self, text: str, target: str, name: str, request: ExportRequest | None = None) -> MadeFiles:
        label = f"{target}-example-small-8b-instruct"
        return MadeFiles(
            {
                f"{label}.yaml": f"# Made from {name!r}.\nname: example\nport: {(request or ExportRequest()).port}\n",
                f"{label}-and-a-long-name.sh": '#!/usr/bin/env bash\nset -eu\nexec "$@"\n',
            },
            ("Licence: Example License 1.0: allowed. A reading, not legal advice.", "Duty: ship a file named Notice."),
            ("no hash of the weights is published.",),
        )


class HereAdvisor(Advisor):
    """Everything real but the machine."""

    def __init__(self, machine: Machine = MACHINE, knowledge: Path | None = None) -> None:
        super().__init__(knowledge)
        self.pinned_machine = machine

    def machine(self, choice: MachineChoice = MachineChoice()) -> Machine:  # noqa: B008 - as the base class has it
        return self.pinned_machine
