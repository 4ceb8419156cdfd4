"""What a file of a trial's result may say, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TasksPart(_Part):
    name: str
    sha256: Sha256
    n: Count


class ContestantPart(_Part):
    """What `recommend --trial` needs of a contestant; the rest of its table is for people and programs that read it."""

    name: str
    sha256: Sha256
    model: str | None = None
    quantization: str | None = None
    judged: Count
    total: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _adds_up(self) -> ContestantPart:
        if self.total > self.judged:
            raise ValueError("`total` exceeds the number of judged tasks")
        return self


class AnswerPart(_Part):
    score: float | None = None
    answer: str | None = None


class TaskPart(_Part):
    """One task with what each contestant made of it."""

    id: str
    question: str
    by: dict[str, AnswerPart]


class TrialFile(_Part):
    """A result as `llm-advisor trial -o FILE` writes it."""

    schema_version: Literal[1]
    kind: Literal["trial"]
    complete: bool
    tasks: TasksPart
    contestants: Annotated[list[ContestantPart], Field(min_length=1)]
    answers: list[TaskPart]
