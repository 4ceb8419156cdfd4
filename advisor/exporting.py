"""What the facade turns a recommendation file into: reports, and the files of other programs."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.errors import InputError, nearest

if TYPE_CHECKING:
    from advisor.export.recommendation_schema import RecommendationFile


class Exports:
    """The part of the facade that knows the targets."""

    def export_targets(self) -> dict[str, str]:
        """What each target gives, by its name."""
        from advisor.export.deploy import TARGETS

        return {name: target.help for name, target in TARGETS.items()}

    def report_target(self, path: Path) -> str:
        """The target that writes a file of this name. Raises InputError for an ending that none has."""
        from advisor.export.deploy import TARGETS

        ending = path.suffix.lower()
        for name, target in TARGETS.items():
            if ending in target.endings:
                return name
        known = ", ".join(end for target in TARGETS.values() for end in target.endings)
        raise InputError(f"{path}: no report has the ending {ending or 'of nothing'!r}", hint=f"Known: {known}.")

    def export_file(self, path: Path, target: str) -> dict[str, str]:
        """Texts by file name from a recommendation file. Raises InputError for another file or target."""
        from advisor.export.recommendation_file import read_recommendation

        read = read_recommendation(path)
        return _files(read, path.read_bytes(), target, path.stem)

    def export_text(self, text: str, target: str, name: str) -> dict[str, str]:
        """Texts by file name from a recommendation's TOML; `name` is that of the files, without an ending."""
        from advisor._toml import parse_toml
        from advisor.export.recommendation_schema import RecommendationFile

        read = RecommendationFile.model_validate(parse_toml(text, name="recommendation"))
        return _files(read, text.encode("utf-8"), target, name)


def _files(read: RecommendationFile, content: bytes, target: str, name: str) -> dict[str, str]:
    from advisor.export.deploy import TARGETS, files_for
    from advisor.export.report.contents import Recorded

    if target not in TARGETS:
        hint = nearest(target, TARGETS) or f"Known targets: {', '.join(TARGETS)}."
        raise InputError(f"no target {target!r}", hint=hint)
    return files_for(target, Recorded(read, sha256(content).hexdigest(), name))
