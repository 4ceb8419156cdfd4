"""What the facade offers for trials on the user's own tasks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import paths
from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.errors import InputError
from advisor.files import is_there
from advisor.service.files_here import FilesHere
from advisor.text import harmless_json

if TYPE_CHECKING:
    from advisor.domain.local_files import LocalFile
    from advisor.domain.recommend import Recommendation
    from advisor.domain.trial.evidence import Evidence
    from advisor.domain.trial.outcome import Trial
    from advisor.domain.trial.report import Report
    from advisor.domain.trial.requests import TextRequest, TrialRequest
    from advisor.domain.trial.tasks import TaskSet
    from advisor.domain.trial.text_loss import TextComparison
    from advisor.trial.judging_session import JudgingSession
    from advisor.trial.running import OnProgress
    from advisor.trial.text import OnShare


class Trials(FilesHere):
    """The part of the facade that tries models on tasks."""

    def read_tasks(self, path: Path) -> TaskSet:
        """The tasks of a file. Raises InputError that names the first line that cannot be used."""
        from advisor.trial.reading import read_tasks

        return read_tasks(path)

    def trial(
        self,
        request: TrialRequest,
        *,
        folders: Iterable[Path] = (),
        on_progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> Trial:
        """Let every contestant answer every task; answers that are known already are not asked for again.

        Raises InputError for tasks, files and names that cannot be used, EngineError when cancelled (every answer so
        far is kept) and where llama.cpp is missing or runs none of the files.
        """
        from advisor.trial.pipeline import run_trial

        files = tuple(folders)
        return run_trial(
            request,
            self.read_tasks(request.tasks),
            lambda: self._contestants(request, files),
            self.machine,
            self._hashes,
            on_progress,
            cancel,
        )

    def local_picks(self, found: Recommendation, count: int, folders: Iterable[Path] = ()) -> tuple[str, ...]:
        """The best candidates of a recommendation that have a file here, one for each model. Raises InputError."""
        here = self.candidates_here(found, folders)
        best: dict[str, str] = {}
        for candidate in here:
            best.setdefault(candidate.partition(":")[0], candidate)
        if not best:
            hint = "Fetch one with: llm-advisor download MODEL"
            raise InputError("none of the recommended models has a file on this machine", hint=hint)
        return tuple(best.values())[:count]

    def trial_report(self, trial: Trial) -> Report:
        """Shares of right answers with intervals, differences with their significance, speeds."""
        from advisor.domain.trial.report import report

        return report(trial)

    def trial_document(self, trial: Trial) -> dict[str, Any]:
        """A trial as plain values."""
        from advisor.trial.documents import trial_document

        return trial_document(trial, self.trial_report(trial))

    def trial_text(self, trial: Trial) -> str:
        """A trial as a file that `recommend --trial` and blind judging read."""
        document = {"schema_version": 1, **self.trial_document(trial)}
        return harmless_json(json.dumps(document, ensure_ascii=False, indent=1)) + "\n"

    def trial_evidence(self, path: Path) -> tuple[Evidence, tuple[str, ...]]:
        """What a trial's file says of models of the catalogue, and notes. Raises InputError."""
        from advisor.trial.documents import read_evidence

        return read_evidence(path)

    def evidence_of(self, trial: Trial) -> tuple[Evidence, tuple[str, ...]]:
        """The same of a trial that was just made, as its file would say it. Raises InputError for an unfinished one."""
        from advisor.trial.documents import parse_evidence

        return parse_evidence(self.trial_text(trial).encode("utf-8"), "this trial")

    # ---------------------------------------------------------------- blind judging

    def keep_trial(self, trial: Trial) -> None:
        """Remember it as the last one, for blind judging. State that cannot be written is no reason to fail."""
        from advisor.files import write_atomically

        try:
            write_atomically(self.last_trial, self.trial_text(trial), overwrite=True)
        except InputError:
            return

    @property
    def last_trial(self) -> Path:
        """Where the last trial's result is kept."""
        return paths.state_dir() / "trials" / "last.json"

    def judging_session(
        self, result: Path | None = None, names: Sequence[str] = (), *, seed: int = 0
    ) -> JudgingSession:
        """Blind judging of two contestants of a result, the last one unless named; use it as a context manager.

        Raises InputError where there is nothing to judge.
        """
        from advisor.trial.documents import read_result
        from advisor.trial.judging_session import open_judging_session

        place = result or self.last_trial
        if result is None and not is_there(place):
            raise InputError("there is no trial yet", hint="Run one: llm-advisor trial TASKS.jsonl --file A --file B")
        file, _ = read_result(place)
        return open_judging_session(file, names, seed, paths.state_dir() / "trials")

    # ---------------------------------------------------------------- a text of the user's

    def compare_on_text(
        self, request: TextRequest, *, on_share: OnShare | None = None, cancel: threading.Event | None = None
    ) -> TextComparison:
        """How likely one or two files hold a text, and how far the second is from the first. Raises InputError for
        files and texts that cannot be used, EngineError where llama.cpp fails or it was cancelled."""
        from advisor.trial.text import compare_on_text

        return compare_on_text(request, self._file_index(), self._hashes, self.machine(), on_share, cancel)

    def text_document(self, found: TextComparison) -> dict[str, Any]:
        """The outcome as plain values."""
        from advisor.trial.text_documents import text_document

        return text_document(found)

    # ---------------------------------------------------------------- contestants

    def _contestants(self, request: TrialRequest, folders: tuple[Path, ...]) -> list[LocalFile]:
        """Files of the request, known by header. Raises InputError for one that cannot answer or is not here."""
        from advisor.trial.contestants import look_at

        index = self._file_index()
        found = [look_at(path, index) for path in request.files]
        for name in request.models:
            found.append(self._named(name, folders))
        if not found:
            hint = "Add --file A.gguf, --model MODEL:QUANT or --picks 2."
            raise InputError("nothing is on trial", hint=hint)
        return found

    def _named(self, name: str, folders: tuple[Path, ...]) -> LocalFile:
        wanted, _, quantization = name.partition(":")
        model = self.model(wanted)
        label = self.quantization_name(quantization or DEFAULT_QUANTIZATION)
        here = self.file_here(model.id, label, folders)
        if here is None:
            hint = f"Fetch it with: llm-advisor download {model.id} --quant {label}"
            raise InputError(f"no file of {model.id} in {label} is on this machine", hint=hint)
        return here
