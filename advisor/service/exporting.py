"""What the facade turns a recommendation file into: reports, and files that run the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.domain.answers import merge_document
from advisor.domain.model import GgufFile, Model
from advisor.errors import AdvisorError, InputError, NoCandidateError, nearest
from advisor.files import taken_of, write_all
from advisor.service.answer_sources import AnswerSources
from advisor.service.scale import ManyUsers

if TYPE_CHECKING:
    from advisor.domain.capacity.plan import Plans, ServingPlan
    from advisor.domain.capacity.replica import EngineName
    from advisor.domain.export_request import ExportChoice, ExportRequest, MadeFiles
    from advisor.export.deploy.resolution import ModelFacts, ServingOptions
    from advisor.export.deploy.serving import GgufSource, Serving
    from advisor.export.recommendation_schema import RecommendationFile
    from advisor.export.report.contents import Recorded

EVERYTHING = "all"
"""In place of a target: every one that can run the recommendation."""


class Exports(AnswerSources, ManyUsers):
    """The part of the facade that knows the targets."""

    _kept_plans: dict[tuple[EngineName, str | None], Plans] | None = None
    """While every target of one recommendation is exported: what was planned for it."""

    def export_targets(self) -> dict[str, str]:
        """What each target gives, by its name."""
        from advisor.export.deploy import TARGETS

        return {name: target.help for name, target in TARGETS.items()}

    def export_choices(self) -> tuple[ExportChoice, ...]:
        """Every target, once for each engine that it can run."""
        from advisor.domain.export_request import EXPORT_OPTIONS, ExportChoice
        from advisor.export.deploy import TARGETS, fields_of

        found = []
        for name, target in TARGETS.items():
            for i, engine in enumerate(target.engines or (None,)):
                on = f" on {engine}" if engine is not None and len(target.engines) > 1 else ""
                matters = fields_of(target, engine)
                options = tuple(option for option in EXPORT_OPTIONS if option.question.key in matters)
                found.append(ExportChoice(name, engine if i else None, f"{name}{on} – {target.help}", options))
        return tuple(found)

    def report_target(self, path: Path) -> str:
        """The target that writes a file of this name. Raises InputError for an ending that none has."""
        from advisor.export.deploy import TARGETS

        ending = path.suffix.lower()
        for name, target in TARGETS.items():
            if ending in target.endings:
                return name
        known = ", ".join(end for target in TARGETS.values() for end in target.endings)
        what = f"no report has the ending {ending!r}" if ending else "the name of a report ends in what it is"
        raise InputError(f"{path}: {what}", hint=f"Known: {known}.")

    def export_file(self, path: Path, target: str, request: ExportRequest | None = None) -> dict[str, str]:
        """Texts by file name from a recommendation file.

        Raises InputError for another file, target or option, and for what the target cannot run; NoCandidateError
        where the licence forbids the use or no machine carries the load.
        """
        return dict(self._made(_recorded(path), target, request).texts)

    def _made(self, recorded: Recorded, target: str, request: ExportRequest | None) -> MadeFiles:
        from advisor.domain.export_request import PLAIN, MadeFiles
        from advisor.export.deploy import TARGETS, serving_files

        _known(target)
        if TARGETS[target].is_report:
            return MadeFiles(_report(target, recorded))
        from advisor.export.deploy.file_header import caution_lines, licence_lines

        serving = self.serving(recorded, target, request or PLAIN)
        texts = serving_files(target, serving)
        return MadeFiles(texts, tuple(licence_lines(serving.licence)), tuple(caution_lines(serving)))

    def export_everything(self, path: Path, request: ExportRequest) -> tuple[dict[str, str], dict[str, AdvisorError]]:
        """The files of every target that can run the recommendation, and why the others cannot.

        Raises InputError for a file that is no recommendation, and the first refusal where nothing is left.
        """
        from advisor.export.deploy import TARGETS

        texts: dict[str, str] = {}
        refused: dict[str, AdvisorError] = {}
        recorded = _recorded(path)
        self._kept_plans = {}
        try:
            for target in TARGETS:
                try:
                    texts |= self._made(recorded, target, request).texts
                except (InputError, NoCandidateError) as error:
                    refused[target] = error
        finally:
            self._kept_plans = None
        if not texts:
            raise next(iter(refused.values()))
        return texts, refused

    def export_text(self, text: str, target: str, name: str, request: ExportRequest | None = None) -> MadeFiles:
        """What a target makes of a recommendation's TOML; `name` is its file's without ending. Raises as above."""
        return self._made(_recorded_text(text, f"{name}.toml", name), target, request)

    def save_files(self, folder: Path, texts: Mapping[str, str], *, overwrite: bool = False) -> list[Path]:
        """Write files into a folder, all or, where one is there already, none. Raises InputError for that and for a
        place that cannot be written."""
        return write_all(folder, texts, overwrite=overwrite)

    def files_there(self, folder: Path, names: Iterable[str]) -> list[Path]:
        """Those of some files of a folder that are there already."""
        return taken_of(folder, names)

    def serving(self, recorded: Recorded, target: str, request: ExportRequest) -> Serving:
        """What a target says in its own language. Raises like `export_file`."""
        from advisor.export.deploy import TARGETS
        from advisor.export.deploy.resolution import serving_of

        known = TARGETS[target]
        engine = _engine(target, known.engines, request)
        request = _with_slots(target, known.slots, request)
        facts = self._facts(recorded.file)
        vllm = None
        plan = None
        if engine == "vllm" or request.node is not None:
            plan = self._plan(recorded, engine, request)
        elif known.scales and recorded.file.plan.slots > 1:
            plan = self._plan_here(recorded)
        if engine == "vllm":
            from advisor.catalog.serving import load_serving

            vllm = load_serving(self.knowledge).vllm
        return serving_of(recorded, facts, _options(request, engine), scales=known.scales, plan=plan, vllm=vllm)

    def _facts(self, file: RecommendationFile) -> ModelFacts:
        from advisor.export.deploy.resolution import ModelFacts
        from advisor.export.machine_record import machine_from_record
        from advisor.hub.listing import is_repository

        pick = file.recommendation
        model = self.model(pick.model)
        files = self.gguf_files(model)
        licence = self.catalogue.licences.get(pick.licence.licence)
        specs = [spec for spec in self.figures(machine_from_record(file.machine)).gpus if spec is not None]
        return ModelFacts(
            title=model.name,
            licence_name=pick.licence.licence if licence is None else licence.name,
            licence_url=None if licence is None else licence.url,
            gated=model.gated,
            gguf=published(model, files, pick.quantization),
            published=tuple(sorted({f.quantization for f in files if is_repository(f.repo)})),
            backend=specs[0].backend if specs else "cuda",
            notes=tuple(note for note in model.notes if "FP8" in note),
        )

    def _plan(self, recorded: Recorded, engine: EngineName, request: ExportRequest) -> ServingPlan:
        """The plan for the recorded load: on the named kind of node, else the cheapest."""
        plans = self._plans(recorded, engine, request.quantization)
        if request.node is not None:
            return _on_node(plans, request.node)
        real = [p for p in plans.plans if p.node is not None or not recorded.file.machine.simulated]
        return (real or list(plans.plans))[0]

    def _plan_here(self, recorded: Recorded) -> ServingPlan | None:
        """The plan for copies of the recorded machine; None where it cannot meet the targets, as the file says."""
        try:
            plans = self._plans(recorded, "llama.cpp", None)
        except NoCandidateError:
            return None
        return next((p for p in plans.plans if p.node is None), None)

    def _plans(self, recorded: Recorded, engine: EngineName, precision: str | None) -> Plans:
        from advisor.domain.plan_options import PlanOptions
        from advisor.export.machine_record import machine_from_record

        file = recorded.file
        quantization = file.recommendation.quantization if engine == "llama.cpp" else precision
        kept = {} if self._kept_plans is None else self._kept_plans
        if (engine, quantization) not in kept:
            defaults = self.questionnaire.defaults()
            answers = merge_document(self.questionnaire, defaults, file.constraints, name=f"{recorded.name}.toml")
            kept[engine, quantization] = self.plan(
                machine_from_record(file.machine),
                self.constraints(answers),
                PlanOptions(file.recommendation.model, quantization, engine),
            )
        return kept[engine, quantization]


def published(model: Model, files: tuple[GgufFile, ...], quantization: str) -> GgufSource | None:
    """The best known file of a quantization: one whose hash and size are published, on the Hub; else a repository of
    the model's quantized files; None where none is known."""
    from advisor.export.deploy.serving import GgufSource
    from advisor.hub.listing import is_repository
    from advisor.local_files.planning import best_row

    best = best_row(files, quantization)
    if best is not None:
        return GgufSource(best.repo, best.file, best.n_bytes, best.sha256)
    repo = next(filter(is_repository, model.ecosystem.gguf_repos), None)
    return None if repo is None else GgufSource(repo, None)


