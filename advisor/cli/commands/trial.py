"""`llm-advisor trial`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from advisor.api import Needs, answers_of
from advisor.cli import output
from advisor.cli.commands.trial_judging import judge
from advisor.cli.commands.trial_text import compare_text
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import complete_model, constraint_options, gathered, models_dir_option, output_options
from advisor.cli.progress import Bar
from advisor.domain.trial.outcome import Progress, Sampling, Trial
from advisor.domain.trial.tasks import DEFAULT_MAX_TOKENS
from advisor.domain.trial.words import (
    ANSWER_COLUMNS,
    STANDING_COLUMNS,
    disagreement_rows,
    duel_lines,
    progress_text,
    standing_rows,
    tag_rows,
)
from advisor.errors import InputError
from advisor.service import Advisor, TrialRequest

_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class _Contestants:
    """Who is on trial."""

    files: tuple[Path, ...]
    models: tuple[str, ...]
    picks: int | None
    folders: tuple[Path, ...]
    needs: Needs


@dataclass(frozen=True, slots=True)
class _Conditions:
    """How they are tried."""

    max_tokens: int
    temperature: float
    seed: int
    ctx: int
    parallel: int | None
    threads: int | None
    allow_code: bool


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where the result goes and how it is shown."""

    place: str | None
    force: bool
    disagreements: int
    as_json: bool
    plain: bool


@click.command("trial", cls=Command)
@click.argument("tasks", metavar="[TASKS.jsonl]", required=False, type=_FILE)
@click.option("--file", "files", multiple=True, type=_FILE, help="A GGUF file on trial; may be given several times.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL[:QUANT]",
    shell_complete=complete_model,
    help="A model whose file is here.",
)
@click.option(
    "--picks", type=click.IntRange(1), metavar="N", help="The best so many recommended models whose files are here."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(1, 131072),
    metavar="N",
    default=DEFAULT_MAX_TOKENS,
    show_default=True,
    help="Tokens of an answer, at most.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, 5),
    metavar="NUMBER",
    default=0.0,
    show_default=True,
    help="Of sampling; 0 takes the likeliest token each time.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Of sampling, and of the order in which pairs are judged.",
)
@click.option(
    "--ctx", type=click.IntRange(256), metavar="N", default=4096, show_default=True, help="Tokens of prompt and answer."
)
@click.option(
    "--parallel", type=click.IntRange(1, 2), metavar="N", help="Models at once; unset: as memory and cores allow."
)
@click.option(
    "--threads", type=click.IntRange(1), metavar="N", help="Threads of all models together; unset: the physical cores."
)
@click.option("--allow-code", is_flag=True, help="Run code of answers, in a closed child; off otherwise.")
@click.option(
    "--disagreements",
    type=click.IntRange(0),
    metavar="N",
    default=5,
    show_default=True,
    help="Tasks shown side by side.",
)
@click.option("-o", "place", metavar="FILE", help="Write the result as JSON, for recommend --trial and --judge.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--judge", "judging", is_flag=True, help="Judge two contestants' answers blind, by keys.")
@click.option("--result", type=_FILE, help="With --judge: a result to judge; unset: the last trial.")
@click.option("--text", type=_FILE, help="Instead of tasks: perplexity of a text, two quantizations compared on it.")
@click.option(
    "--tokens",
    type=click.IntRange(64),
    metavar="N",
    default=8192,
    show_default=True,
    help="With --text: tokens scored.",
)
@models_dir_option
@constraint_options
@output_options
@gathered("contestants", _Contestants)
@gathered("conditions", _Conditions)
@gathered("shown", _Shown)
def command(
    tasks: Path | None,
    contestants: _Contestants,
    conditions: _Conditions,
    shown: _Shown,
    judging: bool,
    result: Path | None,
    text: Path | None,
    tokens: int,
) -> None:
    """Try models on your own tasks: who answers more of them right, and is the difference more than chance?

    Every answer is kept as it comes: after a break the same command goes on where it was. The formats of tasks are
    described in docs/trial.md.

    \b
    llm-advisor trial tasks.jsonl --file a.gguf --file b.gguf
    llm-advisor trial tasks.jsonl --picks 2 -o result.json
    llm-advisor recommend --trial result.json
    llm-advisor trial --judge
    llm-advisor trial --text mails.txt --file model-Q8_0.gguf --file model-Q4_K_M.gguf
    """
    advisor, as_json, plain = Advisor(), shown.as_json, shown.plain
    if result is not None and (tasks is not None or not judging):
        raise InputError("--result goes with --judge alone", hint="Leave out the tasks, or --result.")
    if text is not None:
        _refuse_with_text(tasks, judging, contestants, shown)
        compare_text(advisor, text, contestants.files, tokens, as_json=as_json, plain=plain)
        return
    if tasks is None and not judging:
        raise InputError("there are no tasks", hint="Name a file of them, or add --judge or --text.")
    if tasks is not None:
        _try(advisor, tasks, contestants, conditions, shown)
    if judging:
        judge(advisor, result if tasks is None else None, conditions.seed, as_json=as_json, plain=plain)


