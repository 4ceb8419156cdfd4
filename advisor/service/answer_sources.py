"""What the facade knows of needs: the questionnaire, the presets, and answers from every place they can come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.domain.answers import constraints_from, merge_document
from advisor.domain.constraints import Constraints
from advisor.domain.questions import Answer, Questionnaire, read_answer
from advisor.errors import InputError
from advisor.service.core import Core, languages_of

if TYPE_CHECKING:
    from advisor.domain.presets import Preset


class AnswerSources(Core):
    """The part of the facade that reads answers."""

    @cached_property
    def questionnaire(self) -> Questionnaire:
        """The questions with their defaults."""
        return _questionnaire(self.knowledge)

    @cached_property
    def presets(self) -> tuple[Preset, ...]:
        """Answers to begin with. Raises InputError where the file cannot be used."""
        from advisor.catalog.presets import load_presets

        return load_presets(self.knowledge, self.questionnaire)

    def answers(
        self,
        file: Path | None = None,
        settings: Iterable[str] = (),
        typed: Mapping[str, object] | None = None,
        *,
        preset: str | None = None,
    ) -> dict[str, Answer]:
        """Answers from defaults, a preset, a constraints file, `key=value` settings and typed values, each over the
        one before.

        Raises InputError naming the preset, file or setting, the key and the nearest valid one.
        """
        answers = self.questionnaire.defaults()
        if preset is not None:
            from advisor.domain.presets import find_preset

            answers.update(find_preset(self.presets, preset).answers)
        if file is not None:
            answers = self._merged_file(answers, file)
        for setting in settings:
            answers.update(self._read_setting(setting))
        for key, raw in (typed or {}).items():
            answers[key] = read_answer(self.questionnaire[key], raw)
        return answers

    def _merged_file(self, answers: Mapping[str, Answer], file: Path) -> dict[str, Answer]:
        from advisor._toml import load_toml

        document = load_toml(file, hint="Its keys are listed by: llm-advisor schema constraints")
        # A recommendation file carries the answers that it rests on in a table of their own.
        given = document.get("constraints") if "recommendation" in document else document
        if not isinstance(given, Mapping):
            raise InputError(f"{file}: there is no table [constraints]")
        try:
            return merge_document(self.questionnaire, answers, given, name=str(file))
        except RecursionError as error:
            raise InputError(f"{file}: tables are nested too deeply") from error

    def _read_setting(self, setting: str) -> dict[str, Answer]:
        key, equals, text = (part.strip() for part in setting.partition("="))
        if not equals:
            raise InputError(f"--set {setting!r} is no assignment", hint="Write --set key=value.")
        question = self.questionnaire[key]
        return {key: read_answer(question, _setting_value(text))}

    def constraints(self, answers: Mapping[str, Answer]) -> Constraints:
        """Constraints from answers. Raises InputError where they contradict one another."""
        return constraints_from(answers)


@lru_cache(maxsize=2)
def _questionnaire(knowledge: Path) -> Questionnaire:
    """Read once: the options of a command are made of it before the command has a session."""
    from advisor.catalog.questions import load_questionnaire

    return load_questionnaire(knowledge, languages_of(knowledge))


def _setting_value(text: str) -> object:
    """The TOML value that a setting spells, or the text itself where it is no TOML: bare words are strings."""
    from advisor._toml import parse_toml

    try:
        return parse_toml(f"value = {text}", name="--set")["value"]
    except InputError:
        return text
