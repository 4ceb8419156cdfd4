"""The Python interface: one function for each question that can be asked without running a model.

The command line and the MCP server call these functions too, so that all three say the same. Every function takes
`advisor`, a session that has read the knowledge already; without it each call reads what it needs. All raise
InputError for a name, file or value that cannot be used, with the nearest valid one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from advisor.domain.answers import flattened
from advisor.domain.hardware import Machine
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import Model
from advisor.domain.quantization import DEFAULT_QUANTIZATION as DEFAULT_QUANTIZATION
from advisor.domain.questions import Answer
from advisor.domain.recommend import Candidate, Recommendation
from advisor.errors import InputError, NoCandidateError
from advisor.service import Advisor, MachineChoice
from advisor.text import harmless_json
from advisor.units import MIB, parse_size

if TYPE_CHECKING:
    from advisor.domain.argument_names import ArgumentNames
    from advisor.domain.relaxing import Relaxation
    from advisor.domain.sizing import Sizing
    from advisor.domain.speed_report import SpeedReport
    from advisor.service import OnEvent

T = TypeVar("T")

LEAST_RAM_BYTES = MIB
"""Of a machine. Whoever writes less forgot the unit."""

Measure = bool | Literal["again"]
"""Whether to time, and whether also what was timed before."""

SCHEMA_VERSION = 1
"""Of every document."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What is asked of a model: defaults, then a preset, a file, settings and values, each over the one before."""

    file: Path | None = None
    """A constraints file, or a recommendation file for the answers recorded in it."""
    settings: tuple[str, ...] = ()
    """`key=value` as `--set` takes it."""
    values: Mapping[str, object] = field(default_factory=dict)
    """By dotted key (`task.kind`), or in tables as the constraints file has them."""
    preset: str | None = None
    """Id of a set of answers that the others go over."""


AnyNeeds = Needs | Mapping[str, object] | str | Path | None
"""Needs whole, answers by key, or the path of a constraints file; None for the defaults."""


@dataclass(frozen=True)
class Result(Generic[T]):
    """What was found, as a typed value and as the document that `--json` prints."""

    value: T
    _make: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    @cached_property
    def document(self) -> dict[str, Any]:
        """Plain values with `schema_version` first; bytes are integers, speeds tokens per second."""
        return {"schema_version": SCHEMA_VERSION, **self._make()}

    def to_json(self) -> str:
        """The document as JSON, the same text as `--json` prints."""
        return harmless_json(json.dumps(self.document, ensure_ascii=False, indent=2))


@dataclass(frozen=True)
class Advice(Result[Recommendation]):
    """A recommendation with the answers that it rests on."""

    answers: Mapping[str, Answer]
    advisor: Advisor = field(repr=False, compare=False)
    problems: tuple[str, ...] = ()
    """Why candidates could not be measured although that was asked for."""
    relaxation: Relaxation | None = None
    """What was changed to admit the model that was to be admitted; the answers are those after the change."""
    trial_notes: tuple[str, ...] = ()
    """What the trial does not say."""

    @property
    def pick(self) -> Candidate | None:
        """The first in rank, or None where nothing satisfies the needs."""
        return self.value.pick

    def to_toml(self) -> str:
        """The recommendation as a file that `verify` replays. Raises NoCandidateError without a pick."""
        return self.advisor.recommendation_text(self.value, self.answers)


