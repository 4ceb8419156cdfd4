"""Running code that a model wrote: in a child without network, without programs, and with one folder to write in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from advisor.children import kill_session
from advisor.domain.trial.checks import RIGHT, Judgement, find_code
from advisor.domain.trial.tasks import Code
from advisor.engine.environment import worker_env
from advisor.gguf.scratch import scratch_dir

_START_S = 10.0
"""For the interpreter and the sandbox; the code's own time is counted by the child."""
_MAX_REPLY = 10_000


def run_code(answer: str, check: Code) -> Judgement:
    """Run the code of an answer with its test. Refuses where this system cannot keep it from doing harm."""
    with scratch_dir() as folder:
        reply, ending = _run(answer, check, folder)
    if reply is None:
        return Judgement(0.0, ending)
    if reply.get("unprotected"):
        return Judgement(None, f"not run: this system cannot keep it from harm ({reply['unprotected']})")
    return RIGHT if reply.get("passed") is True else Judgement(0.0, str(reply.get("reason", "failed"))[:200])


def _run(answer: str, check: Code, folder: Path) -> tuple[dict[str, object] | None, str]:
    """The child's last word, or how it ended without one."""
    asked = {"code": find_code(answer), "test": check.test, "timeout_s": check.timeout_s, "folder": str(folder)}
    asked["parent"] = os.getpid()
    process = subprocess.Popen(
        [sys.executable, "-P", "-X", "utf8", "-m", "advisor.trial.code_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=worker_env({"HOME": str(folder), "TMPDIR": str(folder)}, folder),
        cwd=folder,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(json.dumps(asked).encode("utf-8"), timeout=check.timeout_s + _START_S)
    except subprocess.TimeoutExpired:
        return None, f"it ran longer than {check.timeout_s:g} s"
    finally:
        _end(process)
    for line in output[-_MAX_REPLY:].splitlines()[-1:]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found, ""
    return None, _ending(process.returncode, check.timeout_s)


def _end(process: subprocess.Popen[bytes]) -> None:
    kill_session(process)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _ending(code: int, timeout_s: float) -> str:
    # Windows knows neither signal; there a child ends with a code alone.
    if sys.platform != "win32" and code in (-signal.SIGALRM, -signal.SIGXCPU):
        return f"it ran longer than {timeout_s:g} s"
    if code < 0:
        return f"it was killed by signal {-code}"
    return "it ended before its test"
