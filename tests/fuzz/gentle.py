"""Small changes that most parsers still read: they keep the kind of a value, or take one from a place like it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from tests.fuzz.codecs import Tree

Slot = tuple[Any, Any]
"""A container and a key of it."""


def slots(tree: Tree) -> list[Slot]:
    """Every place that holds a value."""
    found: list[Slot] = []
    waiting = [tree] if isinstance(tree, dict | list) else []
    while waiting:
        here = waiting.pop()
        keys: list[Any] = list(here) if isinstance(here, dict) else list(range(len(here)))
        for key in keys:
            found.append((here, key))
            if isinstance(here[key], dict | list):
                waiting.append(here[key])
    return found


def nudged(tree: Tree, rng: random.Random, other: Callable[[], Tree]) -> Tree:
    """The tree with one small change; `other` gives another sound one, whose parts fit into its places."""
    places = slots(tree)
    if not places:
        return tree
    how = rng.randrange(10)
    if how < 3:
        _take(places, rng, other())
    elif how < 6:
        holder, key = rng.choice(places)
        holder[key] = _near(holder[key], rng)
    elif how < 8:
        _rearrange(*rng.choice(places), rng)
    elif how == 8:
        _everywhere(places, rng)
    else:
        _move(places, rng)
    return tree


def _take(places: list[Slot], rng: random.Random, other: Tree) -> None:
    """A value of the same key, in the other tree or further on in this one; a whole row of a list joins the list."""
    donors = [(holder, key) for holder, key in slots(other) if isinstance(key, str)]
    if not donors:
        return
    donor, name = rng.choice(donors)
    same = [holder for holder, key in places if key == name and type(holder[key]) is type(donor[name])]
    if not same:
        alike = [holder for holder, key in places if isinstance(key, str) and len(holder.keys() & donor.keys()) > 1]
        if alike:
            rng.choice(alike)[name] = copy.deepcopy(donor[name])
        return
    holder, value = rng.choice(same), copy.deepcopy(donor[name])
    if isinstance(value, list) and value and rng.random() < 0.5:
        holder[name].insert(rng.randint(0, len(holder[name])), rng.choice(value))
    else:
        holder[name] = value


def _near(old: Tree, rng: random.Random) -> Tree:
    """Another value of the same kind."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return rng.choice((old + 1, max(0, old - 1), old * 2, old // 2, rng.randrange(1, 200), 1, old + 32, 0))
    if isinstance(old, float):
        return rng.choice((old * 2, old / 2, old + 1, 0.5, 1.0, float(int(min(abs(old), 1e18)))))
    if isinstance(old, str):
        return _near_text(old, rng)
    return old


def _near_text(old: str, rng: random.Random) -> str:
    at = rng.randrange(len(old) + 1)
    return rng.choice(
        (
            old[:at] + rng.choice("a-_ .1é") + old[at:],
            old[: max(1, at)],
            old.lower(),
            old.title(),
            old + rng.choice(("s", "-2", " x", "0")),
            old[:at] + old[at + 1 :],
            rng.choice(old.split() or [old]),
        )
    )


def _rearrange(holder: Any, key: Any, rng: random.Random) -> None:
    if isinstance(holder, dict):
        del holder[key]
        return
    how, other = rng.randrange(3), rng.randrange(len(holder))
    if how == 0:
        del holder[key]
    elif how == 1:
        holder.insert(other, copy.deepcopy(holder[key]))
    else:
        holder[key], holder[other] = holder[other], holder[key]


def _everywhere(places: list[Slot], rng: random.Random) -> None:
    """One value, such as a width, wherever it stands: what belongs together stays together."""
    holder, key = rng.choice(places)
    old = holder[key]
    if isinstance(old, dict | list) or old in (0, 1, ""):
        return
    new = _near(old, rng)
    for holder, key in places:
        if type(holder[key]) is type(old) and holder[key] == old:
            holder[key] = new


def _move(places: list[Slot], rng: random.Random) -> None:
    """A value of this tree in another place for the same kind."""
    holder, key = rng.choice(places)
    same = [(h, k) for h, k in places if type(h[k]) is type(holder[key])]
    its, name = rng.choice(same)
    if its is not holder or name != key:
        its[name] = copy.deepcopy(holder[key])
