"""The comparison as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.head_to_head.bottom_line import bottom_line
from advisor.domain.head_to_head.deployment import deployment_section
from advisor.domain.head_to_head.ecosystem import ecosystem_section
from advisor.domain.head_to_head.efficiency import efficiency_section
from advisor.domain.head_to_head.families import family_section
from advisor.domain.head_to_head.language import language_section
from advisor.domain.head_to_head.licensing import licence_section
from advisor.domain.head_to_head.quality import quality_section
from advisor.domain.head_to_head.subjects import Entrant, Scene, enter
from advisor.domain.head_to_head.tuning import tuning_section
from advisor.domain.head_to_head.values import HeadToHead
from advisor.domain.pools import Figures
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.trial.evidence import Evidence

FEWEST, MOST = 2, 4
"""How many subjects can stand side by side."""


def compare(
    machine: Machine,
    constraints: Constraints,
    catalogue: Catalogue,
    figures: Figures,
    gpus: Sequence[GpuSpec],
    entrants: Sequence[Entrant],
    timings: Timings = NO_TIMINGS,
    trial: Evidence | None = None,
) -> HeadToHead:
    """Compare two to four entrants. `gpus` are those of the hardware catalogue, to name the smallest that would do;
    `timings` is what was measured on the machine; `trial` is what the user's own tasks told.

    Raises ValueError for fewer or more entrants, or one that the catalogue does not know.
    """
    if not FEWEST <= len(entrants) <= MOST:
        raise ValueError(f"{FEWEST} to {MOST} can be compared, not {len(entrants)}")
    scene = Scene(machine, constraints, catalogue, figures, timings, trial)
    subjects = enter(entrants, scene)
    sections = (
        *family_section(subjects, scene),
        quality_section(subjects, constraints),
        efficiency_section(subjects, constraints),
        licence_section(subjects, scene),
        language_section(subjects),
        ecosystem_section(subjects, scene),
        tuning_section(subjects, machine, figures, gpus),
        deployment_section(subjects, constraints),
    )
    return HeadToHead(
        machine=machine,
        constraints=constraints,
        subjects=subjects,
        sections=sections,
        bottom_line=bottom_line(subjects, sections, constraints),
        catalogue_version=catalogue.version,
        catalogue_sha256=catalogue.sha256,
    )
