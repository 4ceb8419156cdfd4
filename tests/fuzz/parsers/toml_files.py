"""TOML files that people or other programs wrote: constraints, machines, fleets, recommendations, settings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from advisor.domain.answers import answers_document
from advisor.domain.pools import memory_pools
from advisor.domain.questions import Answer
from advisor.domain.trial.evidence import Evidence, Tried
from advisor.errors import InputError, NoCandidateError
from advisor.export.deploy import TARGETS, files_for
from advisor.export.machine_record import machine_from_record
from advisor.export.recommendation_file import read_recommendation
from advisor.export.report.contents import Recorded
from advisor.export.verification import recorded_pick, recorded_trial
from advisor.probe.fleet_file import fleet_file_text, is_fleet_file, read_fleet_file
from advisor.probe.machine_file import read_machine_file
from advisor.probe.machine_text import machine_file_text
from advisor.service import MachineChoice
from advisor.settings import load_settings
from advisor.tui.keymap import keymap
from tests.fuzz.codecs import Toml
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.shared import (
    DESKTOP,
    advisor,
    constraints_text,
    default_constraints,
    desktop,
    recommendation_text,
)


def _written(raw: bytes, folder: Path) -> Path:
    path = folder / "input.toml"
    path.write_bytes(raw)
    return path


def constraints(raw: bytes, folder: Path) -> None:
    """`--constraints FILE`, and each of its lines as `--set`."""
    path = _written(raw, folder)
    for line in raw.split(b"\n")[:20]:
        text = line[:2000].decode("utf-8", "surrogateescape")
        # On the command line a key needs no quotes.
        with suppress(InputError):  # and a line need not be an assignment
            advisor().constraints(advisor().answers(settings=[text.replace('"', "", 2)]))
    answers = advisor().answers(path)
    advisor().constraints(answers)
    answers_document(answers)


def machine(raw: bytes, folder: Path) -> None:
    """`--machine FILE`, down to the memory that a recommendation would count on."""
    path = _written(raw, folder)
    is_fleet_file(path)
    found = advisor().machine(MachineChoice(file=path))
    figures = advisor().figures(found)
    memory_pools(found, default_constraints().machine, figures)
    path.write_text(machine_file_text(found), "utf-8")
    again = read_machine_file(path)
    assert again.memory.total_bytes.value == found.memory.total_bytes.value


def fleet(raw: bytes, folder: Path) -> None:
    """`--fleet FILE`."""
    path = _written(raw, folder)
    found = read_fleet_file(path)
    path.write_text(fleet_file_text(found), "utf-8")
    assert len(read_fleet_file(path).nodes) == len(found.nodes)


@cache
def _reports() -> tuple[str, ...]:
    return tuple(name for name, target in TARGETS.items() if target.is_report)


def recommendation(raw: bytes, folder: Path) -> None:
    """`verify FILE` and `export FILE` as far as they read it, and its reports."""
    path = _written(raw, folder)
    file = read_recommendation(path)
    recorded_pick(file)
    recorded_trial(file)
    found = machine_from_record(file.machine)
    advisor().figures(found)
    advisor().constraints(advisor().answers(path))
    for target in _reports():
        files_for(target, Recorded(file, sha256(raw).hexdigest(), path.stem))


def settings(raw: bytes, folder: Path) -> None:
    """`config.toml`, and the keys in it."""
    path = folder / "config" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    found = load_settings()
    keymap(found.keys, name="config.toml")


def _constraint_seeds() -> Sequence[bytes]:
    small = b'schema_version = 1\n[use]\npurpose = "research"\nmau = 1_000\n[languages]\nrequired = ["fr", "de-CH"]\n'
    text = b'"task.kind" = "coding"\n[scale]\nusers = 50\n[machine]\nreserve_ram = "2GiB"\n[preferences.weights]\nspeed = 3\n'
    words = (
        b'"use.commercial" = "yes"\n"use.mau" = "1,000"\n"languages.required" = "fr de-CH, zh-Hant"\n"scale.users" = "50"\n'
        b'"use.country" = "de"\n"machine.reserve_ram" = "2 GiB"\n"machine.allow_cpu" = "no"\n"preferences.weights.speed" = 0\n'
    )
    return [constraints_text().encode(), small, text, words, recommendation_text().encode()]


def _machine_seeds() -> Sequence[bytes]:
    mac = (
        b'[cpu]\nname = "Apple M2 Max"\ncores = 12\n[memory]\ntotal = "96GiB"\navailable = 0\nbandwidth = "400 GB/s"\n'
    )
    shared = b'[[gpu]]\nname = "Apple M2 Max"\nunified_memory = true\nmemory = 103079215104\nbandwidth = 4e11\n'
    return [DESKTOP.read_bytes(), mac + shared, machine_file_text(desktop()).encode(), b'[[gpu]]\nmemory = "8GiB"\n']


def _fleet_seeds() -> Sequence[bytes]:
    node = b'[[node]]\nname = "a"\n[node.cpu]\ncores = 8\n[node.memory]\ntotal = "32GiB"\n'
    more = b'[[node]]\nname = "b"\n[[node.gpu]]\nname = "RTX 4090"\ncount = 2\n'
    lost = b'[[failure]]\nname = "c"\nreason = "no answer"\nhint = "Look at it."\n'
    return [b'schema_version = 1\nsource = "ray"\n' + node + more + lost, node]


@cache
def _recommendation_seeds() -> Sequence[bytes]:
    others: tuple[dict[str, Answer], ...] = (
        {"task.kind": "coding", "languages.required": ("fr",), "use.commercial": False, "scale.users": 3},
        {"latency.tokens_per_s": 1.0, "latency.percentile": 95, "preferences.families": ("llama",)},
    )
    tried = Evidence("tasks.jsonl", "a" * 64, "b" * 64, (Tried("mistral-7b-instruct-v0.3", "Q4_K_M", 40, 30.0),))
    made = [recommendation_text()]
    for changes, gpu, trial in zip(others, ("none", "RTX 3060"), (tried, None), strict=True):
        answers = {**advisor().questionnaire.defaults(), **changes}
        machine = advisor().machine(MachineChoice(file=DESKTOP, gpu=gpu))
        found = advisor().recommend(machine, advisor().constraints(answers), trial=trial)
        made.append(advisor().recommendation_text(found, answers))
    return [text.encode() for text in made]


def _settings_seeds() -> Sequence[bytes]:
    return [
        b'theme = "nord"\nascii = true\n[keys]\n"measure.best" = "f6"\n"smoke" = "f7,ctrl+t"\n',
        b"ascii = false\n",
        b'[keys.measure]\nbest = "f6"\n',
    ]


_MACHINE_WORDS = (
    "schema_version", "cpu", "name", "cores", "memory", "total", "available", "bandwidth", "gpu", "count",
    "unified_memory", "node", "failure", "reason", "hint", "source", "RTX 4090", "H100", "MI300X", "64GiB", "1008 GB/s",
)  # fmt: skip
_KEYS = (
    "use", "task", "languages", "scale", "latency", "machine", "preferences", "weights", "kind", "mau", "users", "purpose",
    "context_tokens", "required", "preferred", "reserve_ram", "reserve_vram", "allow_cpu", "engine", "families", "quality",
    "speed", "none", "commercial", "fr", "de-CH", "zh-Hant", "64GiB", "constraints", "recommendation", "schema_version",
)  # fmt: skip
_RECORD_WORDS = (
    "schema_version", "recommendation", "alternatives", "rejected", "sensitivity", "plan", "request", "constraints",
    "machine", "catalogue", "smoke", "model", "quantization", "footprint", "devices", "weights_bytes", "speed", "basis",
    "engine", "value", "source", "reason", "hint", "trial", "candidates", "licence", "obligations", "languages", "sha256",
)  # fmt: skip
_SETTING_WORDS = (
    "theme", "ascii", "keys", "measure.best", "smoke", "quit", "help", "f6", "ctrl+t", "slash", "q", "escape",
)  # fmt: skip

HARNESSES = (
    Harness(
        "constraints",
        "constraints files (TOML), and `--set key=value`",
        "`Advisor.answers`, `Advisor.constraints`",
        constraints,
        _constraint_seeds,
        Toml(),
        _KEYS,
    ),
    Harness(
        "machine",
        "machine files (TOML)",
        "`Advisor.machine`, `Advisor.figures`, `domain.pools.memory_pools`, `probe.machine_text.machine_file_text`",
        machine,
        _machine_seeds,
        Toml(),
        _MACHINE_WORDS,
    ),
    Harness(
        "fleet",
        "fleet files (TOML)",
        "`probe.fleet_file.read_fleet_file`, `fleet_file_text`",
        fleet,
        _fleet_seeds,
        Toml(),
        _MACHINE_WORDS,
    ),
    Harness(
        "recommendation",
        "recommendation files (TOML)",
        "`export.recommendation_file.read_recommendation`, `Advisor.answers`, `export.verification`, the reports",
        recommendation,
        _recommendation_seeds,
        Toml(),
        _RECORD_WORDS,
        refusals=(InputError, NoCandidateError),
    ),
    Harness(
        "settings",
        "`config.toml` (settings and keys)",
        "`settings.load_settings`, `tui.keymap.keymap`",
        settings,
        _settings_seeds,
        Toml(),
        _SETTING_WORDS,
    ),
)
