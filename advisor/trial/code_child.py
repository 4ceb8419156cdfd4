"""The child that runs one piece of code with its test: `python -m advisor.trial.code_child`.

It gives up network, programs, and every file but its folder and Python's own before it runs anything, and refuses to
run where the system does not enforce that.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from advisor.engine.lifetime import die_with_parent
from advisor.engine.sandbox import Limits, Policy, enter, python_places
from advisor.units import GIB, MIB

_NEEDED = ("network", "files", "programs")
_MEMORY_BYTES = GIB
_FILE_BYTES = 16 * MIB
_OPEN_FILES = 64


def main() -> None:
    """Read what to run, run it, and say how it went on a pipe that the code does not know."""
    asked = json.loads(sys.stdin.buffer.read())
    die_with_parent(int(asked["parent"]))
    reply = os.fdopen(os.dup(1), "wb", closefd=True)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), io.StringIO(), io.StringIO()
    answer = _answer(asked)
    reply.write(json.dumps(answer).encode("utf-8") + b"\n")
    reply.flush()
    os._exit(0)  # no exit handler of the code runs


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    seconds = float(asked["timeout_s"])
    limits = Limits(_MEMORY_BYTES, int(seconds) + 2, _FILE_BYTES, _OPEN_FILES)
    folders = (Path(asked["folder"]),)
    policy = Policy(limits, folders, readable=python_places(), programs=False)
    missing = [p.text for p in enter(policy) if p.id in _NEEDED and not p.in_force]
    if missing:
        return {"unprotected": "; ".join(missing)}
    signal.setitimer(signal.ITIMER_REAL, seconds)  # unhandled, the alarm ends the process
    try:
        exec(_compiled(asked), {"__name__": "trial"})
    except SystemExit:
        return {"passed": False, "reason": "the code ended itself"}
    except BaseException as error:  # foreign code can raise anything
        return {"passed": False, "reason": _reason(error)}
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {"passed": True}


def _compiled(asked: dict[str, Any]) -> Any:
    return compile(f"{asked['code']}\n\n{asked['test']}\n", "answer.py", "exec")


def _reason(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # an exception of the code's own may fail to describe itself
        text = ""
    return f"{type(error).__name__}: {text}"[:200] if text else type(error).__name__


if __name__ == "__main__":
    main()
