"""All of standard error, and the exit codes."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

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
    """Narrate on standard error, without secrets."""
    print(printable(redacted(text)), file=sys.stderr)  # noqa: T201 - this module is standard error


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
    except AdvisorError as error:
        if debug:
            note(traceback.format_exc().rstrip())
        return report(error)
    except KeyboardInterrupt:
        note("llm-advisor: interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as `| head` does; pointing stdout elsewhere keeps the interpreter from complaining.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # the last resort of the process: say so and leave with 1
        if debug:
            note(traceback.format_exc().rstrip())
        note(f"llm-advisor: unexpected {type(error).__name__}: {error}. Run again with --debug and report it.")
        return ExitCode.UNEXPECTED
    return ExitCode.OK
