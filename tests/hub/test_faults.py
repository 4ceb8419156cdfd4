"""What answers of the Hub mean, and how long somebody waits for a better one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from advisor.errors import NetworkError
from advisor.hub.access import HubAccess
from advisor.hub.http_errors import HubBusy, fault, retry_after_s
from advisor.hub.retry import MAX_TRIES, MAX_WAIT_S, RetryPolicy

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
STRANGER = HubAccess()
MEMBER = HubAccess(token="hf_abc")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Fri, 27 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("9" * 40, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOW) == seconds


def test_names_of_headers_have_no_case() -> None:
    for name in ("Retry-After", "retry-after", "RETRY-AFTER"):
        found = fault(429, {name: "3"}, "a/b", STRANGER, NOW)
        assert isinstance(found, HubBusy)
        assert found.retry_after_s == 3.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 429, 451, 500, 503, 504, 599])
def test_every_status_gives_one_line_with_reason_and_way_out(status: int) -> None:
    for access in (STRANGER, MEMBER):
        for code in ("", "GatedRepo", "EntryNotFound"):
            found = fault(status, {"X-Error-Code": code}, "a/b", access, NOW)
            assert isinstance(found, NetworkError)
            assert found.why
            assert str(status) in found.why
            assert found.hint
            assert "\n" not in str(found)
            assert "hf_abc" not in str(found)


def test_a_token_is_not_in_the_text_of_its_holder() -> None:
    assert "hf_abc" not in repr(MEMBER)
    assert "hf_abc" not in str(MEMBER)


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://huggingface.co/a/b", True),
        ("https://huggingface.co:443/a/b", True),
        ("http://huggingface.co/a/b", False),
        ("https://huggingface.co.evil.example/a/b", False),
        ("https://cdn-lfs.huggingface.co/a/b", False),
        ("https://huggingface.co:8443/a/b", False),
    ],
)
def test_the_token_may_go_to_the_very_endpoint_only(url: str, is_own: bool) -> None:
    assert MEMBER.is_own(url) is is_own


def busy(seconds: float | None) -> HubBusy:
    return HubBusy("busy", why="429", hint="later", retry_after_s=seconds, is_limit=True)


def test_pauses_are_those_asked_for_and_doubled_where_nobody_asks() -> None:
    slept: list[float] = []
    answers = iter([busy(2.0), busy(None), busy(0.0)])

    def question() -> str:
        for answer in answers:
            raise answer
        return "done"

    assert RetryPolicy(sleep=slept.append).ask(question) == "done"
    assert slept == [2.0, 2.0, 0.0]


@pytest.mark.parametrize("seconds", [None, 0.0, 1.0, 25.0, MAX_WAIT_S, MAX_WAIT_S + 1, 1e9])
def test_patience_ends(seconds: float | None) -> None:
    slept: list[float] = []
    tries = []

    def question() -> str:
        tries.append(1)
        raise busy(seconds)

    with pytest.raises(HubBusy):
        RetryPolicy(sleep=slept.append).ask(question)
    assert len(tries) <= MAX_TRIES
    assert sum(slept) <= MAX_WAIT_S


def test_what_is_no_matter_of_waiting_is_raised_at_once() -> None:
    with pytest.raises(NetworkError, match="gone"):
        RetryPolicy(sleep=lambda _: pytest.fail("it slept")).ask(lambda: (_ for _ in ()).throw(NetworkError("gone")))
