"""The published files of models, brought up to date from the Hub into the user's overlay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from advisor._toml import parse_toml
from advisor.catalog.loader import load_gguf_files
from advisor.catalog.schema import GgufLineFile
from advisor.catalog.validation import validate
from advisor.domain.header import quantization_of
from advisor.domain.model import GgufFile, Model
from advisor.domain.upkeep.files import (
    FileChange,
    ListedModel,
    file_changes,
    joined_files,
    listed_models,
    quantization_label,
)
from advisor.errors import AdvisorError, InputError, NetworkError
from advisor.export.upkeep import file_list_toml
from advisor.files import write_atomically
from advisor.gguf.split import read_remote_model
from advisor.hub.access import HubAccess
from advisor.hub.http_errors import HubBusy, HubUnreachable
from advisor.hub.listing import Repository, is_repository, list_repository
from advisor.hub.opening import HubOpener, file_url
from advisor.hub.retry import RetryPolicy

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A repository, or the rest of one, that could not be refreshed."""

    model: str
    repo: str
    error: AdvisorError


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What changed, what was kept and what failed."""

    changes: tuple[FileChange, ...]
    written: tuple[Path, ...]
    """The user's files that were written; empty for a dry run."""
    failures: tuple[Failure, ...]
    n_repos: int
    """Repositories that were asked for."""
    n_skipped: int
    """Repositories that were not asked for any more after the Hub stopped answering."""


def refresh(
    models: Sequence[Model],
    knowledge: Path,
    overlay: Path,
    access: HubAccess,
    today: date,
    *,
    dry_run: bool,
    say: Say,
    retry: RetryPolicy,
) -> Refreshed:
    """Ask the Hub for every repository of the models and write what it says, model by model.

    A failure leaves what is known of its repository as it was. Raises InputError where a file cannot be written.
    """
    run = _Run(knowledge, overlay, access, today, dry_run, say, retry)
    for model in models:
        run.refresh(model)
    return Refreshed(tuple(run.changes), tuple(run.written), tuple(run.failures), run.n_repos, run.n_skipped)


def repositories(model: Model, files: Sequence[GgufFile]) -> tuple[str, ...]:
    """Repositories of the Hub that hold files of a model; an entry that names none may hold them itself."""
    named = dict.fromkeys([*model.ecosystem.gguf_repos, *(file.repo for file in files)])
    found = tuple(repo for repo in named if is_repository(repo))
    return found or ((model.hf_id,) if model.overlay is not None else ())


@dataclass
class _Run:
    knowledge: Path
    overlay: Path
    access: HubAccess
    today: date
    dry_run: bool
    say: Say
    retry: RetryPolicy
    changes: list[FileChange] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    n_repos: int = 0
    n_skipped: int = 0
    is_over: bool = False
    """The Hub does not answer any more."""

    def refresh(self, model: Model) -> None:
        """One model: ask, compare, write."""
        shipped = load_gguf_files(self.knowledge, model.id)
        own = self._own(model)
        before = joined_files(shipped, own)
        after = {repo: [f for f in own if f.repo == repo] for repo in dict.fromkeys(f.repo for f in own)}
        is_fresh = False
        for repo in repositories(model, before):
            rows = self._ask(model, repo, [f for f in before if f.repo == repo])
            if rows is not None:
                after[repo], is_fresh = rows, True
        mine = [row for rows in after.values() for row in rows]
        self.changes += file_changes(model.id, before, joined_files(shipped, mine))
        if is_fresh and not self.dry_run:
            self._write(model, mine)

    def _own(self, model: Model) -> tuple[GgufFile, ...]:
        """What the user's list says now; one that cannot be read is made anew."""
        try:
            return load_gguf_files(self.overlay, model.id)
        except InputError as error:
            self.say(f"{error}. It is replaced.")
            return ()

    def _ask(self, model: Model, repo: str, known: list[GgufFile]) -> list[GgufFile] | None:
        """The rows of a repository, complete or not; None where nothing new was learned."""
        if self.is_over:
            self.n_skipped += 1
            return None
        self.n_repos += 1
        rows: list[GgufFile] = []
        listed: tuple[ListedModel, ...] = ()
        try:
            found = self.retry.ask(lambda: list_repository(self.access, repo))
            listed = listed_models(found.files)
            if not listed:
                hint = "Correct gguf_repos in an entry of your own; docs/catalogue.md says how."
                raise NetworkError(f"{repo} holds no GGUF files", hint=hint)
            self.say(f"{model.id}: {repo} lists {len(listed)} GGUF files")
            rows += self._rows(model, found, listed, known)
        except NetworkError as error:
            self._fail(model, repo, error)
        if not rows:
            return None
        done = {row.file for row in rows}
        waiting = {entry.file for entry in listed} - done
        return [*rows, *(file for file in known if file.file in waiting)]

    def _rows(
        self, model: Model, found: Repository, listed: Sequence[ListedModel], known: Sequence[GgufFile]
    ) -> Iterator[GgufFile]:
        by_name = {file.file: file for file in known}
        open_url = HubOpener(self.access, found.repo, self.retry)
        source = f"Hugging Face Hub, {found.repo}@{found.commit}"
        for entry in listed:
            row = GgufFile(
                repo=found.repo,
                file=entry.file,
                quantization="unknown",
                n_parts=len(entry.parts),
                n_bytes=entry.n_bytes,
                tensor_bytes=None,
                sha256=entry.sha256,
                source=source,
                checked=self.today.isoformat(),
            )
            same = by_name.get(entry.file)
            if same is not None and same.tensor_bytes is not None and entry.sha256 and same.sha256 == entry.sha256:
                # The same content has the same header.
                yield replace(row, quantization=same.quantization, tensor_bytes=same.tensor_bytes)
                continue
            url = file_url(self.access, found.repo, entry.file, found.commit)
            try:
                header = read_remote_model(url, open_url=open_url)
            except InputError as error:
                self._fail(model, found.repo, error)  # one broken file says nothing of the others
                continue
            label = quantization_label(entry.file, quantization_of(header.metadata))
            yield replace(row, quantization=label, tensor_bytes=header.tensor_bytes)

    def _fail(self, model: Model, repo: str, error: AdvisorError) -> None:
        self.failures.append(Failure(model.id, repo, error))
        self.is_over = isinstance(error, HubUnreachable) or (isinstance(error, HubBusy) and error.is_limit)

    def _write(self, model: Model, files: Sequence[GgufFile]) -> None:
        path = self.overlay / "gguf" / f"{model.id}.toml"
        text = file_list_toml(model.id, files)
        # What the Hub says is foreign: nothing is written that could not be read again.
        validate(GgufLineFile, parse_toml(text, name=str(path)), name=str(path))
        write_atomically(path, text, overwrite=True)
        self.written.append(path)
