"""Three head-to-heads as a page, on recorded machines.

python -m benchmarks.head_to_heads > docs/head-to-head.md
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from advisor.service import Advisor, MachineChoice

DATA = Path(__file__).parent / "data" / "machines"
PLACE = "benchmarks/data/machines"


@dataclass(frozen=True)
class Case:
    """One comparison: who, on which machine, for which use."""

    title: str
    names: tuple[str, str]
    machine: str
    constraints: str | None = None

    @property
    def command(self) -> str:
        """The same comparison on the command line."""
        words = ["llm-advisor", "compare", *self.names, "--machine", f"{PLACE}/{self.machine}"]
        words += ["--constraints", f"{PLACE}/{self.constraints}"] if self.constraints else []
        return shlex.join([*words, "--markdown"])


CASES = (
    Case(
        "Two models of a size: chat on one RTX 4090",
        ("mistral-7b-instruct-v0.3", "llama-3.1-8b-instruct"),
        "rtx-4090.toml",
        "any-language.toml",
    ),
    Case(
        "Experts against a dense model: chat on two RTX 4090",
        ("mixtral-8x7b-instruct-v0.1", "llama-3.3-70b-instruct"),
        "two-rtx-4090.toml",
    ),
    Case(
        "The families: a French customer-support chatbot of a company in the EU, one RTX 4090, 200 users",
        ("mistral", "llama"),
        "rtx-4090.toml",
        "support-chatbot.toml",
    ),
)

OPENING = """# Head to head

Three comparisons as `llm-advisor compare` makes them. This page is the output of `python -m benchmarks.head_to_heads`,
on machines and for uses that are recorded in `benchmarks/data/machines/`; a test holds it to that."""


def page() -> str:
    """All cases, one after the other."""
    advisor = Advisor()
    return "\n\n".join([OPENING, *(_section(case, advisor).rstrip() for case in CASES)]) + "\n"


def _section(case: Case, advisor: Advisor) -> str:
    answers = advisor.answers(DATA / case.constraints if case.constraints else None)
    machine = advisor.machine(MachineChoice(file=DATA / case.machine))
    found = advisor.compare(case.names, machine, advisor.constraints(answers))
    return f"## {case.title}\n\n```sh\n{case.command}\n```\n\n{advisor.comparison_markdown(found, level=3)}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
