"""Names and instruction sets of processors, from texts in the forms that kernels write."""

from __future__ import annotations

import platform

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.probe.cpuinfo import INSTRUCTION_SETS, common_sets, parse_cpuinfo
from advisor.probe.native import native_cpuinfo

X86 = """processor\t: {n}
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum  8480C
flags\t\t: fpu sse2 fma avx f16c avx2 avx512f {extra}

"""
ARM64 = """processor\t: {n}
BogoMIPS\t: 2100.00
Features\t: fp asimd evtstrm aes asimddp sve i8mm bf16
CPU implementer\t: {implementer}
CPU part\t: {part}

"""


def test_x86_name_and_sets() -> None:
    found = parse_cpuinfo(X86.format(n=0, extra="avx512_vnni amx_int8 avx_vnni avx512_bf16"))
    assert found.name == "Intel(R) Xeon(R) Platinum 8480C"
    expected = {"avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "fma", "f16c"}
    assert found.instruction_sets == tuple(sorted(expected))


def test_only_sets_that_every_core_has_count() -> None:
    found = parse_cpuinfo(X86.format(n=0, extra="avx512_vnni") + X86.format(n=1, extra=""))
    assert "avx512_vnni" not in (found.instruction_sets or ())
    assert "avx2" in (found.instruction_sets or ())


def test_arm_sets_have_llama_cpps_names() -> None:
    found = parse_cpuinfo(ARM64.format(n=0, implementer="0x41", part="0xd4f"))
    assert found.instruction_sets == ("dotprod", "i8mm", "neon", "sve")


def test_arm_core_is_named_by_its_part_number() -> None:
    assert parse_cpuinfo(ARM64.format(n=0, implementer="0x41", part="0xd0c")).name == "ARM Neoverse-N1"


def test_cores_of_two_kinds_are_both_named() -> None:
    text = ARM64.format(n=0, implementer="0x41", part="0xd85") + ARM64.format(n=1, implementer="0x41", part="0xd87")
    assert parse_cpuinfo(text).name == "ARM Cortex-X925 + ARM Cortex-A725"


@pytest.mark.parametrize(("implementer", "part"), [("0x61", "0xd0c"), ("0x41", "0xfff"), ("0x41", "what")])
def test_an_unknown_arm_core_has_no_name(implementer: str, part: str) -> None:
    assert parse_cpuinfo(ARM64.format(n=0, implementer=implementer, part=part)).name is None


def test_a_board_names_the_core_of_another_maker() -> None:
    text = ARM64.format(n=0, implementer="0x51", part="0x800") + "Hardware\t: Qualcomm SM8250\n"
    assert parse_cpuinfo(text).name == "Qualcomm SM8250"


def test_a_text_without_flags_lists_no_sets() -> None:
    found = parse_cpuinfo("processor : 0\ncpu : POWER9, altivec supported\n")
    assert found.name == "POWER9, altivec supported"
    assert found.instruction_sets is None


def test_an_empty_text_says_nothing() -> None:
    found = parse_cpuinfo("")
    assert (found.name, found.instruction_sets) == (None, None)


def test_no_core_has_no_sets() -> None:
    assert common_sets([]) == ()


@settings(deadline=None)
@given(st.text())
@example("flags:\nmodel name:")
@example("CPU implementer: 0x41\nCPU part: 0x")
@example("flags : avx\nflags : \x85 avx")
def test_any_text_is_parsed(text: str) -> None:
    found = parse_cpuinfo(text)
    assert found.name is None or found.name.strip()
    assert set(found.instruction_sets or ()) <= set(INSTRUCTION_SETS.values())


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["flags", "Features", "CPU part", "CPU implementer", "cpu"]), st.text())))
def test_any_value_of_a_known_key_is_parsed(lines: list[tuple[str, str]]) -> None:
    found = parse_cpuinfo("\n".join(f"{key}\t: {value}" for key, value in lines))
    assert found.instruction_sets is None or found.instruction_sets == tuple(sorted(found.instruction_sets))


def test_the_fallback_of_other_systems_is_pythons_own_name() -> None:
    assert (native_cpuinfo().name or "") == platform.processor()
