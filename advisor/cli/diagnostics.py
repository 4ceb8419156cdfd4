"""All of standard error, and the exit codes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any

from advisor.cli import streams
from advisor.cli.ending import ToldToEnd, end_by
from advisor.errors import (
    AdvisorError,
    AdvisorWarning,
    CheckFailedError,
    EngineError,
    InputError,
    NetworkError,
    NoCandidateError,
)
from advisor.redaction import redacted
from advisor.text import printable


class ExitCode(IntEnum):
    """What the process leaves with; documented in the README."""

    OK = 0
    UNEXPECTED = 1
    INVALID = 2
    NO_CANDIDATE = 3
    CHECK_FAILED = 4
    NETWORK = 5
    ENGINE = 6
    INTERRUPTED = 130


_CODES: tuple[tuple[type[AdvisorError], ExitCode], ...] = (
    (InputError, ExitCode.INVALID),
    (NoCandidateError, ExitCode.NO_CANDIDATE),
    (CheckFailedError, ExitCode.CHECK_FAILED),
    (NetworkError, ExitCode.NETWORK),
    (EngineError, ExitCode.ENGINE),
)


def exit_code_for(error: AdvisorError) -> ExitCode:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.UNEXPECTED)


def note(text: str) -> None:
    """Narrate on standard error, without secrets. Where nobody can be told, the exit code has to say it."""
    with suppress(OSError):
        # This module is standard error.
        print(printable(redacted(text)), file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def noted_warnings() -> Iterator[None]:
    """Meanwhile, print each AdvisorWarning as one line; other warnings go their usual way."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
            if issubclass(category, AdvisorWarning):
                note(f"llm-advisor: warning: {message}")
            else:
                usual(message, category, *rest, **named)

        warnings.simplefilter("always", AdvisorWarning)
        warnings.showwarning = show
        yield


def report(error: AdvisorError) -> ExitCode:
    """Print an error as one line and give its exit code."""
    note(f"llm-advisor: {error}")
    return exit_code_for(error)


def guarded(action: Callable[[], None], *, debug: bool) -> int:
    """Run something and turn whatever ends it into an exit code; the traceback only with `debug`."""
    try:
        action()
        sys.stdout.flush()
    except AdvisorError as error:
        if debug:
            _note_traceback()
        return report(error)
    except ToldToEnd as told:
        note("llm-advisor: told to end")
        end_by(told.number)
        return ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        note("llm-advisor: interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:  # the last resort of the process: say so and leave with 1
        return _last_resort(error, debug=debug)
    return ExitCode.OK


def _note_traceback() -> None:
    import traceback

    note(traceback.format_exc().rstrip())


def _last_resort(error: Exception, *, debug: bool) -> ExitCode:
    is_of_output = isinstance(error, OSError) and streams.is_of_output(error)
    if is_of_output or isinstance(error, BrokenPipeError):
        streams.drop_output()
    if isinstance(error, BrokenPipeError):
        return ExitCode.OK  # the reader went away, as `| head` does
    if debug:
        _note_traceback()
    if isinstance(error, OSError) and is_of_output:
        hint = "Make room there, or write to a file with -o."
        return report(InputError("standard output cannot be written", why=error.strerror, hint=hint))
    note(f"llm-advisor: unexpected {type(error).__name__}: {error}. Run again with --debug and report it.")
    return ExitCode.UNEXPECTED
