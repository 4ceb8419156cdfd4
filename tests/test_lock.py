"""The lock of the tests has every dependency of pyproject.toml inside its bounds, with hashes, and a page tells why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomli
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.dependencies import BUILD_LOCK, BUILD_TOOLS, LOCK, PAGE, PROJECT, Pin, page, pins, wanted

ROOT = Path(__file__).parent.parent
TEXT = LOCK.read_text("utf-8")
PINS = pins(TEXT)
DIRECT = [one.requirement for one in wanted(PROJECT.read_text("utf-8"))]
PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "win32": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def counts(pin: Pin, platform: str, python: str) -> bool:
    environment = {**PLATFORMS[platform], "python_version": python, "python_full_version": f"{python}.0"}
    return pin.marker is None or Marker(pin.marker).evaluate(
        {**environment, "platform_python_implementation": "CPython"}
    )


@pytest.mark.parametrize(("lock", "least"), [(LOCK, 100), (BUILD_LOCK, 3)])
def test_every_line_of_a_lock_is_a_pin_with_hashes(lock: Path, least: int) -> None:
    text = lock.read_text("utf-8")
    found = pins(text)
    assert len(found) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) >= least
    assert len([line for line in text.splitlines() if line and line[0] not in " #"]) == len(found)
    for pin in found:
        assert pin.hashes, pin.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in pin.hashes), pin.name


def test_the_tools_that_build_llama_cpp_are_locked_and_no_other_version_than_elsewhere() -> None:
    built_with = {pin.name: pin.version for pin in pins(BUILD_LOCK.read_text("utf-8"))}
    for line in BUILD_TOOLS.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tool = Requirement(line)
            assert tool.specifier.contains(built_with[canonicalize_name(tool.name)]), line
    assert {(p.name, p.version) for p in PINS if p.name in built_with} <= set(built_with.items())


def test_the_dependencies_that_are_compared_are_all_of_the_project() -> None:
    project = tomli.loads(PROJECT.read_text("utf-8"))["project"]
    # The fuzzers are run by hand, on Linux alone, and no test needs them.
    extras = {name: group for name, group in project["optional-dependencies"].items() if name != "fuzz"}
    lists = [project["dependencies"], *extras.values()]
    declared = {text for group in lists for text in group if not text.startswith("llm-advisor")}
    assert {str(found) for found in DIRECT} == {str(Requirement(text)) for text in declared}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_dependency_has_one_pin_inside_its_bounds(platform: str, python: str) -> None:
    for wants in DIRECT:
        name = canonicalize_name(wants.name)
        found = [pin.version for pin in PINS if pin.name == name and counts(pin, platform, python)]
        assert len(found) == 1, name
        assert wants.specifier.contains(found[0], prereleases=True), f"{name} {found[0]}"


def test_the_page_of_dependencies_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m docs.dependencies"


def test_no_licence_of_what_is_always_installed_forbids_to_hand_it_on() -> None:
    always = page().partition("## Always installed")[2].partition("\n## ")[0]
    licences = {line.split(" | ")[3] for line in always.splitlines() if line.startswith("| ")} - {"licence", "---"}
    assert licences
    free = re.compile(r"MIT|BSD|Apache|0BSD|Zlib|CC0|ISC|PSF|AND|OR|License|Software|-|[\d.]|\s|Clause", re.IGNORECASE)
    assert {licence for licence in licences if free.sub("", licence)} == set()
