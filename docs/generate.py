"""Write docs/cli.md from the commands themselves: `python -m docs.generate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from advisor.cli.diagnostics import ExitCode
from advisor.cli.help import Command, split_help
from advisor.cli.main import COMMANDS, PROGRAM, cli

PLACE = Path(__file__).with_name("cli.md")

_MEANINGS = {
    ExitCode.OK: "ok",
    ExitCode.UNEXPECTED: "unexpected failure; run again with --debug and report it",
    ExitCode.INVALID: "usage or invalid input, or an extra that is not installed",
    ExitCode.NO_CANDIDATE: "nothing satisfies the constraints; the nearest misses are printed",
    ExitCode.CHECK_FAILED: "a smoke test or a verification failed",
    ExitCode.NETWORK: "the network or a download failed",
    ExitCode.ENGINE: "llama.cpp is missing or broke",
    ExitCode.INTERRUPTED: "interrupted",
}
_VARIABLES = {
    "LLM_ADVISOR_KNOWLEDGE": "Directory of the catalogue, in place of the one that was installed.",
    "LLM_ADVISOR_CONFIG_DIR": "The user's own settings and catalogue entries.",
    "LLM_ADVISOR_CACHE_DIR": "What can be made again: engine facts, measurements.",
    "LLM_ADVISOR_STATE_DIR": "What is remembered between runs.",
    "LLM_ADVISOR_TOKEN": "Token that visitors of `serve` must show.",
    "LLM_ADVISOR_MACHINE": "On a node of a Ray cluster: a machine file that says what the node is, for `probe --ray`.",
    "NO_COLOR": "No colours.",
}


def cli_text() -> str:
    """The whole manual."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield from (
        f"# {PROGRAM}",
        "",
        "<!-- Made by `python -m docs.generate`; a test tells when it is out of date. -->",
        "",
    )
    yield from _paragraphs(cli.help or "")
    yield from ("```text", f"{PROGRAM} [--debug] COMMAND …", "```", "", "Every command has `--help`.", "")
    yield from ("| command | does |", "| --- | --- |")
    yield from (f"| [`{name}`](#{PROGRAM}-{name}) | {text} |" for name, text in COMMANDS.items())
    yield ""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield from _command(name, command)
    yield from ("## Exit status", "", "| code | meaning |", "| --- | --- |")
    yield from (f"| {int(code)} | {_MEANINGS[code]} |" for code in ExitCode)
    yield from ("", "Told to end by SIGTERM or SIGHUP, it tidies up and ends by that signal (143 and 129 in a shell).")
    yield from ("", "## Environment", "", "| variable | meaning |", "| --- | --- |")
    yield from (f"| `{name}` | {text} |" for name, text in _VARIABLES.items())
    yield ""


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"{PROGRAM} {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"## {PROGRAM} {name}", "", "```text", f"{PROGRAM} {name} {usage}", "```", "")
    yield from _paragraphs(command.help or "")
    groups = command.groups(context) if isinstance(command, Command) else ()
    shown = [record for _, records in groups for record in records if not record[0].endswith("--help")]
    hidden = [p for p in command.params if isinstance(p, click.Option) and p.hidden]
    if shown:
        yield from ("| option | meaning |", "| --- | --- |")
        yield from (f"| `{_cell(option)}` | {_cell(text)} |" for option, text in shown)
        yield ""
    if hidden:
        flags = ", ".join(f"`{option.opts[0]}`" for option in hidden)
        yield from (f"Seldom needed answers: {flags}.", "")
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            inner = command.get_command(context, part)
            if inner is not None:
                yield from _command(f"{name} {part}", inner)


def _paragraphs(text: str) -> Iterator[str]:
    """Help as Markdown, its examples last."""
    told, examples = split_help(text)
    yield from (told, "")
    if examples:
        yield from ("```sh", *examples, "```", "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PLACE.write_text(cli_text(), encoding="utf-8")
