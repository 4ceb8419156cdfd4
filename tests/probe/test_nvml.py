"""The NVIDIA probe through the real binding, against a library that behaves as each test asks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pynvml
import pytest

from advisor.probe import nvml_errors
from advisor.probe.nvml import Nvml, within
from advisor.units import GIB
from tests.probe.conftest import ProbeChild


def test_two_gpus_are_read_with_name_memory_and_driver(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    found = probe_in_child(fake_nvml, "two")
    assert found["count"]["value"] == 2
    names = [gpu["name"]["value"] for gpu in found["gpus"]]
    assert names == ["NVIDIA GeForce RTX 4090", "NVIDIA RTX A6000"]
    assert [gpu["total_bytes"]["value"] for gpu in found["gpus"]] == [24 * GIB, 48 * GIB]
    assert [gpu["free_bytes"]["value"] for gpu in found["gpus"]] == [23 * GIB, 47 * GIB]
    assert [gpu["driver"]["value"] for gpu in found["gpus"]] == ["570.86.15"] * 2
    assert [gpu["index"] for gpu in found["gpus"]] == [0, 1]


def test_a_gpu_that_cannot_be_divided_has_mig_off(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    gpu, *_ = probe_in_child(fake_nvml, "two")["gpus"]
    assert gpu["mig"]["value"] is False


def test_every_reading_names_the_function_asked(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    gpu, *_ = probe_in_child(fake_nvml, "two")["gpus"]
    assert gpu["name"]["source"] == "nvmlDeviceGetName"
    assert gpu["total_bytes"]["source"] == "nvmlDeviceGetMemoryInfo"


@pytest.mark.parametrize("behaviour", ["two", "unified", "lost", "no_count", "mig", "bad_name"])
def test_nvml_is_shut_down_after_every_start(
    fake_nvml: Path, probe_in_child: ProbeChild, tmp_path: Path, behaviour: str
) -> None:
    log = tmp_path / "log"
    probe_in_child(fake_nvml, behaviour, log=log)
    assert log.read_text().split() == ["init", "shutdown"]


def test_an_unsupported_memory_question_means_unified_memory(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    (gpu,) = probe_in_child(fake_nvml, "unified")["gpus"]
    assert gpu["unified_memory"] is True
    assert gpu["total_bytes"]["value"] is None
    assert "shares the memory" in gpu["total_bytes"]["reason"]
    assert gpu["name"]["value"] == "NVIDIA GB10"


@pytest.mark.parametrize(
    ("behaviour", "reason", "hint"),
    [
        ("no_driver", "the NVIDIA driver is not loaded", "modprobe"),
        ("no_permission", "no permission", "/dev/nvidia"),
        ("no_count", "no permission", "/dev/nvidia"),
    ],
)
def test_a_driver_that_refuses_is_explained(
    fake_nvml: Path, probe_in_child: ProbeChild, behaviour: str, reason: str, hint: str
) -> None:
    found = probe_in_child(fake_nvml, behaviour)
    assert found["count"]["value"] is None
    assert reason in found["count"]["reason"]
    assert hint in found["count"]["hint"]
    assert found["gpus"] == []
    assert found["has_driver"] is True


def test_an_undocumented_error_keeps_its_code(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    assert "777" in probe_in_child(fake_nvml, "unknown_error")["count"]["reason"]


def test_one_lost_gpu_leaves_the_other_readable(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    healthy, lost = probe_in_child(fake_nvml, "lost")["gpus"]
    assert healthy["total_bytes"]["value"] == 24 * GIB
    assert lost["name"]["value"] is None
    assert lost["total_bytes"]["value"] is None
    assert "lost" in lost["name"]["reason"]
    assert lost["unified_memory"] is False


def test_a_hanging_driver_is_left_behind_and_named(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    started = time.monotonic()
    found = probe_in_child(fake_nvml, "hang", timeout_s=0.5)
    assert time.monotonic() - started < 10
    assert found["count"]["value"] is None
    assert "nvmlDeviceGetMemoryInfo within 0.5 s" in found["count"]["reason"]
    assert found["has_driver"] is True


def test_an_answer_is_taken_from_a_process_that_does_not_end(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    assert probe_in_child(fake_nvml, "linger", timeout_s=0.5)["count"]["value"] == 1


def test_a_driver_that_crashes_takes_nobody_along_and_is_named(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    found = probe_in_child(fake_nvml, "crash")
    assert found["count"]["value"] is None
    assert found["count"]["reason"] == "the driver's library crashed (signal 6)"
    assert found["has_driver"] is True


def test_a_divided_gpu_counts_with_its_first_instance(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    (gpu,) = probe_in_child(fake_nvml, "mig")["gpus"]
    assert gpu["mig"]["value"] is True
    assert gpu["total_bytes"]["value"] == 10 * GIB


def test_a_divided_gpu_without_instance_has_no_memory_but_a_reason(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    (gpu,) = probe_in_child(fake_nvml, "mig_empty")["gpus"]
    assert gpu["total_bytes"]["value"] is None
    assert "no instance" in gpu["total_bytes"]["reason"]
    assert "nvidia-smi mig" in gpu["total_bytes"]["hint"]
    assert gpu["unified_memory"] is False


def test_a_name_that_is_not_utf8_is_kept_readable(fake_nvml: Path, probe_in_child: ProbeChild) -> None:
    (gpu,) = probe_in_child(fake_nvml, "bad_name")["gpus"]
    assert gpu["name"]["value"] == "NVIDIA \ufffd\ufffd 42"
    assert gpu["total_bytes"]["value"] == 24 * GIB


def test_a_driver_without_the_mig_functions_gives_the_rest(old_nvml: Path, probe_in_child: ProbeChild) -> None:
    gpu, _ = probe_in_child(old_nvml, "two")["gpus"]
    assert gpu["total_bytes"]["value"] == 24 * GIB
    assert gpu["mig"]["value"] is None
    assert "too old" in gpu["mig"]["reason"]


def test_no_library_is_no_driver(tmp_path: Path, probe_in_child: ProbeChild) -> None:
    found = probe_in_child(tmp_path)
    assert found["has_driver"] is False
    assert found["count"]["value"] is None
    assert "no NVIDIA driver library" in found["count"]["reason"]


def test_a_library_that_is_no_library_is_explained(tmp_path: Path, probe_in_child: ProbeChild) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("not an ELF file")
    assert probe_in_child(tmp_path)["count"]["value"] is None


def test_the_error_codes_are_those_of_the_binding() -> None:
    assert nvml_errors.NOT_SUPPORTED == pynvml.NVML_ERROR_NOT_SUPPORTED
    assert nvml_errors.LIBRARY_NOT_FOUND == pynvml.NVML_ERROR_LIBRARY_NOT_FOUND


@pytest.mark.parametrize(
    ("constant", "words"),
    [
        ("NVML_ERROR_NO_PERMISSION", "permission"),
        ("NVML_ERROR_DRIVER_NOT_LOADED", "not loaded"),
        ("NVML_ERROR_TIMEOUT", "timed out"),
        ("NVML_ERROR_FUNCTION_NOT_FOUND", "too old"),
        ("NVML_ERROR_GPU_IS_LOST", "lost"),
        ("NVML_ERROR_RESET_REQUIRED", "reset"),
        ("NVML_ERROR_OPERATING_SYSTEM", "blocked"),
        ("NVML_ERROR_LIB_RM_VERSION_MISMATCH", "different versions"),
        ("NVML_ERROR_MEMORY", "out of memory"),
    ],
)
def test_each_code_is_explained_in_the_sense_of_the_binding(constant: str, words: str) -> None:
    reason, _ = nvml_errors.explain(getattr(pynvml, constant))
    assert words in reason


def test_a_function_that_the_binding_lacks_is_a_reason() -> None:
    reading = Nvml().query("nvmlDeviceGetTea", 0)
    assert reading.value is None
    assert "nvmlDeviceGetTea" in (reading.reason or "")


def test_work_within_the_time_is_returned() -> None:
    answer = within(5.0, lambda: 42)
    assert answer is not None
    assert answer.value == 42


def test_work_that_raises_is_a_reason() -> None:
    answer = within(5.0, lambda: 1 // 0)
    assert answer is not None
    assert "ZeroDivisionError" in (answer.reason or "")


def test_work_that_is_not_done_in_time_is_none() -> None:
    done = threading.Event()
    assert within(0.05, done.wait) is None
    done.set()
