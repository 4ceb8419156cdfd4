"""Secrets of the environment and of web addresses stand in no text that is said; everything else stays."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.addresses import is_loopback, is_loopback_host
from advisor.redaction import is_secret_name, redacted

SECRETS = st.text(string.ascii_letters + string.digits + "-_.+/=", min_size=8, max_size=60).map(lambda s: f"hf~{s}")
NAMES = st.sampled_from(["HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "db_password", "LLM_ADVISOR_TOKEN"])


@given(st.dictionaries(NAMES, SECRETS, min_size=1), st.text(), st.text())
def test_no_value_of_a_secret_variable_stays(environ: dict[str, str], before: str, after: str) -> None:
    for value in environ.values():
        assert "hf~" not in redacted(before.replace("hf~", "") + value + after.replace("hf~", ""), environ)


@given(st.text(string.ascii_letters + " .,:/\n", max_size=80))
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert redacted(text, {"HF_TOKEN": "hf_0123456789"}) == text


def test_switches_places_and_other_variables_are_no_secrets() -> None:
    environ = {"TOKENIZERS_PARALLELISM": "false", "HF_TOKEN_PATH": "/home/me/token", "EDITOR": "/usr/bin/vim"}
    text = "false in /home/me/token by /usr/bin/vim"
    assert redacted(text, environ) == text
    assert not is_secret_name("EDITOR")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://me:pass@host/m failed", "GET https://[hidden]@host/m failed"),
        ("proxy http://token@10.0.0.1:3128", "proxy http://[hidden]@10.0.0.1:3128"),
        ("socks5://u:p%40x@h", "socks5://[hidden]@h"),
        ("https:/me:pass@host/m cannot be read", "https:/[hidden]@host/m cannot be read"),
        ("https:\\me:pass@host\\m cannot be read", "https:\\[hidden]@host\\m cannot be read"),
        ("C:/Users/me@home and file:/x", "C:/Users/me@home and file:/x"),
        ("https://cdn/f?X-Amz-Signature=abc123&x=1", "https://cdn/f?X-Amz-Signature=[hidden]&x=1"),
        ("https://cdn/f?a=b&Signature=abc&Key-Pair-Id=K", "https://cdn/f?a=b&Signature=[hidden]&Key-Pair-Id=[hidden]"),
        ("Open http://127.0.0.1:1/?token=x - mail me@host", "Open http://127.0.0.1:1/?token=x - mail me@host"),
        ("ask https://host/user@example", "ask https://host/user@example"),
    ],
)
def test_logins_and_signatures_of_addresses_are_hidden(text: str, shown: str) -> None:
    assert redacted(text, {}) == shown


def test_only_this_machine_is_the_loopback() -> None:
    assert all(map(is_loopback_host, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback_host, ("", "localhost.example", "127.0.0.1.example", "10.0.0.1", "::2", "0.0.0.0")))
    assert is_loopback("http://[::1]:8080/x")
    assert not is_loopback("ftp://127.0.0.1/x")
    assert not is_loopback("http:///x")
