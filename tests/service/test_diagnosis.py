"""The doctor's word on the sandbox; what it says of the rest is tested with the command."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.engine import client
from advisor.engine.sandbox import Protection
from advisor.errors import EngineError
from advisor.service import diagnosis
from advisor.units import GIB
from tests.builders import gpu, machine, reading


def checks() -> dict[str, diagnosis.Diagnosis]:
    child = diagnosis._Child()
    tried = {"engine child": child.starts, "sandbox": child.sandbox}
    return {name: diagnosis._timed(name, check) for name, check in tried.items()}


def test_the_doctor_says_which_protections_are_in_force() -> None:
    found = checks()["sandbox"]
    assert "core file" in found.text
    assert "network" in found.text
    assert found.status in ("ok", "warning")


def test_a_protection_that_is_missing_is_a_warning_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Protection("files", False, "this kernel has no Landlock (Function not implemented)")
    monkeypatch.setattr(client.EngineClient, "protections", (missing,))
    found = checks()["sandbox"]
    assert (found.status, found.text) == ("warning", f"files not protected: {missing.text}")
    assert found.hint is not None


def test_an_engine_that_does_not_start_has_no_sandbox_to_speak_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "worker_command", lambda *_arguments: ["/nonexistent"])
    found = checks()
    assert found["engine child"].status == "failed"
    sandbox = found["sandbox"]
    assert (sandbox.status, sandbox.text) == ("warning", "unknown: the engine child does not start")


def test_offload_that_nobody_could_ask_for_is_unknown_and_not_off() -> None:
    seen = machine(24 * GIB, gpu(24 * GIB))
    unasked = replace(seen, engine=replace(seen.engine, gpu_offload=reading(None)))
    assert diagnosis._gpu(seen)[1] == "Test GPU, offload on"
    assert diagnosis._gpu(unasked)[1] == "Test GPU, offload unknown"


def test_what_mends_an_engine_that_does_not_load_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_client: client.EngineClient, *_arguments: object, **_options: object) -> None:
        raise EngineError("llama-cpp-python cannot be loaded", why="no library", hint="Install it.")

    monkeypatch.setattr(client.EngineClient, "request", refuse)
    found = checks()["engine child"]
    assert (found.text, found.hint) == ("llama-cpp-python cannot be loaded: no library", "Install it.")
