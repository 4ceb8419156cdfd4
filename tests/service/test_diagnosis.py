"""The doctor's word on the sandbox; what it says of the rest is tested with the command."""

from __future__ import annotations

import pytest

from advisor.engine import client
from advisor.engine.sandbox import Protection
from advisor.service import diagnosis


def checks() -> dict[str, diagnosis._Outcome]:
    child = diagnosis._Child()
    return {"engine child": child.starts(), "sandbox": child.sandbox()}


def test_the_doctor_says_which_protections_are_in_force() -> None:
    status, text, _ = checks()["sandbox"]
    assert "core file" in text
    assert "network" in text
    assert status in ("ok", "warning")


def test_a_protection_that_is_missing_is_a_warning_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Protection("files", False, "this kernel has no Landlock (Function not implemented)")
    monkeypatch.setattr(client.EngineClient, "protections", (missing,))
    status, text, hint = checks()["sandbox"]
    assert (status, text) == ("warning", f"files not protected: {missing.text}")
    assert hint is not None


def test_an_engine_that_does_not_start_has_no_sandbox_to_speak_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "worker_command", lambda *_arguments: ["/nonexistent"])
    found = checks()
    assert found["engine child"][0] == "failed"
    assert found["sandbox"] == ("warning", "unknown: the engine child does not start", None)
