"""`docs/keys.md`, made from the command registry: `python -m advisor.tui.key_document > docs/keys.md`."""

from __future__ import annotations

import sys

from advisor.tui.commands import COMMANDS, EVERYWHERE
from advisor.tui.places import PLACES
from advisor.tui.theme import THEMES


def key_document() -> str:
    """The page: commands with their keys and ids, and how to change them."""
    rows = [
        f"| `{command.id}` | `{command.shown}` | {_places(command.where)} | {command.help} |" for command in COMMANDS
    ]
    lines = [
        "# Keys, themes and characters of the screens",
        "",
        "`llm-advisor settings` says where `config.toml` is; it need not exist. It may say:",
        "",
        "```toml",
        f'theme = "{THEMES[1].name}" # {", ".join(theme.name for theme in THEMES)}, or one of Textual\'s own',
        "ascii = true # marks, bars and borders in ASCII; also --ascii and LLM_ADVISOR_ASCII=1",
        "",
        "[keys] # a command's id and its keys, separated by commas",
        '"measure.best" = "f6"',
        '"smoke" = "f7,ctrl+t"',
        "```",
        "",
        "A theme that is chosen in the screens (Ctrl+P, Theme) is remembered; one in `config.toml` goes before it, and",
        "`TEXTUAL_THEME` before both. `NO_COLOR` takes all colours away, `TEXTUAL_ANIMATIONS=none` all motion. With",
        "`TERM=dumb` no screens open.",
        "",
        "| id | key | place | what it does |",
        "|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _places(where: frozenset[str]) -> str:
    return "all" if where == EVERYWHERE else ", ".join(name for place, name in PLACES if place in where)


if __name__ == "__main__":
    sys.stdout.write(key_document())
