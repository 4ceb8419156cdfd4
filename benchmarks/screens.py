"""The screens against their budgets: `python -m benchmarks.screens`, alone on the machine.

First paint, key presses and memory are those of the real program in a pseudo-terminal; the time from an answer to the
new ranking and the lag of the event loop are taken inside the app, which runs without a terminal for that. Everything
it keeps goes into a temporary directory.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import pexpect
import psutil

from benchmarks.loopback_hub import MODEL, QUANTIZATION, loopback_hub
from benchmarks.shared import say

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp

STARTS = 7
ANSWERS = 7
KEYS = 20
VISITS = 7
PLACE_KEYS = (("4", "[4 Proof]"), ("3", "[3 Picks]"))
"""Keys and what they draw."""
TABLE_KEYS = (("x", "x shows the picks"), ("x", "by score"))
IN_A_ROW = "another table, without a pause"
ROUND = "23451"
"""Keys of all places, the one that is shown first last."""
PAUSE_S = 0.2
"""Between two keys: nobody who looks at what a key did presses the next one sooner."""
SETTLED_S = 0.4
"""After which a place has drawn everything."""
PROBE_S = 0.005
"""How often the event loop is asked for a sign of life."""
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|[PX^_\]].*?(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])", re.DOTALL)
ROOT = Path(__file__).parents[1]


OURS = (sys.executable, "-m", "advisor")
WHERE_IS_THE_CURSOR, AT_HOME = "\x1b[6n", "\x1b[1;1R"


class Terminal:
    """A program on a screen of 120 by 36, this one unless said otherwise."""

    def __init__(self, command: Sequence[str] = OURS) -> None:
        self.started = perf_counter()
        env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "TEXTUAL_ANIMATIONS": "none"}
        name, *arguments = command
        self.process = pexpect.spawn(name, arguments, env=env, dimensions=(36, 120), encoding="utf-8", timeout=60)
        # Without this every key waits 50 ms before it is sent.
        self.process.delaybeforesend = None
        self._drawn = ""

    def wait_for(self, text: str, seconds: float = 120.0) -> float:
        """When a text was drawn, on the clock of `perf_counter`."""
        deadline = perf_counter() + seconds
        while text not in ESCAPES.sub("", self._drawn):
            if perf_counter() > deadline:
                raise RuntimeError(f"{text!r} was not drawn")
            try:
                drawn = self.process.read_nonblocking(65536, timeout=0.05)
            except pexpect.TIMEOUT:
                continue
            self._drawn += drawn
            if WHERE_IS_THE_CURSOR in drawn:
                self.process.send(AT_HOME)
        return perf_counter()

    def press(self, keys: str, text: str) -> float:
        """Milliseconds from a key to what it draws."""
        self._drawn = ""
        pressed = perf_counter()
        self.process.send(keys)
        return 1000 * (self.wait_for(text) - pressed)

    def rest(self, seconds: float) -> None:
        """Let the program finish what it draws."""
        until = perf_counter() + seconds
        while perf_counter() < until:
            with suppress(pexpect.TIMEOUT):
                self.process.read_nonblocking(65536, timeout=0.02)

    def memory_mb(self) -> float:
        """Resident memory of the program without its children, in MB of 10^6 bytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def whole_memory_mb(self) -> float:
        """The same with its children."""
        program = psutil.Process(self.process.pid)
        return float(sum(p.memory_info().rss for p in (program, *program.children(recursive=True))) / 1e6)

    def has_engine(self) -> bool:
        """Whether llama.cpp works for it right now."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return any("advisor.engine.worker" in child.cmdline() for child in children)

    def close(self) -> None:
        """Leave, whatever is going on."""
        self.process.close(force=True)


def first_paints() -> list[float]:
    """Seconds from the start of the process to its first screen; the very first start is the cold one."""
    found = []
    for _ in range(STARTS):
        terminal = Terminal()
        found.append(terminal.wait_for("Enter: picks") - terminal.started)
        terminal.close()
    return found


def keys_while_measuring() -> tuple[dict[str, list[float]], float]:
    """Milliseconds from a key to what it draws, at rest and while slices are timed, and the memory at the end."""
    terminal = Terminal()
    terminal.wait_for("free disk")
    terminal.press("3", "rank 1 of")
    found = _keys(terminal, "at rest")
    terminal.press("m", "measuring")
    found |= _keys(terminal, "while slices are timed")
    if not terminal.has_engine():
        raise RuntimeError("the measurement ended before the keys did")
    for key, text in (("1", "[1 Machine]"), ("2", "[2 Needs]"), ("5", "[5 Export]"), ("3", "[3 Picks]")):
        terminal.press(key, text)
    memory_mb = terminal.memory_mb()
    terminal.close()
    return found, memory_mb


def _keys(terminal: Terminal, when: str) -> dict[str, list[float]]:
    """Keys with a pause after each, and the slowest one in a row, each as soon as the one before is drawn."""
    return {
        f"{when}: another place": _pressed(terminal, PLACE_KEYS, PAUSE_S),
        f"{when}: another table": _pressed(terminal, TABLE_KEYS, PAUSE_S),
        f"{when}: {IN_A_ROW}": _pressed(terminal, TABLE_KEYS, 0.0),
    }


def _pressed(terminal: Terminal, keys: Sequence[tuple[str, str]], pause_s: float) -> list[float]:
    """Each is drawn whole; another place after the 50 ms for which Textual holds every change of screens back."""
    found = []
    for i in range(KEYS):
        found.append(terminal.press(*keys[i % 2]))
        terminal.rest(pause_s)
    return found


async def answers_to_rankings() -> list[float]:
    """Seconds from a key that changes an answer to the new ranking on the session."""
    from advisor.service import Advisor
    from advisor.tui.app import AdvisorApp

    app = AdvisorApp(Advisor(), None, Path.cwd())
    found = []
    async with app.run_test(size=(120, 36)) as pilot:
        await _until(lambda: app.session.found is not None)
        await pilot.press("2")
        await pilot.pause(0.5)
        for _ in range(ANSWERS):
            before, pressed = app.session.found, perf_counter()
            await pilot.press("space")
            await _until(lambda before=before: app.session.found is not before)  # type: ignore[misc]
            found.append(perf_counter() - pressed)
    return found


async def processor_times() -> dict[str, tuple[float, float]]:
    """Milliseconds of the processor that going to a place takes, the first time and in the median of later times: what
    else runs on the machine does not count."""
    from advisor.service import Advisor
    from advisor.tui import garbage
    from advisor.tui.app import AdvisorApp

    app = AdvisorApp(Advisor(), None, Path.cwd())
    app.when_built, app.works_ahead = garbage.exempt_what_is_there, True  # as the program does
    found: dict[str, list[float]] = {}
    async with app.run_test(size=(120, 36)) as pilot:
        await _until(lambda: app.session.found is not None and not app.session.is_counting)
        await pilot.pause(1)
        for key in ROUND * (VISITS + 1):
            began = process_time()
            await pilot.press(key)
            await pilot.pause(SETTLED_S)
            found.setdefault(app.current_mode, []).append(1000 * (process_time() - began))
    return {place: (first, median(later)) for place, (first, *later) in found.items()}


async def lags() -> dict[str, list[float]]:
    """Milliseconds by which the event loop is late while the program works, by kind of work."""
    from advisor.service import Advisor
    from advisor.tui import garbage
    from advisor.tui.app import AdvisorApp

    app = AdvisorApp(Advisor(), None, Path.cwd())
    app.when_built, app.works_ahead = garbage.exempt_what_is_there, True  # as the program does
    found: dict[str, list[float]] = {}
    async with app.run_test(size=(120, 36)) as pilot:
        found["start: probe and first ranking"] = await _lag(lambda: app.session.found is not None)
        before = app.session.found
        app.action_rescan()
        found["probe and ranking"] = await _lag(lambda: app.session.found is not before)
        await pilot.pause(1)
        await app.action_go("proof")
        await pilot.pause(1)
        app.action_measure(best=False)
        found["measurement"] = await _lag(lambda: app.session.busy_with is None)
        await app.action_smoke()
        found["smoke test"] = await _lag(lambda: app.session.busy_with is None)
        found["download"] = await _download(app)
    return found


async def _download(app: AdvisorApp) -> list[float]:
    """Lags while a file of 0.7 GB is fetched from a server on this machine and hashed."""
    from textual.widgets import Static

    from advisor.tui.screens.fetch import FetchScreen

    advisor, found = app.session.advisor, app.session.found
    assert found is not None
    with tempfile.TemporaryDirectory() as folder, loopback_hub(Path(folder)):
        fresh = type(advisor)()  # whose catalogue has the model
        candidate = replace(
            found.ranked[0], model=fresh.model(MODEL), quantization=fresh.catalogue.quantizations[QUANTIZATION]
        )
        screen = FetchScreen(fresh, candidate)
        await app.push_screen(screen)
        screen.action_begin()

        def said() -> str:
            return str(screen.query_one("#fetch-state", Static).content)

        late = await _lag(lambda: said().startswith(("✓", "✗")))
        if not said().startswith("✓"):
            raise RuntimeError(said())
        return late


async def _lag(is_over: Callable[[], bool]) -> list[float]:
    late = []
    while True:
        asked = perf_counter()
        await asyncio.sleep(PROBE_S)
        late.append(1000 * (perf_counter() - asked - PROBE_S))
        if is_over():
            return late


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


@contextmanager
def own_directories() -> Iterator[None]:
    """A configuration, cache and state of its own, so that every run begins alike."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("CONFIG", "CACHE", "STATE"):
            os.environ[f"LLM_ADVISOR_{kind}_DIR"] = str(Path(folder) / kind.lower())
        yield


