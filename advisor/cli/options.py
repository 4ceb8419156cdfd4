"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from advisor.api import Needs
from advisor.domain.questions import Answer, Question
from advisor.errors import InputError
from advisor.service import Advisor, MachineChoice
from advisor.units import parse_size

F = TypeVar("F", bound=Callable[..., Any])


class Size(click.ParamType[int]):
    """Bytes, written as 64GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_FILE = click.Path(path_type=Path, dir_okay=False)


def output_options(command: F) -> F:
    """`--json` and `--plain`."""
    for option in (
        click.option("--plain", is_flag=True, help="Tab-separated text, nothing cut, for scripts and screen readers."),
        click.option("--json", "as_json", is_flag=True, help="JSON with schema_version 1."),
    ):
        command = option(command)
    return command


_TYPED = "advisor.typed_answers"
_PRESET = "advisor.preset"


def constraint_options(command: F) -> F:
    """`--preset ID`, `--constraints FILE`, `--set key=value`, and a flag for each question of the questionnaire."""
    advisor = Advisor()
    for question in reversed(advisor.questionnaire.questions):
        command = _question_option(question)(command)
    for option in (
        click.option("settings", "--set", multiple=True, metavar="KEY=VALUE", help="One answer, e.g. use.mau=5000000."),
        click.option("constraints_file", "--constraints", type=_FILE, help="TOML file with the answers."),
        _preset_option([preset.id for preset in advisor.presets]),
    ):
        command = option(command)
    return command


def _preset_option(ids: list[str]) -> Callable[[F], F]:
    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        ctx.meta[_PRESET] = value

    return click.option(
        "--preset",
        callback=keep,
        expose_value=False,
        metavar="ID",
        help=f"Answers to begin with: {', '.join(ids)} (llm-advisor presets). A file, --set and flags go over them.",
    )


def _question_option(question: Question) -> Callable[[F], F]:
    """`--task-kind` for `task.kind`. Seldom asked questions keep out of the help, but their flags work."""

    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(_TYPED, {})[question.key] = value

    return click.option(
        flag_of(question.key),
        callback=keep,
        expose_value=False,
        hidden=question.advanced,
        metavar=question.kind.upper(),
        help=f"{question.title}: {question.domain_text}.",
    )


def flag_of(key: str) -> str:
    """The flag of a key of the constraints file."""
    return "--" + key.replace(".", "-").replace("_", "-")


def given_answers(advisor: Advisor, file: Path | None, settings: tuple[str, ...]) -> dict[str, Answer]:
    """The answers of the command line: defaults, then `--preset`, the file, `--set` and flags, each over the one
    before.

    Raises InputError for what cannot be used.
    """
    meta = click.get_current_context().meta
    return advisor.answers(file, settings, meta.get(_TYPED), preset=meta.get(_PRESET))


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the catalogue that begin like this."""
    return [model.id for model in Advisor().catalogue.models if model.id.startswith(incomplete)]


def needs_of(constraints_file: Path | None, settings: tuple[str, ...]) -> Needs:
    """What `--preset`, `--constraints`, `--set` and the flags of the questions ask for, each over the one before."""
    meta = click.get_current_context().meta
    return Needs(constraints_file, settings, dict(meta.get(_TYPED, {})), meta.get(_PRESET))


models_dir_option: Callable[[F], F] = click.option(
    "folders",
    "--models-dir",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Look for GGUF files here too; may be given several times.",
)
"""`--models-dir`, beside LLM_ADVISOR_MODELS_DIR."""


def machine_options(command: F) -> F:
    """`--gpu`, `--ram` and `--machine`, which replace this machine by a simulated one."""
    for option in (
        click.option("machine_file", "--machine", type=_FILE, help="TOML file of a machine, as probe -o writes it."),
        click.option("--ram", type=Size(), metavar="SIZE", help="Pretend this much system memory, e.g. 64GiB."),
        click.option(
            "--gpu", metavar="NAME[xN]", help='Pretend these GPUs, e.g. "RTX 4090" or "H100 80GBx2"; or none.'
        ),
    ):
        command = option(command)
    return command


def machine_choice(gpu: str | None, ram: int | None, machine_file: Path | None) -> MachineChoice:
    """The choice that the options spell. Raises InputError for memory of zero."""
    if ram is not None and ram <= 0:
        raise InputError("--ram: 0 bytes is no machine", hint="Write for example --ram 64GiB.")
    return MachineChoice(gpu=gpu, ram_bytes=ram, file=machine_file)


def is_simulated(gpu: str | None, ram: int | None, machine_file: Path | None) -> bool:
    """Whether the options replace this machine."""
    return not (gpu is None and ram is None and machine_file is None)