def recommend(
    needs: AnyNeeds = None,
    *,
    gpu: str | None = None,
    ram: str | int | None = None,
    machine: str | Path | Machine | None = None,
    models: Iterable[str] = (),
    quantization: str | None = None,
    relax: str | None = None,
    measure: Measure = False,
    sensitivity: bool = False,
    trial: str | Path | None = None,
    models_dirs: Iterable[Path] = (),
    on_event: OnEvent | None = None,
    advisor: Advisor | None = None,
) -> Advice:
    """Which model, in which quantization, to run for a use on a machine.

    `gpu` ("RTX 4090x2", "none"), `ram` ("64GiB" or bytes) and `machine` (a machine file) replace this machine by a
    simulated one; `machine` may be a snapshot too, such as that of a node of a fleet. `models` admits by name what is
    otherwise only listed; `relax` changes the answers just so far that this excluded model passes, and raises
    NoCandidateError where no answer admits it; `measure` times the best candidates here and ranks again, and
    `"again"` also those that were timed before; `sensitivity`
    also tries other requirements, one at a time; `trial` is the result of a trial on tasks of your own, which goes over
    published results. The document says which candidates' files are on this machine; `models_dirs` are searched beside
    the usual places.
    """
    session = advisor or Advisor()
    answers = answers_of(session, needs)
    evidence, remarks = (None, ()) if trial is None else session.trial_evidence(Path(trial))
    found = session.recommend(
        _machine(session, gpu, ram, machine),
        session.constraints(answers),
        named=models,
        quantization=quantization,
        trial=evidence,
    )
    relaxation = None
    if relax is not None:
        relaxation = _relaxed(session, relax, found, answers)
        answers, found = dict(relaxation.answers), relaxation.found
    problems: tuple[str, ...] = ()
    if measure:
        found, problems = session.measure_finalists(found, on_event=on_event, remeasure=measure == "again")
    if sensitivity:
        found = session.with_constraint_changes(found)
    make = partial(_advice_document, session, found, answers, tuple(models_dirs))
    return Advice(found, make, answers, session, problems, relaxation, remarks)


def _machine(session: Advisor, gpu: str | None, ram: str | int | None, machine: str | Path | Machine | None) -> Machine:
    """The machine that is meant. Raises InputError for a change of a snapshot, which is taken as it is."""
    if not isinstance(machine, Machine):
        return session.machine(machine_choice(gpu, ram, machine))
    if gpu is not None or ram is not None:
        raise InputError("gpu and ram change no snapshot of a machine", hint="Leave them out, or name a machine file.")
    return machine


def _relaxed(session: Advisor, model: str, found: Recommendation, answers: Mapping[str, Answer]) -> Relaxation:
    """The answers changed just so far that the model passes. Raises NoCandidateError where no answer admits it."""
    relaxation = session.relax(model, found, answers)
    if not relaxation.is_admitted:
        reasons = "; ".join(reason.text for reason in relaxation.obstacles)
        raise NoCandidateError(f"no answer admits {relaxation.model.id}", why=reasons)
    return relaxation


def _advice_document(
    session: Advisor, found: Recommendation, answers: Mapping[str, Answer], folders: tuple[Path, ...]
) -> dict[str, Any]:
    here = session.candidates_here_document(found, folders)
    return {**session.recommendation_document(found, answers), "already_here": here}


def size(
    target: str | Path,
    quantization: str = DEFAULT_QUANTIZATION,
    *,
    context_tokens: int | None = None,
    parallel: int = 1,
    kv_type: str = "f16",
    gpu_layers: int | None = None,
    experts_in_ram: bool = False,
    cache_on_gpu: bool = True,
    ubatch: int | None = None,
    outputs: int | None = None,
    flash_attention: bool = True,
    split_mode: str = "layer",
    engine: bool = False,
    gpu: str | None = None,
    ram: str | int | None = None,
    machine: str | Path | None = None,
    names: ArgumentNames | None = None,
    advisor: Advisor | None = None,
) -> Result[Sizing]:
    """Memory in bytes of a model by its id, or of a GGUF file by its path or URL, per device.

    None stands for llama.cpp's default or, for `gpu_layers`, for all that fit. With `engine` llama.cpp itself is
    asked; that raises EngineError where it is missing or refuses. A URL can raise NetworkError. `names` is how errors
    call the arguments where that is not by their names here.
    """
    from advisor.domain.argument_names import OWN_NAMES
    from advisor.domain.sizing import SizeRequest

    session = advisor or Advisor()
    request = SizeRequest(
        context_tokens=context_tokens,
        parallel=parallel,
        kv_type=kv_type,
        gpu_layers=gpu_layers,
        ubatch=ubatch,
        flash_attention=flash_attention,
        split_mode=split_mode,
        experts_in_ram=experts_in_ram,
        cache_on_gpu=cache_on_gpu,
        outputs=outputs,
        names=names or OWN_NAMES,
    )
    found = session.size(str(target), quantization, request, machine_choice(gpu, ram, machine), use_engine=engine)
    return Result(found, lambda: session.size_document(found))


