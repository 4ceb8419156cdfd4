"""What every part of the facade stands on: the knowledge, this machine, and the pipeline that judges models on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import paths
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import CpuSpec, GpuSpec, Machine
from advisor.domain.language_names import LanguageNames
from advisor.domain.model import GgufFile, Model
from advisor.domain.pools import Figures
from advisor.domain.quantization import file_type_hint
from advisor.domain.recommend import Recommendation, recommend
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.errors import InputError, nearest
from advisor.files import is_there
from advisor.service.own_entries import OwnEntries

if TYPE_CHECKING:
    from advisor.domain.trial.evidence import Evidence


@dataclass(frozen=True, slots=True)
class MachineChoice:
    """Which machine to advise for: this one, unless something is overridden."""

    gpu: str | None = None
    """A name from the hardware catalogue with an optional count, or `none`."""
    ram_bytes: int | None = None
    file: Path | None = None
    """A machine file."""

    @property
    def is_changed(self) -> bool:
        """Whether GPUs or memory are others than those of the machine."""
        return self.gpu is not None or self.ram_bytes is not None

    @property
    def is_here(self) -> bool:
        """Whether it is this machine as it is."""
        return not self.is_changed and self.file is None


@lru_cache(maxsize=2)
def languages_of(knowledge: Path) -> LanguageNames:
    """Names of languages, read once: the catalogue and the questions have the same."""
    from advisor.catalog.loader import load_languages

    return load_languages(knowledge)


class Core(OwnEntries):
    """One session: knowledge is read once, and only when something asks for it."""

    def __init__(self, knowledge: Path | None = None) -> None:
        self._knowledge = knowledge

    @cached_property
    def knowledge(self) -> Path:
        """The knowledge directory. Raises InputError when there is none."""
        return self._knowledge or paths.knowledge_dir()

    @cached_property
    def catalogue(self) -> Catalogue:
        """Models, licences and quantizations, with the user's own entries where they can be used."""
        from advisor.catalog.loader import load_catalogue

        return self.with_own_entries(load_catalogue(self.knowledge, languages_of(self.knowledge)), self.knowledge)

    @cached_property
    def gpu_specs(self) -> tuple[GpuSpec, ...]:
        """The GPUs of the hardware catalogue."""
        from advisor.catalog.hardware import load_gpus

        return load_gpus(self.knowledge)

    @cached_property
    def _cpu_specs(self) -> tuple[CpuSpec, ...]:
        from advisor.catalog.hardware import load_cpus

        return load_cpus(self.knowledge)

    # ---------------------------------------------------------------- machine

    def machine(self, choice: MachineChoice = MachineChoice()) -> Machine:
        """One snapshot of this machine, or the simulated one that was chosen.

        Raises InputError for an unknown GPU or a machine file that cannot be used; probing itself never fails.
        """
        if choice.file is not None:
            from advisor.probe.machine_file import read_machine_file

            base: Machine = read_machine_file(choice.file)
        else:
            base = self._probe()
        return self._simulate(base, choice) if choice.is_changed else base

    def _probe(self) -> Machine:
        from advisor.engine.describe import describe_engine
        from advisor.probe.snapshot import probe_machine

        engine = describe_engine(cache_file=paths.cache_dir() / "engine.json")
        return probe_machine(engine, disk_path=paths.cache_dir())

    def _simulate(self, base: Machine, choice: MachineChoice) -> Machine:
        from advisor.catalog.hardware import find_gpu
        from advisor.probe.simulate import parse_gpu_argument, simulated_machine

        gpus: list[tuple[GpuSpec, int]] | None = None
        if choice.gpu is not None:
            name, count = parse_gpu_argument(choice.gpu)
            gpus = [(find_gpu(self.gpu_specs, name), count)] if name and count else []
        return simulated_machine(base, gpus=gpus, ram_bytes=choice.ram_bytes)

    def figures(self, machine: Machine) -> Figures:
        """Published figures of a machine's devices, where the hardware catalogue knows them."""
        from advisor.catalog.hardware import match_cpu, match_gpu

        name = machine.cpu.name.value
        gpus = tuple(match_gpu(self.gpu_specs, g.name.value or "", g.total_bytes.value) for g in machine.gpus)
        return Figures(cpu=match_cpu(self._cpu_specs, name) if name else None, gpus=gpus)

    # ---------------------------------------------------------------- advice

    def recommend(
        self,
        machine: Machine,
        constraints: Constraints,
        *,
        named: Iterable[str] = (),
        quantization: str | None = None,
        timings: Timings = NO_TIMINGS,
        trial: Evidence | None = None,
        before_each: Callable[[], None] | None = None,
    ) -> Recommendation:
        """Gate and score everything. Raises InputError for an unknown model or quantization name.

        `before_each` is called before each model and may raise to stop.
        """
        models = tuple(self.model(name).id for name in named)
        if quantization is not None:
            quantization = self.quantization_name(quantization)
        return recommend(
            machine,
            constraints,
            self.catalogue,
            self.figures(machine),
            named=models,
            quantization=quantization,
            timings=timings,
            trial=trial,
            before_each=before_each,
        )

    def model(self, name: str) -> Model:
        """A model by id or Hugging Face id. Raises InputError with the nearest id."""
        found = self.catalogue.model(name)
        if found is None:
            hint = nearest(name.lower(), [m.id for m in self.catalogue.models])
            raise InputError(f"unknown model {name!r}", hint=hint or "List them with: llm-advisor models")
        return found

    def model_no_file(self, target: str) -> Model:
        """A model, where a file could be named too. Raises InputError, which tells a file or address of no use."""
        try:
            return self.model(target)
        except InputError as error:
            if "://" in target:
                why = "only `size` reads files on web servers, and only by https"
                hint = "Download the file and name its path."
                raise InputError(f"{target.partition('?')[0]} cannot be used", why=why, hint=hint) from error
            if target and is_there(Path(target)):
                hint = "Name such a file, or a model: llm-advisor models"
                raise InputError(
                    f"{target} is no model file", why="its name does not end in .gguf", hint=hint
                ) from error
            raise

    def quantization_name(self, name: str) -> str:
        """A file type's exact name. Raises InputError with the valid ones."""
        known = self.catalogue.quantizations
        wanted = name.upper()
        if wanted not in known:
            raise InputError(f"unknown quantization {name!r}", hint=file_type_hint(wanted, known))
        return wanted

    def recommend_again(
        self,
        found: Recommendation,
        constraints: Constraints | None = None,
        *,
        named: Iterable[str] | None = None,
        timings: Timings | None = None,
        before_each: Callable[[], None] | None = None,
    ) -> Recommendation:
        """A recommendation as it was asked for, with other constraints, models or timings where they are given."""
        return self.recommend(
            found.machine,
            found.constraints if constraints is None else constraints,
            named=found.named if named is None else named,
            quantization=found.only_quantization,
            timings=found.timings if timings is None else timings,
            trial=found.trial,
            before_each=before_each,
        )

    def gguf_files(self, model: Model) -> tuple[GgufFile, ...]:
        """Published quantizations of a model."""
        return self.with_own_files(model, self.knowledge)