def _engine(target: str, engines: tuple[EngineName, ...], request: ExportRequest) -> EngineName:
    from advisor.domain.capacity.replica import engine_named

    if request.engine is None:
        return engines[0]
    found = engine_named(request.engine)
    if found not in engines:
        raise InputError(f"{target} does not run {found}", hint=f"It runs {' or '.join(engines)}.")
    return found


def _with_slots(target: str, slots: int | None, request: ExportRequest) -> ExportRequest:
    """The request with the slots of a target that leaves no choice. Raises InputError for another number."""
    if slots is None:
        return request
    if request.slots not in (None, slots):
        raise InputError(f"{target} answers {slots} request at a time with each copy, not {request.slots}",
                         hint="Leave --slots out; copies (--replicas) serve more users.")  # fmt: skip
    if request.node is not None:
        raise InputError(
            f"{target} takes no --node",
            why=f"each copy answers {slots} request at a time, and plans count on more",
            hint="Recommend on such a machine, and export that.",
        )
    return replace(request, slots=slots)


def _options(request: ExportRequest, engine: EngineName) -> ServingOptions:
    from advisor.export.deploy.resolution import ServingOptions

    if engine == "vllm" and request.gguf is not None:
        raise InputError(
            "vLLM does not serve GGUF files here",
            why="it takes the original weights, whole (BF16) or quantized when they are loaded (FP8)",
            hint="Leave --gguf out, or export to llama-server, ollama, compose or kubernetes.",
        )
    if engine == "llama.cpp" and request.quantization is not None:
        raise InputError(
            "--quant is for vLLM", why="llama.cpp runs the file type that was recommended",
            hint="Recommend again with recommend --quant.",
        )  # fmt: skip
    gguf = None if request.gguf is None else _gguf(request.gguf)
    return ServingOptions(
        engine, request.slots, request.replicas, request.port, request.image, gguf, request.allow_simulated
    )


