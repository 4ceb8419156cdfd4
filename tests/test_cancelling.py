"""What blocks is stopped by a thread that lives no longer than the block."""

from __future__ import annotations

import threading

import pytest

from advisor.cancelling import cancelling

PATIENCE_S = 30.0


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "cancelling"]


def test_what_cannot_be_stopped_at_once_is_stopped_again() -> None:
    """The first call may come before there is anything to stop."""
    cancel, stopped, n_calls = threading.Event(), threading.Event(), 0

    def stop() -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            stopped.set()

    with cancelling(stop, cancel):
        assert n_calls == 0
        cancel.set()
        assert stopped.wait(PATIENCE_S)
    assert not watchers()


def test_nothing_is_stopped_and_no_thread_is_left_where_nobody_cancels() -> None:
    calls: list[None] = []
    with cancelling(lambda: calls.append(None), threading.Event()):
        assert len(watchers()) == 1
    assert not watchers()
    assert not calls


def test_nobody_watches_what_cannot_be_cancelled() -> None:
    with cancelling(lambda: None, None):
        assert not watchers()


def test_the_thread_ends_with_a_block_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), cancelling(lambda: None, threading.Event()):
        raise ZeroDivisionError
    assert not watchers()
