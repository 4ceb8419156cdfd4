"""Frozen values are what `dataclass(frozen=True, slots=True)` makes of the same class."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.values import value

T = TypeVar("T")


@value
class Ours(Generic[T]):
    """Fields of every kind that the program has."""

    name: str
    held: T
    count: int = 3
    notes: tuple[str, ...] = ()
    table: dict[str, int] = field(default_factory=dict, compare=False)
    secret: str = field(default="", repr=False)

    @property
    def double(self) -> int:
        return 2 * self.count


@dataclass(frozen=True, slots=True)
class Theirs(Generic[T]):
    """The same."""

    name: str
    held: T
    count: int = 3
    notes: tuple[str, ...] = ()
    table: dict[str, int] = field(default_factory=dict, compare=False)
    secret: str = field(default="", repr=False)


@value
class Alone:
    """One field."""

    share: float


@value
class Checked:
    """With a look at what was given."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("less than nothing")


GIVEN = st.fixed_dictionaries(
    {"name": st.text(), "held": st.none() | st.integers()},
    optional={
        "count": st.integers(),
        "notes": st.lists(st.text()).map(tuple),
        "table": st.dictionaries(st.text(), st.integers()),
        "secret": st.text(),
    },
)


@given(one=GIVEN, other=GIVEN)
def test_values_hold_compare_hash_and_show_themselves_as_dataclasses_do(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    ours, theirs = (Ours(**one), Ours(**other)), (Theirs(**one), Theirs(**other))
    assert asdict(ours[0]) == asdict(theirs[0])
    assert [hash(each) for each in ours] == [hash(each) for each in theirs]
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert repr(ours[0]) == repr(theirs[0]).replace("Theirs", "Ours")
    assert [f.name for f in fields(Ours)] == [f.name for f in fields(Theirs)]
    assert Ours.__match_args__ == Theirs.__match_args__
    assert Ours.__slots__ == Theirs.__slots__  # type: ignore[attr-defined]


@given(one=GIVEN, count=st.integers())
def test_copies_and_changed_copies_are_values_too(one: dict[str, Any], count: int) -> None:
    held = Ours(**one)
    assert copy.copy(held) == copy.deepcopy(held) == pickle.loads(pickle.dumps(held)) == held
    assert asdict(replace(held, count=count)) == {**asdict(held), "count": count}
    assert replace(held, count=count).double == 2 * count


def test_a_value_cannot_be_changed_and_takes_no_other_fields() -> None:
    held = Alone(0.5)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'share'"):
        held.share = 1.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'share'"):
        del held.share
    with pytest.raises(FrozenInstanceError):
        held.other = 1  # type: ignore[attr-defined]
    assert held == Alone(0.5)


def test_each_value_has_a_table_of_its_own() -> None:
    first, second = Ours("a", 1), Ours("a", 1)
    first.table["x"] = 1
    assert second.table == {}


def test_values_of_other_classes_are_not_equal() -> None:
    others: list[object] = [Checked(1), 1]
    assert Alone(1) not in others


def test_arguments_that_are_missing_too_many_or_wrong_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Alone\.__init__\(\) missing 1 required positional argument: 'share'"):
        Alone()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Alone(1, 2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="less than nothing"):
        Checked(-1)
