"""Graphics cards in trees laid out as sysfs does."""

from __future__ import annotations

from pathlib import Path

from advisor.probe.drm import DrmCard, amd_cards
from advisor.units import GIB


def card(root: Path, name: str, vendor: str, memory: str | None = None) -> None:
    device = root / "sys/class/drm" / name / "device"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    if memory is not None:
        (device / "mem_info_vram_total").write_text(f"{memory}\n")


def test_amd_cards_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    card(tmp_path, "card10", "0x1002", str(16 * GIB))
    card(tmp_path, "card2", "0x1002")
    assert amd_cards(tmp_path) == (DrmCard("card2", None), DrmCard("card10", 16 * GIB))


def test_cards_of_other_makers_are_left_out(tmp_path: Path) -> None:
    card(tmp_path, "card0", "0x10de")
    card(tmp_path, "card1", "0x8086")
    assert amd_cards(tmp_path) == ()


def test_connectors_and_render_nodes_are_no_cards(tmp_path: Path) -> None:
    card(tmp_path, "card0-HDMI-A-1", "0x1002")
    card(tmp_path, "renderD128", "0x1002")
    assert amd_cards(tmp_path) == ()


def test_a_memory_size_that_is_no_number_is_unknown(tmp_path: Path) -> None:
    card(tmp_path, "card0", "0x1002", "plenty")
    assert amd_cards(tmp_path) == (DrmCard("card0", None),)


def test_a_card_without_vendor_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sys/class/drm/card0").mkdir(parents=True)
    assert amd_cards(tmp_path) == ()


def test_a_system_without_drm_has_no_cards(tmp_path: Path) -> None:
    assert amd_cards(tmp_path) == ()