def main() -> int:
    """Print the table; 1 where a budget is exceeded."""
    from advisor.tui import garbage

    garbage.look_seldom()  # as the program does, for the parts that run in this process
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    with own_directories():
        paints = first_paints()
        rankings = asyncio.run(answers_to_rankings())
        late = asyncio.run(lags())
        switches = asyncio.run(processor_times())
    with own_directories():
        keys, memory_mb = keys_while_measuring()
    rows = [
        ("first paint, median of warm starts, s", median(paints[1:]), 0.5),
        ("ranked results after an answer, median, s", median(rankings), 0.3),
        *((f"event loop late, worst, {work}, ms", max(times), 100.0) for work, times in late.items()),
        *((f"a key {when}, worst, ms", max(ms), 100.0) for when, ms in keys.items() if IN_A_ROW not in when),
        ("memory of the program, MB", memory_mb, 150.0),
    ]
    say("| what | measured | budget | kept |")
    say("| --- | --- | --- | --- |")
    for what, value, budget in rows:
        say(f"| {what} | {value:.3g} | {budget:g} | {'yes' if value <= budget else 'NO'} |")
    say("")
    say(f"First paint from {min(paints):.2f} to {max(paints):.2f} s, the cold start {paints[0]:.2f} s.")
    say(f"Rankings from {min(rankings):.2f} to {max(rankings):.2f} s, 0.12 s of it waiting for the next key.")
    for when, times in keys.items():
        beyond = sum(ms > 100 for ms in times)
        say(f"A key {when}: {median(times):.0f} ms in the median of {len(times)}, {beyond} beyond 100 ms.")
    for place, (first, later) in switches.items():
        say(f"Processor time of going to {place}: {first:.0f} ms the first time, {later:.0f} ms later.")
    for work, times in late.items():
        beyond = sum(ms > 100 for ms in times)
        say(f"Event loop, {work}: {median(times):.1f} ms late in the median of {len(times)}, {beyond} beyond 100 ms.")
    return int(any(value > budget for _, value, budget in rows))


if __name__ == "__main__":
    sys.exit(main())
