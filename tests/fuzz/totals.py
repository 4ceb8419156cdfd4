"""What all runs came to together: kept in a state folder outside the repository, and written to `totals.md`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import tomli

from advisor.units import counted
from tests.fuzz.registry import MODULES, load

HERE = Path(__file__).parent
PAGE = HERE / "totals.md"
FINDINGS = HERE / "seeds" / "findings.toml"
ENGINES = ("atheris", "hypothesis")


def default_state() -> Path:
    """Where corpora and counts are kept."""
    return Path(os.environ.get("LLM_ADVISOR_FUZZ_STATE") or Path.home() / ".cache" / "llm-advisor-fuzz")


@contextmanager
def changed(state: Path) -> Iterator[dict[str, Any]]:
    """The counts, to be changed while nobody else does."""
    from filelock import FileLock

    state.mkdir(parents=True, exist_ok=True)
    path = state / "totals.json"
    with FileLock(state / "totals.lock"):
        known: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        yield known
        path.write_text(json.dumps(known, indent=1, sort_keys=True), "utf-8")


def add(state: Path, name: str, engine: str, counts: Mapping[str, Any], coverage: Mapping[str, int]) -> None:
    """Add a run to the counts."""
    with changed(state) as known:
        one = known.setdefault(name, {}).setdefault(engine, {"executions": 0, "read": 0, "cpu_s": 0.0, "deaths": 0})
        for key in ("executions", "read", "cpu_s", "deaths"):
            one[key] += counts.get(key, 0)
        one["findings"] = {**one.get("findings", {}), **counts.get("findings", {})}
        one["day"] = date.today().isoformat()
        one["commits"] = list(dict.fromkeys([*one.get("commits", []), _commit()]))
        for key, number in coverage.items():
            one[key] = max(number, one.get(key, 0)) if key == "cov" else number


def cpu_s(state: Path, engine: str) -> dict[str, float]:
    """Processor time of each parser with an engine."""
    with changed(state) as known:
        return {name: float(engines[engine]["cpu_s"]) for name, engines in known.items() if engine in engines}


def forget(state: Path, names: Sequence[str]) -> None:
    """Drop the counts of parsers, whose code is another now; the corpora stay."""
    with changed(state) as known:
        for name in names:
            known.pop(name, None)


@cache
def _commit() -> str:
    """Of the code that runs."""
    asked = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write_page(state: Path, page: Path = PAGE) -> None:
    """Write `totals.md` anew."""
    with changed(state) as known:
        page.write_text(_page(known), "utf-8")


def _page(known: Mapping[str, Any]) -> str:
    lines = [
        "# Fuzzing: what was run and what was found",
        "",
        "Written by `python -m tests.fuzz --page`; runs add to it. Time is processor time of the fuzzing process,",
        "not of the clock. `cov` and `corpus` are atheris's: edges of `advisor` that were reached, and inputs that",
        "each reached something new. `read` is the share of inputs that were not refused; where a parser refuses",
        "nothing, of those in which it found something. Bounds of every input: 256 MiB, 5 s of processor time, no",
        "write outside a scratch folder, no connection but to the harness's own server on loopback.",
        "`tests/fuzz/guard.py` says how each is enforced. What a parser was run for before a finding in it was mended",
        "is not counted; other changes of it do not reset its time.",
        "",
        f"A child that {_named('starts')} starts has the bounds that the product gives it. Where the product ends",
        f"what takes too long or too much, as in {_named('ended_elsewhere')}, that is a refusal and no finding.",
        "",
        f"Commits that ran: {', '.join(_commits(known)) or 'none'}.",
        "",
        f"Found in what is counted, and so not mended yet: {'; '.join(_open(known)) or 'nothing'}.",
        "",
        "| parser | engine | CPU min | executions | read | cov | corpus | last run |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    sums = {engine: [0.0, 0] for engine in ENGINES}
    for name in MODULES:
        for engine in ENGINES:
            one = known.get(name, {}).get(engine)
            if one is None:
                continue
            sums[engine] = [sums[engine][0] + one["cpu_s"], sums[engine][1] + one["executions"]]
            lines.append(_row(name, engine, one))
    lines += [f"| all | {engine} | {cpu / 60:.1f} | {n:,} | | | | |" for engine, (cpu, n) in sums.items()]
    lines += ["", "## What each harness calls", ""]
    lines += ["| parser | reads | calls |", "|---|---|---|"]
    lines += [f"| {name} | {load(name).reads} | {load(name).entry} |" for name in MODULES]
    return "\n".join([*lines, "", *_findings(), ""])


def _named(quality: str) -> str:
    """The parsers that have a quality of `Harness`."""
    return " and ".join(name for name in MODULES if getattr(load(name), quality))


def _commits(known: Mapping[str, Any]) -> list[str]:
    runs = (one for engines in known.values() for one in engines.values())
    return sorted({commit for one in runs for commit in one.get("commits", ())})


def _open(known: Mapping[str, Any]) -> Iterator[str]:
    """What the runs of the table found: a parser's counts are forgotten when it is mended."""
    for name, engines in known.items():
        for engine, one in engines.items():
            if deaths := one.get("deaths", 0):
                yield f"{name} ({engine}): {counted(deaths, 'death')} of the process"
            yield from (f"{name} ({engine}): {text}" for text in one.get("findings", {}).values())


def _row(name: str, engine: str, one: Mapping[str, Any]) -> str:
    share = one["read"] / max(1, one["executions"])
    cov, corpus = one.get("cov", "–"), one.get("corp", "–")
    minutes = one["cpu_s"] / 60
    return (
        f"| {name} | {engine} | {minutes:.1f} | {one['executions']:,} | {share:.0%} | {cov} | {corpus} | {one['day']} |"
    )


def _findings() -> list[str]:
    rows = tomli.loads(FINDINGS.read_text("utf-8")).get("finding", []) if FINDINGS.exists() else []
    lines = [
        "## Findings",
        "",
        "Each is mended; its input is replayed by `tests/fuzz/test_seeds.py` where one is named.",
        "",
    ]
    lines += ["| parser | found by | what happened | what was mended | seed |", "|---|---|---|---|---|"]
    for row in rows:
        seed = f"`{row['seed']}`" if row.get("seed") else "–"
        lines.append(f"| {row['parser']} | {row['by']} | {row['was']} | {row['mended']} | {seed} |")
    return lines
