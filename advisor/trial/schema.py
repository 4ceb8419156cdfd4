"""What a line of a file of tasks may say, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from advisor.domain.trial.tasks import (
    Amount,
    Check,
    Choice,
    Code,
    Contains,
    Exact,
    JsonShape,
    Message,
    Numeric,
    Pattern,
    Role,
    Task,
    Which,
)

Text = Annotated[str, Field(min_length=1)]
Texts = Text | list[Text]
Number = Annotated[float, Field(strict=False, allow_inf_nan=False)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ExactCheck(_Line):
    kind: Literal["exact"]
    ignore_case: bool = False
    ignore_punctuation: bool = False


class ContainsCheck(_Line):
    kind: Literal["contains"]
    amount: Amount = "all"
    ignore_case: bool = False


class RegexCheck(_Line):
    kind: Literal["regex"]
    pattern: Text | None = None


class NumericCheck(_Line):
    kind: Literal["numeric"]
    tolerance: Annotated[Number, Field(ge=0)] = 0.0
    relative_tolerance: Annotated[Number, Field(ge=0)] = 0.0
    which: Which = "last"


class ChoiceCheck(_Line):
    kind: Literal["choice"]
    options: Annotated[int, Field(ge=2, le=26)] = 4


class JsonCheck(_Line):
    kind: Literal["json_schema"]
    schema_: Annotated[dict[str, JsonValue], Field(alias="schema")]


class CodeCheck(_Line):
    kind: Literal["code"]
    test: Text
    timeout_s: Annotated[Number, Field(gt=0, le=60)] = 5.0


AnyCheck = Annotated[
    ExactCheck | ContainsCheck | RegexCheck | NumericCheck | ChoiceCheck | JsonCheck | CodeCheck,
    Field(discriminator="kind"),
]
SIMPLE = ("exact", "contains", "regex", "numeric", "choice", "none")
"""Checks that a word is enough for, because `expected` says the rest."""


class MessageLine(_Line):
    role: Role
    content: str


class TaskLine(_Line):
    """One task."""

    id: Text | int
    prompt: Text | None = None
    system: Text | None = None
    messages: Annotated[list[MessageLine], Field(min_length=1)] | None = None
    expected: JsonValue = None
    check: AnyCheck | None = None
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = None
    stop: Texts | None = None
    tags: list[Text] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, raw: Any) -> Any:
        """`"check": "exact"` stands for `{"kind": "exact"}`, and `"none"` for no check."""
        if not isinstance(raw, dict) or not isinstance(raw.get("check"), str):
            return raw
        word = raw["check"]
        if word not in SIMPLE:
            raise ValueError(f"check {word!r} is none of {', '.join(SIMPLE)}, or needs an object with `kind`")
        return {**raw, "check": None if word == "none" else {"kind": word}}

    @model_validator(mode="after")
    def _is_whole(self) -> TaskLine:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("one of `prompt` and `messages` is needed")
        if self.messages is not None and self.system is not None:
            raise ValueError("`system` goes with `prompt`; `messages` carry their own")
        if self.messages is not None and self.messages[-1].role != "user":
            raise ValueError("the last of `messages` must be the user's")
        return self

    def task(self, line: int) -> Task:
        """The task. Raises ValueError where the check does not go with what is expected."""
        given = self.messages or []
        said = [Message(m.role, m.content) for m in given]
        if self.prompt is not None:
            said = [Message("system", self.system)] if self.system else []
            said.append(Message("user", self.prompt))
        if any("\0" in message.content for message in said):
            raise ValueError("a prompt cannot contain a zero character")
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        check = make_check(self.check, self.expected)
        return Task(str(self.id), tuple(said), check, line, self.max_tokens, stop, tuple(self.tags))


def make_check(asked: _Line | None, expected: JsonValue) -> Check | None:
    """The check with what is expected. Raises ValueError where the two do not go together."""
    if isinstance(asked, ExactCheck):
        return Exact(_texts(expected), asked.ignore_case, asked.ignore_punctuation)
    if isinstance(asked, ContainsCheck):
        return Contains(_texts(expected), asked.amount, asked.ignore_case)
    if isinstance(asked, RegexCheck):
        return Pattern(asked.pattern or _texts(expected)[0])
    if isinstance(asked, NumericCheck):
        return Numeric(_number(expected), asked.tolerance, asked.relative_tolerance, asked.which)
    if isinstance(asked, ChoiceCheck):
        return Choice(_letter(expected, asked.options), asked.options)
    if isinstance(asked, JsonCheck):
        return JsonShape(asked.schema_, expected is not None, expected)
    if isinstance(asked, CodeCheck):
        return Code(asked.test, asked.timeout_s)
    return None


def _texts(expected: JsonValue) -> tuple[str, ...]:
    found = expected if isinstance(expected, list) else [expected]
    texts = [str(text) for text in found if isinstance(text, str | int | float) and not isinstance(text, bool)]
    if not texts or len(texts) < len(found) or not all(text.strip() for text in texts):
        raise ValueError("`expected` must be a text, or a list of texts, none of them empty")
    return tuple(texts)


_LARGEST = 1e300
"""Beyond it a tolerance would overflow; a number that is none is not below it either."""


def _number(expected: JsonValue) -> float:
    if isinstance(expected, str):
        try:
            expected = float(expected.replace(",", ""))
        except ValueError:
            expected = None
    if isinstance(expected, bool) or not isinstance(expected, int | float) or not abs(expected) <= _LARGEST:
        raise ValueError("`expected` must be a number")
    return float(expected)


def _letter(expected: JsonValue, n_options: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:n_options]
    if not isinstance(expected, str) or expected.strip().upper() not in tuple(letters):
        raise ValueError(f"`expected` must be one of the letters {letters[0]} to {letters[-1]}")
    return expected.strip().upper()
