"""One run of one harness: counts, keeps findings, and stops when its processor time is used up."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from tests.fuzz.guard import Finding, judge
from tests.fuzz.harness import Harness
from tests.fuzz.pool import Pool

_SAVE_EVERY_S = 2.0


def key_of(finding: Finding) -> str:
    """The same for inputs that break the same place in the same way."""
    return sha256(f"{finding.kind} {finding.where}".encode("utf-8", "replace")).hexdigest()[:12]


@dataclass
class Counts:
    """What a run came to; written as JSON while it goes on, because a death of the process must not lose it."""

    executions: int = 0
    read: int = 0
    """Inputs that were not refused."""
    cpu_s: float = 0.0
    findings: dict[str, str] = field(default_factory=dict)
    """Kind and place by key."""


class Session:
    """Called with one input after another."""

    def __init__(self, harness: Harness, folder: Path, findings: Path, report: Path, cpu_s: float) -> None:
        self.counts = Counts()
        self.pool = Pool(harness.seeds(), lambda raw: judge(harness, raw, folder)[0])
        self._harness = harness
        self._folder = folder
        self._findings = findings
        self._report = report
        self._cpu_s = cpu_s
        self._start_s = _cpu()
        self._saved_s = 0.0

    @property
    def is_over(self) -> bool:
        return _cpu() - self._start_s >= self._cpu_s

    def one(self, raw: bytes) -> None:
        """Run an input. Ends the process when the time is used up, as nothing in libFuzzer can do that."""
        self.try_one(raw)
        if self.is_over:
            self.save()
            shutil.rmtree(self._folder, ignore_errors=True)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def try_one(self, raw: bytes) -> None:
        """Run an input and remember what it broke."""
        was_read, finding = judge(self._harness, raw, self._folder)
        self.counts.executions += 1
        self.counts.read += was_read
        if was_read:
            self.pool.add(raw)
        if finding is not None:
            self._keep(finding, raw)
        now = _cpu()
        if now - self._saved_s >= _SAVE_EVERY_S:
            self._saved_s = now
            self.save()

    def save(self) -> None:
        self.counts.cpu_s = _cpu() - self._start_s
        half = self._report.with_suffix(".new")
        half.write_text(json.dumps(asdict(self.counts)), "utf-8")
        half.replace(self._report)  # whoever ends this process reads it, at any moment

    def _keep(self, finding: Finding, raw: bytes) -> None:
        """Count a finding, and keep the smallest input of each that any run found."""
        key = key_of(finding)
        self.counts.findings[key] = f"{finding.kind}: {finding.where}"
        self._findings.mkdir(parents=True, exist_ok=True)
        path = self._findings / f"{key}.bin"
        if path.exists() and path.stat().st_size <= len(raw):
            return
        path.write_bytes(raw)
        text = f"{finding.kind}: {finding.where}\n\n{finding.detail}\n"
        path.with_suffix(".txt").write_text(text, "utf-8", errors="backslashreplace")


def _cpu() -> float:
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


def write_seeds(harness: Harness, folder: Path) -> None:
    """The seeds of a harness, written where libFuzzer looks for them, beside what earlier runs found."""
    folder.mkdir(parents=True, exist_ok=True)
    for raw in harness.seeds():
        path = folder / sha256(raw).hexdigest()[:40]
        if not path.exists():
            path.write_bytes(raw)
