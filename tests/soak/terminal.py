"""The real program in a pseudo-terminal, driven by random bytes, sizes and suspensions."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pexpect
import psutil

from tests.faults.lab import children, end_survivors, reap_orphans
from tests.soak.inputs import SIZES, Step, steps
from tests.soak.sampling import Clock, Patience, Run, Sampler
from tests.test_terminal import ESCAPES, KNOWLEDGE, small_knowledge

_PATIENCE_S = 300.0
"""Long, since a soak gets only what other work leaves."""
_TRAIL = 40
_KEPT = 200_000
_NOTICE = 2_000
"""Characters that a notice takes to draw, escape sequences included."""
_EVERY = 25
"""Steps from one sample to the next."""
_BYTES = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~", "tab": "\t", "shift+tab": "\x1b[Z", "enter": "\r",
    "space": " ", "escape": "\x1b", "backspace": "\x7f", "f1": "\x1bOP", "question_mark": "?", "slash": "/",
    "shift+left": "\x1b[1;2D", "shift+end": "\x1b[1;2F",
}  # fmt: skip
_BUGS = ("Traceback", "unexpected ", "Please report it", "Exception ignored")


class Program:
    """The program on a terminal; what it draws is read all the time, or it would stand still."""

    def __init__(self, folder: Path, knowledge: Path | None, columns: int, rows: int) -> None:
        places = {f"LLM_ADVISOR_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE")}
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | places | {
            "HOME": str(folder), "TERM": "xterm-256color", "PYTHONPATH": str(KNOWLEDGE.parent),
            "HF_HOME": str(folder / "hf"), "HF_ENDPOINT": "http://127.0.0.1:9",
        }  # fmt: skip
        if knowledge is not None:
            env["LLM_ADVISOR_KNOWLEDGE"] = str(knowledge)
        (folder / "work").mkdir(exist_ok=True)
        self.process = pexpect.spawn(
            sys.executable, ["-X", "faulthandler", "-m", "advisor"], cwd=folder / "work", env=env,
            dimensions=(rows, columns), encoding="utf-8", codec_errors="replace", timeout=30,
        )  # fmt: skip
        self.size = (columns, rows)
        self.drawn = ""
        self.n_drawn = 0
        """Characters, all in all."""
        self.bug = ""
        """What was drawn around the first words that speak of a bug."""

    def read(self, seconds: float) -> bool:
        """Read what is drawn for so long; false where the program has ended."""
        end = time.monotonic() + seconds
        while True:
            try:
                found = self.process.read_nonblocking(65536, timeout=max(0.0, end - time.monotonic()))
                self.n_drawn += len(found)
                self.drawn = (self.drawn + found)[-_KEPT:]
                self._look_for_bugs(len(found))
            except pexpect.TIMEOUT:
                return True
            except pexpect.EOF:
                return False
            if time.monotonic() >= end:
                return True

    def _look_for_bugs(self, n_new: int) -> None:
        """Look at what is new and a little before it: a notice is drawn over long before a walk ends."""
        recent = ESCAPES.sub("", self.drawn[-n_new - _NOTICE :])
        if not self.bug and any(bug in recent for bug in _BUGS):
            self.bug = recent

    def answers(self) -> bool:
        """Whether it still draws when it is asked to: it is resized there and back."""
        columns, rows = self.size
        before, patience = self.n_drawn, Patience(_PATIENCE_S)
        while self.n_drawn <= before and not patience.is_over():
            self.wake()
            for size in ((rows + 8, columns + 30), (rows + 7, columns + 30)):
                self.process.setwinsize(*size)
                if not self.read(0.3):
                    return True
        return self.n_drawn > before

    def do(self, step: Step) -> None:
        """Send what a user's terminal would send."""
        columns, rows = self.size
        (x, y), process = step.place, self.process
        column, row = 1 + int(x * columns), 1 + int(y * rows)
        match step.kind:
            case "key":
                self._key(step.text)
            case "text":
                process.send(step.text)
            case "paste":
                process.send(f"\x1b[200~{step.text}\x1b[201~")
            case "resize":
                self.size = (max(2, int(x)), max(2, int(y)))
                process.setwinsize(self.size[1], self.size[0])
            case "focus":
                process.send("\x1b[I" if step.text == "in" else "\x1b[O")
            case "wait":
                self.read(x)
            case "click" | "double":
                process.send(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m" * (2 if step.kind == "double" else 1))
            case "hover":
                process.send(f"\x1b[<35;{column};{row}M")
            case "scroll":
                process.send(f"\x1b[<{64 if step.text == 'in' else 65};{column};{row}M")

    def _key(self, key: str) -> None:
        if key.startswith("ctrl+"):
            self.process.send(chr(ord(key[-1]) & 0x1F))
        else:
            self.process.send(_BYTES.get(key, key if len(key) == 1 else ""))

    def kill(self) -> None:
        """End it for certain, also where it is stopped."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wake(self) -> None:
        """Continue it where a key suspended it, as `fg` does."""
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED:
                os.kill(self.process.pid, signal.SIGCONT)


def drive_terminal(seconds: float, seed: int, count: int) -> Run:
    """One program after another, each with the next seed, until the time is up; memory is looked at within each."""
    run = Run("terminal", "random bytes, sizes and suspensions in a pseudo-terminal")
    clock, walks, done = Clock(), 0, 0
    reap_orphans()
    before = children()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        small = small_knowledge(folder, 4, 512)
        while clock.seconds < seconds:
            n_steps, problem = _walk(run, seed + walks, count, folder, small, done, clock)
            walks, done = walks + 1, done + n_steps
            if left := end_survivors(before, _PATIENCE_S):
                run.failures.append(f"seed {seed + walks - 1}: still runs after the program: {', '.join(left)}")
            if problem is not None:
                run.failures.append(f"seed {seed + walks - 1}, step {n_steps}: {problem.splitlines()[-1]}")
                print(f"seed {seed + walks - 1}: {problem}", flush=True)  # noqa: T201
            print(f"seed {seed + walks - 1}: {n_steps} steps", *run.samples[-1:], flush=True)  # noqa: T201
    run.notes.append(f"{walks} programs from seed {seed}, {done} steps in {clock.seconds / 60:.1f} minutes")
    return run


def _walk(
    run: Run, seed: int, count: int, folder: Path, small: Path, done: int, clock: Clock
) -> tuple[int, str | None]:
    rng = random.Random(seed)
    program = Program(folder, None if seed % 2 == 0 else small, *rng.choice(SIZES[:4]))
    sampler = Sampler(program.process.pid)
    trail: list[str] = []
    n_steps = 0
    try:
        program.read(3.0)
        for step in steps(seed, count):
            trail.append(str(step))
            n_steps += 1
            program.do(step)
            program.wake()
            is_alive = program.read(rng.choice((0.0, 0.01, 0.05, 0.15)))
            clock.tick()
            if not is_alive:
                break
            if n_steps % _EVERY == 0:
                with suppress(psutil.NoSuchProcess):  # it may end at any moment; how it did is looked at below
                    run.samples.append(sampler.look(done + n_steps))
        problem = _ending(program)
    except OSError as error:  # the program has gone
        problem = _ending(program) or (None if error.errno == 5 else str(error))
    finally:
        if program.process.isalive():
            program.kill()
    return n_steps, problem and f"{problem}\ntrail: {' · '.join(trail[-_TRAIL:])}\n{problem.splitlines()[0]}"


def _ending(program: Program) -> str | None:
    """What is wrong with a program that ended, or that should still live; it is ended."""
    if program.read(0.2) and not program.answers():
        return f"it drew nothing for {_PATIENCE_S:.0f} s"
    if program.process.isalive():
        for key in ("\x1b", "\x1b", "\x1b", "\x11"):  # out of every field and question, then Ctrl+Q
            with suppress(OSError):
                program.process.send(key)
            program.wake()
            if not program.read(0.3):
                break
        patience = Patience(_PATIENCE_S)
        while program.read(0.2):
            if patience.is_over():
                return "it did not leave"
    program.process.wait()
    code, by_signal = program.process.exitstatus, program.process.signalstatus
    if program.bug or code not in (0, None) or by_signal:
        text = program.bug or ESCAPES.sub("", program.drawn)
        return f"code {code}, signal {by_signal}: {text[-6000:]}"
    return None
