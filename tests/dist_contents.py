"""What a wheel and a source archive hold, against the checkout: `python -m tests.dist_contents DIST`."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNSHIPPED = (".ci/", ".gitattributes")
"""What the checkout has for its own sake."""
MADE = {"PKG-INFO"}


def tracked(*below: str) -> set[str]:
    """Files of the checkout, as git knows them."""
    listed = subprocess.run(["git", "ls-files", "-z", *below], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(filter(None, listed.stdout.split("\0")))


def of_wheel(path: Path) -> set[str]:
    """Files of a wheel by the names that they have in the checkout; those that the build makes are left out."""
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
    return {n.replace("advisor/_knowledge/", "knowledge/") for n in names if ".dist-info/" not in n}


def of_archive(path: Path) -> set[str]:
    """Files of a source archive by the names that they have in the checkout."""
    with tarfile.open(path) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
    return {name.partition("/")[2] for name in names} - MADE


def main() -> None:
    """Compare both. Exits with what is missing or too much."""
    folder = Path(sys.argv[1])
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    everything = {name for name in tracked() if not name.startswith(UNSHIPPED)}
    for path, held, wanted in (
        (wheel, of_wheel(wheel), tracked("advisor", "knowledge")),
        (archive, of_archive(archive), everything),
    ):
        if held != wanted:
            sys.exit(f"{path.name} lacks {sorted(wanted - held)[:9]} and has {sorted(held - wanted)[:9]} too much")
        sys.stdout.write(f"{path.name} holds the {len(held)} files that it should\n")


if __name__ == "__main__":
    main()