def speed(
    model: str,
    quantization: str = DEFAULT_QUANTIZATION,
    needs: AnyNeeds = None,
    *,
    prompt_tokens: int | None = None,
    depth_tokens: int | None = None,
    measure: Measure = False,
    on_event: OnEvent | None = None,
    gpu: str | None = None,
    ram: str | int | None = None,
    machine: str | Path | None = None,
    advisor: Advisor | None = None,
) -> Result[SpeedReport]:
    """How fast a model runs where it runs fastest, in tokens per second: estimated, or timed here with slices of it.

    Prompt and depth come from the needs where they are not given; `measure="again"` times also what was timed before.
    """
    session = advisor or Advisor()
    constraints = session.constraints(answers_of(session, needs))
    found = session.speed(
        model,
        quantization,
        session.machine(machine_choice(gpu, ram, machine)),
        constraints,
        prompt_tokens=prompt_tokens,
        depth_tokens=depth_tokens,
        measured=bool(measure),
        remeasure=measure == "again",
        on_event=on_event,
    )
    return Result(found, lambda: session.speed_document(found))


def licence(model: str, needs: AnyNeeds = None, *, advisor: Advisor | None = None) -> Result[LicenceFinding]:
    """What a model's licence says about the described use: verdict, duties, clauses. Not legal advice."""
    session = advisor or Advisor()
    chosen = session.model(model)
    found = session.licence(chosen, session.constraints(answers_of(session, needs)))
    return Result(found, lambda: session.licence_document(chosen, found))


def models(family: str | None = None, *, advisor: Advisor | None = None) -> Result[tuple[Model, ...]]:
    """The catalogue, or one family of it."""
    session = advisor or Advisor()
    catalogue = session.catalogue
    families = sorted({model.family for model in catalogue.models})
    if family is not None and family not in families:
        raise InputError(f"unknown family {family!r}", hint=f"Known families: {', '.join(families)}.")
    found = tuple(model for model in catalogue.models if family in (None, model.family))
    return Result(found, lambda: session.listing_document(found, catalogue.version))


def show(model: str, *, advisor: Advisor | None = None) -> Result[Model]:
    """One model of the catalogue with the source of every value."""
    session = advisor or Advisor()
    chosen = session.model(model)
    return Result(chosen, lambda: session.model_document(chosen, session.gguf_files(chosen)))


def answers_of(advisor: Advisor, needs: AnyNeeds) -> dict[str, Answer]:
    """One answer for each question."""
    if needs is None:
        return advisor.answers()
    if isinstance(needs, str | Path):
        return advisor.answers(Path(needs))
    if not isinstance(needs, Needs):
        needs = Needs(values=needs)
    values = {key: value for key, value in flattened(needs.values).items() if key != "schema_version"}
    return advisor.answers(needs.file, needs.settings, values, preset=needs.preset)


def machine_choice(gpu: str | None, ram: str | int | None, machine: str | Path | None) -> MachineChoice:
    """The machine that the words mean. Raises InputError for memory in which nothing runs, such as 64 bytes."""
    if isinstance(ram, str):
        try:
            ram = parse_size(ram)
        except ValueError as error:
            raise InputError(f"ram: {error}") from error
    if ram is not None and ram < LEAST_RAM_BYTES:
        raise InputError(f"ram: no machine has {ram} bytes", hint="Write a unit, for example 64GiB.")
    return MachineChoice(gpu=gpu, ram_bytes=ram, file=None if machine is None else Path(machine))
