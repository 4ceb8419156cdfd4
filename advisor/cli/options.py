"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from advisor import api
from advisor.api import Needs
from advisor.cli.help import SharedOption
from advisor.domain.questions import Question
from advisor.service import Advisor
from advisor.units import parse_size

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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


class Ram(Size):
    """System memory of a machine. Whoever writes less than any has forgot the unit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        n_bytes = super().convert(value, param, ctx)
        if n_bytes < api.LEAST_RAM_BYTES:
            self.fail(f"no machine has {n_bytes} bytes; write a unit, for example 64GiB", param, ctx)
        return n_bytes


_FILE = click.Path(path_type=Path, dir_okay=False)


def gathered(name: str, values: type[Any]) -> Callable[[F], F]:
    """Hand a command the options that are named like the fields of a dataclass as one value, its argument `name`.

    It stands below those options, so that the command says in one word what they are about.
    """
    return _gathered(name, [field.name for field in fields(values)], values)


def _gathered(name: str, options: list[str], make: Callable[..., object]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        @wraps(command)
        def call(**given: Any) -> Any:
            made = make(**{option: given.pop(option) for option in options})
            return command(**{name: made}, **given)

        return cast(F, call)

    return decorate


def _shared(group: str, *names: str, **attributes: Any) -> Callable[[F], F]:
    return click.option(*names, cls=SharedOption, group=group, **attributes)


def output_options(command: F) -> F:
    """`--json` and `--plain`, of which one at most may be given."""
    plain = "Tab-separated text, nothing cut, for scripts and screen readers."
    for option in (
        _shared("Output", "--plain", is_flag=True, callback=_one_format, help=plain),
        _shared("Output", "--json", "as_json", is_flag=True, callback=_one_format, help="JSON with schema_version 1."),
    ):
        command = option(command)
    return command


def _one_format(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    if value and any(ctx.params.get(name) for name in ("plain", "as_json")):
        raise click.UsageError("--json and --plain are two formats; give one of them.", ctx)
    return value


_TYPED = "advisor.typed_answers"
_PRESET = "advisor.preset"


def constraint_options(command: F) -> F:
    """`--preset ID`, `--constraints FILE`, `--set key=value`, and a flag for each question of the questionnaire.

    The command gets them as `needs`, each over the one before.
    """
    advisor = Advisor()
    command = _gathered("needs", ["constraints_file", "settings"], _needs)(command)
    for question in reversed(advisor.questionnaire.questions):
        command = _question_option(question)(command)
    for option in (
        _shared(
            "Needs", "settings", "--set", multiple=True, metavar="KEY=VALUE", help="One answer, e.g. use.mau=5000000."
        ),
        _shared("Needs", "constraints_file", "--constraints", type=_FILE, help="TOML file with the answers."),
        _preset_option([preset.id for preset in advisor.presets]),
    ):
        command = option(command)
    return command


def _needs(constraints_file: Path | None, settings: tuple[str, ...]) -> Needs:
    meta = click.get_current_context().meta
    return Needs(constraints_file, settings, dict(meta.get(_TYPED, {})), meta.get(_PRESET))


def _preset_option(ids: list[str]) -> Callable[[F], F]:
    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        ctx.meta[_PRESET] = value

    return _shared(
        "Needs",
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

    return _shared(
        "Needs",
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


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the catalogue that begin like this."""
    return [model.id for model in Advisor().catalogue.models if model.id.startswith(incomplete)]


def complete_model_or_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids that begin like this; where none does, the shell looks for files."""
    from click.shell_completion import CompletionItem

    ids = [CompletionItem(name) for name in complete_model(ctx, param, incomplete)]
    return ids or [CompletionItem(incomplete, type="file")]


models_dir_option: Callable[[F], F] = click.option(
    "folders",
    "--models-dir",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Look for GGUF files here too; may be given several times.",
)
"""`--models-dir`, beside LLM_ADVISOR_MODELS_DIR."""

trial_option: Callable[[F], F] = click.option(
    "--trial",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="RESULT.json",
    help="Judge quality by a trial on your own tasks, as `trial -o` writes it, above published results.",
)
"""`--trial`."""


def machine_options(command: F) -> F:
    """`--gpu`, `--ram` and `--machine`, in place of this machine; the command gets them as `where`."""
    command = _gathered("where", ["gpu", "ram", "machine"], api.machine_choice)(command)
    for option in (
        _shared("Machine", "--machine", type=_FILE, help="TOML file of a machine, as probe -o writes it."),
        _shared("Machine", "--ram", type=Ram(), metavar="SIZE", help="Pretend this much system memory, e.g. 64GiB."),
        _shared(
            "Machine",
            "--gpu",
            metavar="NAME[xN]",
            help='Pretend these GPUs, e.g. "RTX 4090" or "H100 80GBx2"; or none.',
        ),
    ):
        command = option(command)
    return command