def _gguf(text: str) -> GgufSource:
    """A file as the user names it: a path from the root, or owner/name/FILE.gguf on the Hub."""
    from advisor.export.deploy.serving import GgufSource
    from advisor.hub.listing import is_repository

    if text.startswith("/") and text.lower().endswith(".gguf"):
        return GgufSource(None, text)
    parts = text.split("/", 2)
    is_file = len(parts) == 3 and parts[2].lower().endswith(".gguf") and ".." not in parts[2].split("/")
    if not is_file or not is_repository("/".join(parts[:2])):
        raise InputError(
            f"--gguf {text!r} is no GGUF file", hint="Write owner/name/FILE.gguf, or a path from / on: /PATH/FILE.gguf."
        )
    return GgufSource("/".join(parts[:2]), parts[2])


def _on_node(plans: Plans, name: str) -> ServingPlan:
    found = next((p for p in plans.plans if p.node is not None and p.node.name.casefold() == name.casefold()), None)
    if found is not None:
        return found
    refusal = next((r for r in plans.refusals if r.place and r.place.casefold() == name.casefold()), None)
    if refusal is not None:
        raise NoCandidateError(f"{plans.subject.model.id} does not run on {name}", why=refusal.text)
    known = [p.node.name for p in plans.plans if p.node is not None]
    raise InputError(f"no node {name!r}", hint=nearest(name, known) or f"Nodes that carry it: {', '.join(known)}.")


def _recorded(path: Path) -> Recorded:
    from advisor.export.recommendation_file import recommendation_text

    return _recorded_text(recommendation_text(path), str(path), path.stem)


def _recorded_text(text: str, file_name: str, name: str) -> Recorded:
    """A recommendation with the hash of its file; errors call it `file_name`, exports `name`."""
    from advisor.export.recommendation_file import parse_recommendation
    from advisor.export.report.contents import Recorded

    return Recorded(parse_recommendation(text, name=file_name), sha256(text.encode("utf-8")).hexdigest(), name)


def _known(target: str) -> None:
    """Raises InputError for a target that there is not."""
    from advisor.export.deploy import TARGETS

    if target not in TARGETS:
        hint = nearest(target, TARGETS) or f"Known targets: {', '.join(TARGETS)}."
        raise InputError(f"no target {target!r}", hint=hint)


def _report(target: str, recorded: Recorded) -> dict[str, str]:
    from advisor.export.deploy import files_for

    return files_for(target, recorded)
