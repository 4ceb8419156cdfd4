"""Standard streams as a shell may leave them: closed, full, or without a reader."""

from __future__ import annotations

import codecs
import io
import os
import sys

_NAMES = ("stdin", "stdout", "stderr")
_WRITERS = frozenset({"click.utils", "click._compat", "rich.console", "advisor.cli.diagnostics"})


def fill_closed_streams() -> None:
    """Put something where a standard descriptor is closed, else the next file that is opened takes its number.

    Input is empty and narration goes nowhere. Output fails when something is written, because data would be lost.
    """
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        mode = "r" if name == "stdin" else "w"
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - open to the end


def let_output_say_everything() -> None:
    """Make standard output take every character, in whatever encoding it was opened.

    What goes into a file or to another program is UTF-8, as JSON and TOML have to be. A terminal keeps its own encoding
    and gets escapes for the characters that it lacks.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper) or codecs.lookup(stream.encoding).name.startswith("utf"):
        return
    if stream.isatty():
        stream.reconfigure(errors="backslashreplace")
    else:
        stream.reconfigure(encoding="utf-8")


def is_of_output(error: OSError) -> bool:
    """Whether an error comes from writing to standard output, going by who called the system."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") in _WRITERS


def drop_output() -> None:
    """Send what is still to be written nowhere, so that the interpreter does not complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
