"""The engine child is killed, crashes or hangs at every step of its life."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.shared import smollm2
from tests.faults.case import Case, Group, Seen
from tests.faults.lab import Done, Lab
from tests.faults.making import babbler, thimble

SIGNALS = {"SIGKILL": "killed", "SIGSEGV": "crashed", "SIGSTOP": "hangs"}
STEPS = {
    "import": "before its greeting, while llama.cpp is loaded",
    "hello": "at its greeting",
    "half-hello": "amid its greeting",
    "after-hello": "right after its greeting",
    "request": "when the request has come",
    "load": "while the model is loaded",
    "context": "when the context is made",
    "decode": "when the first tokens are computed",
    "event": "at the first event",
    "half-event": "amid an event",
    "result": "at the result",
    "half-result": "amid the result",
    "after-result": "after the result, idle",
    "free": "while the context is freed",
    "free-model": "while the model is freed",
}
_WORDS = {"SIGKILL": ("signal 9",), "SIGSEGV": ("signal 11",), "SIGSTOP": ("does not answer", "no greeting")}
_EARLY = ("import", "hello", "half-hello")


def smoke(lab: Lab, fault: str) -> Done:
    """A smoke test of a small file in which the child fails."""
    file = babbler(lab.folder.parent / "made", smollm2())
    return lab.run("smoke", file, "--set", "task.context_tokens=1024", env=lab.injected(fault))


def _is_told(done: Done, step: str, signal: str) -> bool:
    is_told = any(word in done.last for word in _WORDS[signal])
    is_wanted = not is_told if step == "after-result" else is_told  # there nothing was asked any more
    return done.code == (6 if step in _EARLY else 4) and is_wanted and done.is_clean and done.is_one_line


def strike(lab: Lab, step: str, signals: tuple[str, ...]) -> Seen:
    """Each signal at one step."""
    said: list[str] = []
    left: list[str] = []
    is_right = True
    for signal in signals:
        done = smoke(lab, f"{step}:{signal}")
        is_right &= _is_told(done, step, signal)
        how = next((word for word in _WORDS[signal] if word in done.last), "nothing of it, all was answered")
        said.append(f"{SIGNALS[signal]}: exit {done.code}, “{how}”")
        left += lab.left()
    return Seen("; ".join(said), is_right, tuple(left))


def strike_in(lab: Lab, step: str, arguments: Callable[[Lab], list[object]], code: tuple[int, ...]) -> Seen:
    """A kill during another command."""
    done = lab.run(*arguments(lab), env=lab.injected(f"{step}:SIGKILL"))
    is_right = done.code in code and done.is_clean and ("signal 9" in done.err + done.out)
    is_right &= done.code == 0 or done.is_one_line
    return Seen(f"exit {done.code}: {done.last[:140] or done.out[-140:]}", is_right, lab.left())


def _dry_run(lab: Lab) -> list[object]:
    return ["size", "llama-3.2-1b-instruct", "--engine"]


def _measure(lab: Lab) -> list[object]:
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder))
    return ["speed", "thimble-1", "--measure"]


def _doctor(lab: Lab) -> list[object]:
    return ["doctor"]


_QUICK = ("half-result",)
_CASES = tuple(
    Case(
        f"engine-{step}",
        f"engine child killed, crashed, hung {text}",
        f"{'exit 6' if step in _EARLY else 'exit 4'} and one line that says so"
        if step != "after-result"
        else "no harm",
        partial(strike, step=step, signals=tuple(SIGNALS)),
    )
    for step, text in STEPS.items()
)
_OTHERS = (
    Case(
        "engine-dry-run",
        "engine child killed during a dry run (`size --engine`)",
        "exit 6 and one line",
        partial(strike_in, step="load", arguments=_dry_run, code=(6,)),
        is_quick=True,
    ),
    Case(
        "engine-measure",
        "engine child killed during a measurement (`speed --measure`)",
        "the estimate, and why nothing was measured",
        partial(strike_in, step="decode", arguments=_measure, code=(0,)),
    ),
    Case(
        "engine-doctor",
        "engine child killed while it is described (`doctor`)",
        "exit 4, the check says so",
        partial(strike_in, step="request", arguments=_doctor, code=(4,)),
    ),
)
GROUP = Group(
    "The engine child",
    "`llm-advisor smoke` of a small GGUF; the real child sends itself the signal. Time limits are a hundredth. "
    "The file answers nonsense, so that it also fails (4) without a fault; what counts is the line that is said.",
    (*_CASES, *_OTHERS),
)