def _try(advisor: Advisor, tasks: Path, contestants: _Contestants, conditions: _Conditions, shown: _Shown) -> None:
    """Run the trial, keep it for judging, and show it."""
    output.check_file(shown.place, force=shown.force)
    advisor.read_tasks(tasks)
    named = contestants.models
    if contestants.picks is not None:
        constraints = advisor.constraints(answers_of(advisor, contestants.needs))
        found = advisor.recommend(advisor.machine(), constraints)
        named = (*named, *advisor.local_picks(found, contestants.picks, contestants.folders))
    request = TrialRequest(
        tasks,
        contestants.files,
        named,
        Sampling(conditions.max_tokens, conditions.temperature, conditions.seed),
        conditions.ctx,
        conditions.parallel,
        conditions.allow_code,
        conditions.threads,
    )
    trial = _run(advisor, request, contestants.folders)
    advisor.keep_trial(trial)
    if shown.place is not None:
        output.emit_file(advisor.trial_text(trial), shown.place, force=shown.force)
    if shown.place == "-":
        return  # standard output has the file
    if shown.as_json:
        output.emit_json(advisor.trial_document(trial))
    else:
        _print(advisor, trial, shown.disagreements, plain=shown.plain)


def _refuse_with_text(tasks: Path | None, judging: bool, contestants: _Contestants, shown: _Shown) -> None:
    """Raises InputError for what the comparison on a text cannot have."""
    if tasks is not None or judging or contestants.models or contestants.picks is not None:
        raise InputError("--text goes with files alone", hint="Leave out the tasks, --judge, --model and --picks.")
    if shown.place is not None:
        raise InputError("--text writes no file", hint="Leave -o out; --json gives all that was found.")


def _run(advisor: Advisor, request: TrialRequest, folders: tuple[Path, ...]) -> Trial:
    """The trial; an interrupt lets the children end and says that nothing is lost."""
    cancel = threading.Event()
    with _Progress() as progress:
        try:
            return advisor.trial(request, folders=folders, on_progress=progress, cancel=cancel)
        except KeyboardInterrupt:
            cancel.set()
            note("Every answer so far is kept: the same command goes on from here.")
            raise


class _Progress(Bar):
    """Tasks done, of all contestants, on a terminal; elsewhere the end of each contestant."""

    def __init__(self) -> None:
        super().__init__()
        self._done: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, now: Progress) -> None:
        with self._lock:
            self._done[now.name] = (now.n_done, now.n_tasks)
            done, whole = (sum(pair[i] for pair in self._done.values()) for i in (0, 1))
            if sys.stderr.isatty():
                self.show(progress_text(now), done / whole if whole else 1.0)
            elif now.n_done == now.n_tasks:
                note(progress_text(now))


def _print(advisor: Advisor, trial: Trial, limit: int, *, plain: bool) -> None:
    found = advisor.trial_report(trial)
    output.emit_table(STANDING_COLUMNS, standing_rows(found), plain=plain, numeric=(2,))
    tags = tag_rows(found)
    if tags:
        output.emit_text("")
        output.emit_table(("tag", *(s.name for s in found.standings)), tags, plain=plain)
    rows = disagreement_rows(trial, found, limit)
    if rows:
        output.emit_text("")
        output.emit_table(ANSWER_COLUMNS, rows, plain=plain)
    _lines(duel_lines(found.duels), output.emit_text)
    for said in trial.notes:
        note(said)


def _lines(lines: list[str], emit: Callable[[str], None]) -> None:
    if lines:
        emit("")
    for line in lines:
        emit(line)
