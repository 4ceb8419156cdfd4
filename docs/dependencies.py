"""Writes docs/dependencies.md: `python -m docs.dependencies`, in an environment installed from requirements/ci.txt.

Why a package is there is the comment above it in pyproject.toml, which version the lock has, and whose it is and under
which licence what the package says of itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/dependencies.md"
LOCK = ROOT / "requirements/ci.txt"
PROJECT = ROOT / "pyproject.toml"
RELOCK = (
    "uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-header "
    "--default-index https://pypi.org/simple pyproject.toml -o requirements/ci.txt"
)
BUILD_LOCK = ROOT / "requirements/build.txt"
BUILD_TOOLS = ROOT / "requirements/build.in"
RELOCK_BUILD = (
    "uv pip compile --universal --python-version 3.11 --generate-hashes --no-header "
    "--default-index https://pypi.org/simple -c requirements/ci.txt requirements/build.in -o requirements/build.txt"
)
AUDIT = "pip-audit --require-hashes --disable-pip -r requirements/ci.txt"
_LONGEST = 60
_PINNED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+?))?(?P<hashes>(?: \\\n +--hash=\S+)*)$", re.M
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of the lock."""

    name: str
    version: str
    marker: str | None
    """Where it counts; None for everywhere."""
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One dependency of pyproject.toml with the comment above it."""

    group: str
    requirement: Requirement
    why: str


def pins(text: str) -> list[Pin]:
    """The lines of a lock."""
    return [
        Pin(canonicalize_name(m["name"]), m["version"], m["marker"], tuple(re.findall(r"--hash=(\S+)", m["hashes"])))
        for m in _PINNED.finditer(text)
    ]


def wanted(text: str) -> Iterator[Wanted]:
    """The dependencies of pyproject.toml in its order. A comment counts for the lines below it up to the next one."""
    group, why, is_comment = "", "", False
    for line in text.splitlines():
        opened = re.match(r"(\w+) = \[$", line)
        if opened or not line.startswith("  "):
            name = opened[1] if opened else ""
            group = name if name in ("dependencies", "web", "mcp", "cluster", "dev") else ""
            why, is_comment = "", False
        elif group and line.startswith("  #"):
            why, is_comment = f"{why} {line[4:]}".strip() if is_comment else line[4:], True
        elif group:
            quoted = re.match(r'  "(.+)",$', line)
            is_comment = False
            if quoted and not quoted[1].startswith("llm-advisor"):
                yield Wanted(group, Requirement(quoted[1]), why)


def page() -> str:
    """The page as it should be."""
    locked: dict[str, list[Pin]] = {}
    for pin in pins(LOCK.read_text("utf-8")):
        locked.setdefault(pin.name, []).append(pin)
    direct = list(wanted(PROJECT.read_text("utf-8")))
    names = {canonicalize_name(one.requirement.name) for one in direct}
    tools = ", ".join(f"{pin.name} {pin.version}" for pin in pins(BUILD_LOCK.read_text("utf-8")))
    lines = [_HEAD.format(relock=RELOCK, audit=AUDIT, relock_build=RELOCK_BUILD, tools=tools)]
    for group, title in _GROUPS.items():
        lines += [f"## {title}", "", "| package | bounds | locked | licence | kept by | why |", _rule(6)]
        for one in (found for found in direct if found.group == group):
            name = str(canonicalize_name(one.requirement.name))
            cells = (name, str(one.requirement.specifier), _versions(locked[name]), *_told(name), one.why)
            lines.append(_row(cells))
        lines.append("")
    lines += ["## What these bring along", "", "| package | locked | where | licence | kept by |", _rule(5)]
    for name in sorted(set(locked).difference(names)):
        where = sorted({pin.marker or "everywhere" for pin in locked[name]})
        lines.append(_row((name, _versions(locked[name]), "; ".join(where), *_told(name))))
    return "\n".join(lines) + "\n"


_GROUPS = {
    "dependencies": "Always installed",
    "web": "`[web]`",
    "mcp": "`[mcp]`",
    "cluster": "`[cluster]`",
    "dev": "`[dev]`, for tests and builds alone",
}

_HEAD = """\
# Dependencies

This page is the output of `python -m docs.dependencies`; `tests/test_lock.py` holds it and the lock against
`pyproject.toml`.

`requirements/ci.txt` pins every package that tests and builds use, with the SHA-256 of each file that PyPI has of it,
for Python 3.11 and later on Linux, macOS and Windows. It is written by

```sh
{relock}
```

and installed by

```sh
pip install --require-hashes -r requirements/build.txt
pip install --require-hashes --no-build-isolation -r requirements/ci.txt
```

pip (23.1 or later) keeps the llama.cpp that it built and takes it again as long as the hash of its source is the locked
one. llama.cpp is all that is built; what it is built with ({tools}) is locked in `requirements/build.txt`, and has to
be there before, since pip would choose it itself and without hashes. `requirements/build.txt` is written after
`requirements/ci.txt` by

```sh
{relock_build}
```

Known vulnerabilities are looked up where a network is:

```sh
{audit}
```
"""


def _rule(columns: int) -> str:
    return "| " + " | ".join(["---"] * columns) + " |"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") or "-" for cell in cells) + " |"


def _versions(found: list[Pin]) -> str:
    return ", ".join(sorted({pin.version for pin in found}))


def _told(name: str) -> tuple[str, str]:
    """Licence and keeper, as the package that is installed here says."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return "not installed here", "-"
    return _licence(package), _keeper(package)


def _licence(package: Distribution) -> str:
    told = package.metadata.json
    named = str(told.get("license_expression") or "") or str(told.get("license") or "").strip()
    classified = [c.rpartition(" :: ")[2] for c in told.get("classifier", ()) if c.startswith("License ::")]
    if not named or len(named) > _LONGEST or "\n" in named:
        named = ", ".join(classified)
    return named or "see its files"


def _keeper(package: Distribution) -> str:
    told = package.metadata.json
    people = next(
        (str(told[key]) for key in ("author", "maintainer", "author_email", "maintainer_email") if told.get(key)), ""
    )
    names = [re.sub(r"\s*<[^>]*>", "", one).strip(' "') for one in people.split(",")]
    names = [one for one in names if one and "@" not in one]
    if not names:
        return _home(package.metadata.get_all("Project-URL") or []) or "-"
    return names[0] if len(names) == 1 else f"{names[0]} and others"


def _home(addresses: list[str]) -> str:
    """The address of the source, for a package that names nobody."""
    found = [address.partition(", ")[2] for address in addresses]
    return next((address for address in found if "github.com" in address), next(iter(found), ""))


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
