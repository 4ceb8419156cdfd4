"""What becomes of a model in a quantization on a machine: a candidate that passes every gate, or a rejection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.domain.fit import Fit
from advisor.domain.gates import Reason
from advisor.domain.languages import LanguageFinding
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import Model
from advisor.domain.quality import Rating
from advisor.domain.quantization import Quantization
from advisor.domain.scoring import Score
from advisor.domain.speed import Speed
from advisor.values import value

if TYPE_CHECKING:
    from advisor.domain.carried_load import CarriedLoad


@value
class Candidate:
    """A model in a quantization, placed on the machine, that passes every gate."""

    model: Model
    quantization: Quantization
    fit: Fit
    speed: Speed | None
    licence: LicenceFinding
    languages: LanguageFinding
    rating: Rating
    score: Score
    warnings: tuple[str, ...]
    carried: CarriedLoad | None = None
    """What it carries here of a load that several users share; None for one request at a time, and where its speed is
    unknown."""
    on_front: bool = False
    """Whether no other candidate beats it in quality, speed or memory without losing in another."""

    @property
    def id(self) -> str:
        return f"{self.model.id}:{self.quantization.name}"

    @property
    def falls_short(self) -> bool:
        """Whether this machine is known to carry less than the whole load with it."""
        return self.carried is not None and not self.carried.is_enough


@value
class Rejection:
    """A model that does not pass, in its closest quantization where that matters."""

    model: Model
    quantization: str | None
    """None where the reasons hold for every quantization."""
    reasons: tuple[Reason, ...]
    licence: LicenceFinding

    @property
    def is_liftable(self) -> bool:
        """Whether each of the reasons names a change of the answers."""
        return bool(self.reasons) and all(reason.change is not None for reason in self.reasons)

    @property
    def distance(self) -> tuple[float, str]:
        """For ordering near misses: how much is wrong, then the id."""
        return sum(1 + reason.miss for reason in self.reasons), self.model.id
