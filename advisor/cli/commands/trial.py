"""`llm-advisor trial`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.commands.trial_judging import judge
from advisor.cli.commands.trial_text import compare_text
from advisor.cli.diagnostics import note
from advisor.cli.options import constraint_options, given_answers, models_dir_option, output_options
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


@click.command("trial")
@click.argument("tasks", metavar="[TASKS.jsonl]", required=False, type=_FILE)
@click.option("--file", "files", multiple=True, type=_FILE, help="A GGUF file on trial; may be given several times.")
@click.option("--model", "models", multiple=True, metavar="MODEL[:QUANT]", help="A model whose file is here.")
@click.option("--picks", type=click.IntRange(1), help="The best so many recommended models whose files are here.")
@click.option("--max-tokens", type=click.IntRange(1, 131072), default=DEFAULT_MAX_TOKENS, show_default=True)
@click.option("--temperature", type=click.FloatRange(0, 5), default=0.0, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--ctx", type=click.IntRange(256), default=4096, show_default=True, help="Tokens of prompt and answer.")
@click.option("--parallel", type=click.IntRange(1, 2), help="Models at once; unset: as memory and cores allow.")
@click.option("--threads", type=click.IntRange(1), help="Threads of all models together; unset: the physical cores.")
@click.option("--allow-code", is_flag=True, help="Run code of answers, in a closed child; off otherwise.")
@click.option("--disagreements", type=click.IntRange(0), default=5, show_default=True, help="Tasks shown side by side.")
@click.option("-o", "place", metavar="FILE", help="Write the result as JSON, for recommend --trial and --judge.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--judge", "judging", is_flag=True, help="Judge two contestants' answers blind, by keys.")
@click.option("--result", type=_FILE, help="With --judge: a result to judge; unset: the last trial.")
@click.option("--text", type=_FILE, help="Instead of tasks: perplexity of a text, two quantizations compared on it.")
@click.option("--tokens", type=click.IntRange(64), default=8192, show_default=True, help="With --text: tokens scored.")
@models_dir_option
@constraint_options
@output_options
def command(
    tasks: Path | None,
    files: tuple[Path, ...],
    models: tuple[str, ...],
    picks: int | None,
    max_tokens: int,
    temperature: float,
    seed: int,
    ctx: int,
    parallel: int | None,
    threads: int | None,
    allow_code: bool,
    disagreements: int,
    place: str | None,
    force: bool,
    judging: bool,
    result: Path | None,
    text: Path | None,
    tokens: int,
    folders: tuple[Path, ...],
    constraints_file: Path | None,
    settings: tuple[str, ...],
    as_json: bool,
    plain: bool,
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
    advisor = Advisor()
    if text is not None:
        _refuse_tasks(tasks, judging)
        compare_text(advisor, text, files, tokens, as_json=as_json, plain=plain)
        return
    if tasks is None:
        if not judging:
            raise InputError("there are no tasks", hint="Name a file of them, or add --judge or --text.")
        judge(advisor, result, seed, as_json=as_json, plain=plain)
        return
    named = models
    if picks is not None:
        constraints = advisor.constraints(given_answers(advisor, constraints_file, settings))
        found = advisor.recommend(advisor.machine(), constraints)
        named = (*models, *advisor.local_picks(found, picks, folders))
    sampling = Sampling(max_tokens, temperature, seed)
    request = TrialRequest(tasks, files, named, sampling, ctx, parallel, allow_code, threads)
    trial = _run(advisor, request, folders)
    advisor.keep_trial(trial)
    if place is not None:
        output.emit_file(advisor.trial_text(trial), place, force=force)
    if as_json:
        output.emit_json(advisor.trial_document(trial))
    elif place != "-":
        _print(advisor, trial, disagreements, plain=plain)
    if judging:
        judge(advisor, None, seed, as_json=as_json, plain=plain)


def _refuse_tasks(tasks: Path | None, judging: bool) -> None:
    if tasks is not None or judging:
        raise InputError("--text goes with files alone", hint="Leave out the tasks and --judge.")


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
    """Tasks done, of all contestants, on a terminal; elsewhere each contestant's beginning and end."""

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
