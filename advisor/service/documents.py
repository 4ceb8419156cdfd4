"""What the facade gives out as plain values: each document is made by its exporter when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from advisor.domain.answers import answers_document
from advisor.domain.hardware import Machine
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import GgufFile, Model
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation

if TYPE_CHECKING:
    from advisor.domain.capacity.plan import Plans
    from advisor.domain.catalogue import Catalogue
    from advisor.domain.coverage import Coverage
    from advisor.domain.head_to_head import HeadToHead
    from advisor.domain.sizing import Sizing
    from advisor.domain.speed_report import SpeedReport
    from advisor.domain.verification import Verification


class Documents:
    """The part of the facade that knows the exporters."""

    def machine_document(self, machine: Machine) -> dict[str, Any]:
        """The snapshot as plain values."""
        from advisor.export.documents import machine_document

        return machine_document(machine)

    def machine_file_text(self, machine: Machine) -> str:
        """The snapshot as a machine file."""
        from advisor.probe.machine_file import machine_file_text

        return machine_file_text(machine)

    def licence_document(self, model: Model, finding: LicenceFinding) -> dict[str, Any]:
        """A verdict as plain values."""
        from advisor.export.documents import licence_document

        return licence_document(model, finding)

    def model_document(self, model: Model, files: tuple[GgufFile, ...]) -> dict[str, Any]:
        """A model as plain values, with sources."""
        from advisor.export.model_documents import model_document

        return model_document(model, files)

    def coverage_document(self, found: Coverage, catalogue: Catalogue) -> dict[str, Any]:
        """What the catalogue knows as plain values."""
        from advisor.export.coverage import coverage_document

        return coverage_document(found, version=catalogue.version, sha256=catalogue.sha256)

    def coverage_markdown(self, found: Coverage) -> str:
        """What the catalogue knows as a page."""
        from advisor.export.coverage import coverage_markdown

        return coverage_markdown(found)

    def listing_document(self, models: Iterable[Model], version: str) -> dict[str, Any]:
        """Models of the catalogue in short."""
        from advisor.export.model_documents import listing_document

        return listing_document(models, version)

    def size_document(self, sizing: Sizing) -> dict[str, Any]:
        """A footprint as plain values."""
        from advisor.export.documents import size_document

        return size_document(sizing)

    def recommendation_document(self, found: Recommendation, answers: Mapping[str, Answer]) -> dict[str, Any]:
        """A recommendation as plain values."""
        from advisor.export.documents import recommendation_document

        return recommendation_document(found, answers_document(answers))

    def comparison_document(self, found: HeadToHead) -> dict[str, Any]:
        """A head-to-head as plain values."""
        from advisor.export.head_to_head import head_to_head_document

        return head_to_head_document(found)

    def comparison_markdown(self, found: HeadToHead, *, level: int = 1) -> str:
        """A head-to-head as a page of Markdown."""
        from advisor.export.head_to_head import head_to_head_markdown

        return head_to_head_markdown(found, level=level)

    def verification_document(self, found: Verification) -> dict[str, Any]:
        """A verification as plain values."""
        from advisor.export.verification import verification_document

        return verification_document(found)

    def speed_document(self, report: SpeedReport) -> dict[str, Any]:
        """The speed of one model as plain values."""
        from advisor.domain.speed_report import speed_document

        return speed_document(report)

    def plans_document(self, found: Plans) -> dict[str, Any]:
        """Plans for many users as plain values."""
        from advisor.domain.capacity.report import plans_document

        return plans_document(found)
