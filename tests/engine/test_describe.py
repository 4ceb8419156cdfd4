from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from advisor.engine.client import EngineClient
from advisor.engine.describe import describe_engine
from advisor.engine.operations import describe


class Forbidden(EngineClient):
    """A client that must not be asked."""

    def request(self, *args: object, **kwargs: object) -> dict[str, object]:
        raise AssertionError("the engine was asked although the cache knows")


def test_the_installed_engine_is_described(shared: EngineClient) -> None:
    engine = describe_engine(shared)
    assert engine.version.value == version("llama-cpp-python")
    assert engine.devices.value is not None
    (cpu,) = [device for device in engine.devices.value if device.kind == "cpu"]
    assert cpu.total_bytes == pytest.approx(psutil.virtual_memory().total, rel=0.01)
    assert cpu.free_bytes is not None
    assert engine.gpu_offload.value is any(d.kind == "gpu" for d in engine.devices.value)
    assert "CPU" in (engine.system_info.value or "")


def test_file_types_are_those_of_the_library(shared: EngineClient) -> None:
    types = {t.name: t.number for t in describe(shared).file_types}
    assert types["ALL_F32"] == 0
    assert types["MOSTLY_Q4_K_M"] == 15
    assert "GUESSED" not in types


def test_the_cache_answers_the_second_time_without_free_memory(shared: EngineClient, tmp_path: Path) -> None:
    cache = tmp_path / "new" / "engine.json"
    first = describe_engine(shared, cache_file=cache)
    second = describe_engine(Forbidden(), cache_file=cache)
    devices = tuple([replace(d, free_bytes=None) for d in first.devices.value or ()])
    assert second == replace(first, devices=replace(first.devices, value=devices))


def test_an_own_engine_is_started_and_ended(tmp_path: Path) -> None:
    assert describe_engine(cache_file=tmp_path / "engine.json").version.value == version("llama-cpp-python")


@pytest.mark.parametrize("change", ["version", "libraries", "format", "boot", "environment"])
def test_a_cache_of_another_installation_is_not_believed(shared: EngineClient, tmp_path: Path, change: str) -> None:
    cache = tmp_path / "engine.json"
    described = describe_engine(shared, cache_file=cache)
    stored = json.loads(cache.read_text())
    stored["key"][change] = "other"
    stored["description"]["version"] = "0.0.0"
    cache.write_text(json.dumps(stored))
    again = describe_engine(shared, cache_file=cache)
    assert again.version == described.version


def test_libraries_of_another_folder_are_another_installation(
    shared: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, other = tmp_path / "engine.json", tmp_path / "lib"
    describe_engine(shared, cache_file=cache)
    other.mkdir()
    (other / "libllama.so").symlink_to("nowhere")
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(other))
    with pytest.raises(AssertionError, match="although"):
        describe_engine(Forbidden(), cache_file=cache)
    describe_engine(shared, cache_file=cache)
    (other / "libggml.so").write_bytes(b"new")
    with pytest.raises(AssertionError, match="although"):
        describe_engine(Forbidden(), cache_file=cache)


def test_visible_devices_are_part_of_the_key(
    shared: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "engine.json"
    describe_engine(shared, cache_file=cache)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(AssertionError, match="although"):
        describe_engine(Forbidden(), cache_file=cache)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}', b"\xff\xfe", b'{"key": {}, "description": {}}'])
def test_a_broken_cache_is_made_anew(shared: EngineClient, tmp_path: Path, content: bytes) -> None:
    cache = tmp_path / "engine.json"
    cache.write_bytes(content)
    assert describe_engine(shared, cache_file=cache).version.value is not None
    assert describe_engine(Forbidden(), cache_file=cache).version.value is not None


def test_a_cache_that_cannot_be_written_costs_nothing(shared: EngineClient, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert describe_engine(shared, cache_file=tmp_path / "file" / "engine.json").version.value is not None


def test_a_broken_engine_is_a_reading_with_reason_and_hint(tmp_path: Path) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('libcuda.so.1 is missing')")
    cache = tmp_path / "engine.json"
    with EngineClient(env={"PYTHONPATH": str(tmp_path)}) as broken:
        engine = describe_engine(broken, cache_file=cache)
    for reading in (engine.version, engine.gpu_offload, engine.devices, engine.system_info):
        assert reading.value is None
        assert "libcuda.so.1 is missing" in (reading.reason or "")
        assert "pip install" in (reading.hint or "")
    assert not cache.exists()


def test_a_missing_package_is_a_reading_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [entry for entry in sys.path if not (Path(entry or os.curdir) / "llama_cpp").exists()]
    monkeypatch.setattr(sys, "path", kept)
    engine = describe_engine(Forbidden())
    assert (engine.version.value, engine.version.reason) == (None, "llama-cpp-python is not installed")
