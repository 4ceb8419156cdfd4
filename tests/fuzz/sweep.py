"""Every place of the sound seeds with every value at an edge, one after another: `python -m tests.fuzz.sweep NAME …`.

Chance rarely puts a number of four hundred digits where one place alone takes a number. Of places with the same key one
is taken, at most `--places` of a seed.
"""

from __future__ import annotations

import argparse
import copy
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.codecs import Tree
from tests.fuzz.engines import at_home
from tests.fuzz.gentle import slots
from tests.fuzz.guard import judge
from tests.fuzz.harness import Harness
from tests.fuzz.registry import MODULES, load

EDGES: tuple[Any, ...] = (
    10**400, -(10**400), 10**30, 1 << 63, (1 << 64) - 1, -1, 0, 1e308, 5e-324, float("inf"), float("nan"), "",
    "9" * 400, "9" * 5000, "\0", "\ud800", "²", "٣", "1e999", None, [], {}, True, ["x"] * 3, {"a": 1},
)  # fmt: skip
_MOST_SEEDS = 16
_MOST_ROWS = 20


def main() -> int:
    """Say for each parser how many inputs were tried and what they broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.sweep", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MODULES], metavar="NAME")
    parser.add_argument("--places", type=int, default=40)
    asked = parser.parse_args()
    n_found = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = at_home(Path(scratch))
        for name in asked.names or MODULES:
            n_found += _swept(load(name), folder, asked.places)
    return 1 if n_found else 0


def _swept(harness: Harness, folder: Path, most_places: int) -> int:
    found: dict[str, bytes] = {}
    n, n_read, start = 0, 0, time.process_time()
    sound = [raw for raw in harness.seeds() if judge(harness, raw, folder)[0]]
    for seed in sound[:_MOST_SEEDS]:
        for raw in _inputs(harness, seed, most_places):
            was_read, finding = judge(harness, raw, folder)
            n, n_read = n + 1, n_read + was_read
            if finding is not None and found.setdefault(f"{finding.kind}: {finding.where}", raw) is raw:
                sys.stdout.write(f"  FOUND {finding.kind}: {finding.where} by {raw[:200]!r}\n")
    spent = time.process_time() - start
    sys.stdout.write(f"{harness.name}: {n:,} inputs in {spent:.0f} s of CPU, {n_read:,} read\n")
    sys.stdout.flush()
    return len(found)


def _inputs(harness: Harness, seed: bytes, most_places: int) -> Iterator[bytes]:
    assert harness.codec is not None
    whole: Tree = harness.codec.decode(seed)
    for place in _places(whole)[:most_places]:
        for value in EDGES:
            tree = copy.deepcopy(whole)
            holder, key = slots(tree)[place]
            holder[key] = copy.deepcopy(value)
            try:
                yield harness.codec.encode(tree)
            except ValueError:
                continue  # the syntax cannot hold it


def _places(tree: Tree) -> list[int]:
    rng, by_key = random.Random(0), dict[object, list[int]]()
    for place, (_, key) in enumerate(slots(tree)):
        by_key.setdefault(key if isinstance(key, str) else None, []).append(place)
    rows = by_key.pop(None, [])  # places in lists, which have no name to tell them apart
    chosen = [rng.choice(places) for places in by_key.values()] + rng.sample(rows, min(len(rows), _MOST_ROWS))
    rng.shuffle(chosen)
    return chosen


if __name__ == "__main__":
    sys.exit(main())
