"""Reading a knowledge file, and validating it unless its digest vouches that this was done.

Loading pydantic and building the schemas takes longer than everything else that a short command does. So the
files that ship are validated once, when they are sealed; a file whose SHA-256 differs from the one in the seal,
or that the seal does not name, is validated when it is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from advisor._toml import MAX_BYTES, decode_toml, load_toml
from advisor.files import is_file, read_bounded, write_atomically
from advisor.paths import knowledge_dir
from advisor.values import value

SEAL = "validated.sha256"
"""Name of the seal in the knowledge directory, in the format of `sha256sum`."""

Kind = Literal[
    "models",
    "gguf",
    "licences",
    "quantizations",
    "languages",
    "questions",
    "presets",
    "smoke",
    "gpus",
    "cpus",
    "nodes",
    "speed",
    "serving",
    "quality",
]


class KnowledgeReader:
    """Reads the files of one knowledge directory, and each of them and its seal once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._digests = _read_seal(directory / SEAL)
        self._contents: dict[Path, bytes] = {}

    def read(self, path: Path, kind: Kind) -> dict[str, Any]:
        """The document in a file under the directory. Raises InputError when it breaks its schema."""
        document = decode_toml(self.content(path), name=str(path))
        if not self._is_vouched_for(path):
            _validate(document, path, kind)
        return document

    def content(self, path: Path) -> bytes:
        """The bytes of a file. Raises InputError when it cannot be read or is too long for a knowledge file."""
        found = self._contents.get(path)
        if found is None:
            found = self._contents[path] = read_bounded(path, MAX_BYTES)
        return found

    def _is_vouched_for(self, path: Path) -> bool:
        # Without a seal nothing needs hashing.
        recorded = self._digests.get(_name(self._directory, path))
        return recorded is not None and recorded == sha256(self.content(path)).hexdigest()


@value
class Digests:
    """Digests by name of file: those that a seal records, and those that the sealable files have."""

    recorded: Mapping[str, str]
    """Empty where there is no seal."""
    actual: Mapping[str, str]

    @property
    def unvouched(self) -> tuple[str, ...]:
        """Files that differ from the seal or are not in it."""
        return tuple(name for name, digest in self.actual.items() if self.recorded.get(name) != digest)


def digests(directory: Path) -> Digests:
    """The seal of a directory beside what is there."""
    actual = {_name(directory, path): _digest(path) for path, _ in sealable(directory)}
    return Digests(_read_seal(directory / SEAL), actual)


def seal(directory: Path) -> str:
    """Validate every sealable file and return the text of its seal. Raises InputError for the first bad file."""
    lines = []
    for path, kind in sealable(directory):
        _validate(load_toml(path), path, kind)
        lines.append(f"{_digest(path)}  {_name(directory, path)}\n")
    return "".join(lines)


def write_seal(directory: Path) -> None:
    """Seal the directory anew, after its files were changed. Raises InputError for the first bad file."""
    write_atomically(directory / SEAL, seal(directory), overwrite=True)


def sealable(directory: Path) -> list[tuple[Path, Kind]]:
    """The files that a seal covers, in order of their names, with the schema of each."""
    found: list[tuple[Path, Kind]] = [(path, "models") for path in (directory / "models").glob("*/*.toml")]
    found += [(path, "gguf") for path in (directory / "gguf").glob("*.toml")]
    found += [(path, "licences") for path in (directory / "licences").glob("*.toml")]
    singles: tuple[Kind, ...] = (
        "quantizations", "languages", "questions", "presets", "smoke", "speed", "serving", "quality",
    )  # fmt: skip
    found += [(directory / f"{kind}.toml", kind) for kind in singles]
    devices: tuple[Kind, ...] = ("gpus", "cpus", "nodes")
    found += [(directory / "hardware" / f"{kind}.toml", kind) for kind in devices]
    present = [pair for pair in found if is_file(pair[0])]
    return sorted(present, key=lambda pair: _name(directory, pair[0]))


def _validate(document: dict[str, Any], path: Path, kind: Kind) -> None:
    if kind == "licences":
        from advisor.catalog.licence_schema import validate_licence

        validate_licence(document, path)
        return
    from advisor.catalog.schema import SCHEMAS
    from advisor.catalog.validation import validate

    validate(SCHEMAS[kind], document, name=str(path))


def _read_seal(path: Path) -> dict[str, str]:
    if not is_file(path):
        return {}
    text = read_bounded(path, MAX_BYTES).decode("utf-8", "replace")
    pairs = (line.split("  ", 1) for line in text.splitlines() if "  " in line)
    return {name: digest for digest, name in pairs}


def _name(directory: Path, path: Path) -> str:
    return path.relative_to(directory).as_posix()


def _digest(path: Path) -> str:
    return sha256(read_bounded(path, MAX_BYTES)).hexdigest()


if __name__ == "__main__":
    write_seal(Path(sys.argv[1]) if len(sys.argv) > 1 else knowledge_dir())
