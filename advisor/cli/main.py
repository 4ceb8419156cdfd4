"""The command group. Each command is a file of its own, imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from advisor import __version__
from advisor.cli.diagnostics import guarded, noted_warnings, report
from advisor.cli.ending import orderly_end
from advisor.errors import InputError, nearest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "probe": "What this machine has and what llama.cpp can use of it.",
    "recommend": "Which model, in which quantization, to run for a use on a machine.",
    "presets": "Answers to begin with, for six common needs.",
    "models": "List the catalogue.",
    "show": "One model with its sources.",
    "compare": "Models or families side by side, for a machine and a use.",
    "size": "Memory of a model or a GGUF file, per device.",
    "speed": "How fast a model runs, estimated or measured before any download.",
    "licence": "What a model's licence says about a use.",
    "plan": "What serving many users takes: replicas, slots, machines, cost.",
    "files": "GGUF files on this machine, and which model each is.",
    "download": "Fetch a model's published file, checked against its hash.",
    "smoke": "Run a model here for a moment and judge what was measured.",
    "trial": "Try models on your own tasks, or on a text.",
    "export": "Turn a recommendation file into a report, or into files that run the model.",
    "verify": "Replay a recommendation: does it still hold here?",
    "serve": "The screens in a browser.",
    "mcp": "Answer an assistant's questions over MCP.",
    "settings": "Where config.toml is, what it may say, and what it says.",
    "doctor": "Check the installation, probe by probe.",
    "catalog": "Check what the catalogue says, or bring its files up to date.",
    "schema": "Print the JSON Schema of a file.",
    "completion": "Print the completion script of a shell.",
}
"""Commands in the order of help; the module of `x` is `advisor.cli.commands.x`."""


PROGRAM = "llm-advisor"
COMPLETION_VARIABLE = "_LLM_ADVISOR_COMPLETE"
"""Set by a shell that asks what a line could go on with."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports them late, for a quick start."""

    def make_context(self, *given: Any, **extra: Any) -> click.Context:
        with _broken_pipe_let_through():
            return super().make_context(*given, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _broken_pipe_let_through():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"advisor.cli.commands.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = nearest(args[0], COMMANDS)
            raise click.UsageError(f"no command {args[0]!r}." + (f" {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class _ReaderGoneError(Exception):
    """Standard output has no reader any more. Click would leave with 1 for the error of the system."""

    def __init__(self, error: BrokenPipeError) -> None:
        super().__init__(error)
        self.error = error


@contextmanager
def _broken_pipe_let_through() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderGoneError(error) from error


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error; anywhere in the line.")
@click.option("--ascii", "is_ascii", is_flag=True, help="Without a command: screens in ASCII characters only.")
@click.option("--gpu", metavar="NAME[xN]", help='Without a command: screens for these GPUs, e.g. "RTX 4090"; or none.')
@click.option("--ram", metavar="SIZE", help="Without a command: screens for this much system memory, e.g. 64GiB.")
@click.option("--machine", metavar="FILE", help="Without a command: screens for a machine that probe -o wrote down.")
@click.pass_context
def cli(ctx: click.Context, is_ascii: bool, gpu: str | None, ram: str | None, machine: str | None) -> None:
    """Which Mistral or Llama model, in which quantization, should I run for this use on this machine?

    Without a command on a terminal, the screens open. Their keys and theme can be changed in config.toml; see
    llm-advisor settings.
    """
    if ctx.invoked_subcommand is None:
        from advisor.cli.screens import open_screens

        open_screens(gpu, ram, machine, is_ascii=is_ascii)
    elif (gpu, ram, machine) != (None, None, None):
        raise click.UsageError(f"options of a machine stand after the command: {ctx.invoked_subcommand} --gpu …", ctx)


def run(arguments: list[str]) -> int:
    """Run the command line and give the exit code."""
    asked = [argument for argument in arguments if argument != "--debug"]
    # Servers end their own way.
    with noted_warnings(), nullcontext() if asked[:1] in (["serve"], ["mcp"]) else orderly_end():
        return guarded(lambda: _dispatch(asked), debug=len(asked) < len(arguments))


def _dispatch(arguments: list[str]) -> None:
    try:
        code = cli.main(args=arguments, prog_name=PROGRAM, complete_var=COMPLETION_VARIABLE, standalone_mode=False)
    except click.UsageError as error:
        hint = None if error.ctx is None else f"Try: {error.ctx.command_path} --help"
        sys.exit(report(InputError(_lower_first(error.format_message()), hint=hint)))
    except _ReaderGoneError as error:
        raise error.error from None
    except click.Abort as error:
        cause = error.__cause__
        raise cause if isinstance(cause, KeyboardInterrupt) else KeyboardInterrupt from error
    except click.ClickException as error:
        sys.exit(report(InputError(_lower_first(error.format_message()))))
    if isinstance(code, int) and code:
        sys.exit(code)


def _lower_first(text: str) -> str:
    """A message of Click as it reads on after the program's name."""
    return text[:1].lower() + text[1:]
