"""What the facade offers for model files of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import paths
from advisor.domain.local_files import DownloadRequest
from advisor.errors import InputError
from advisor.files import is_file, is_folder, read_bounded
from advisor.service.core import Core
from advisor.units import MIB
from advisor.values import value

if TYPE_CHECKING:
    from advisor.domain.local_files import LocalFile, LocalFiles
    from advisor.domain.matching import Index
    from advisor.domain.model import GgufFile
    from advisor.domain.recommend import Recommendation
    from advisor.local_files.downloading import Downloaded, OnTransfer
    from advisor.local_files.hashing import Hashes
    from advisor.local_files.planning import DownloadPlan

__all__ = ["DownloadOutcome", "DownloadRequest", "FilesHere"]


@value
class DownloadOutcome:
    """What became of a download: a file that was here already, a plan that was only asked for, or what came."""

    plan: DownloadPlan | None
    already_here: LocalFile | None = None
    downloaded: Downloaded | None = None
    folder: Path | None = None
    free_bytes: int | None = None


class FilesHere(Core):
    """The part of the facade that knows what lies on this machine and what can be fetched."""

    def local_files(
        self,
        folders: Iterable[Path] = (),
        *,
        hashed: bool = False,
        on_event: OnTransfer | None = None,
        cancel: threading.Event | None = None,
    ) -> LocalFiles:
        """Every GGUF in the folders and in the stores of other programs, held against the catalogue.

        `hashed` reads whole files. Raises InputError when that is cancelled; nothing else, whatever lies there.
        """
        from advisor.hub.model_folders import ModelFolder, model_folders
        from advisor.json_cache import JsonCache
        from advisor.local_files.finding import find_files

        # The name counts that is met first, and a file in the Hub's cache tells more about itself there.
        looked = [*model_folders(folders), *(ModelFolder("downloads", folder) for folder in self._download_folders())]
        kept = JsonCache(paths.cache_dir() / "files.json", self._files_basis())
        return find_files(
            looked, self._file_index, kept, self._hashes, hashed=hashed, on_event=on_event, cancel=cancel
        )  # fmt: skip

    def file_here(self, model_id: str, quantization: str, folders: Iterable[Path] = ()) -> LocalFile | None:
        """A file of this machine that can run a model in a quantization."""
        return self.local_files(folders).of(model_id, quantization)

    def candidates_here(self, found: Recommendation, folders: Iterable[Path] = ()) -> dict[str, LocalFile]:
        """Candidates of a recommendation that have a file on this machine, by id, best first."""
        here = self.local_files(folders)
        pairs = ((c.id, here.of(c.model.id, c.quantization.name)) for c in found.quantizations)
        return {candidate: file for candidate, file in pairs if file is not None}

    def candidates_here_document(self, found: Recommendation, folders: Iterable[Path] = ()) -> list[dict[str, Any]]:
        """Candidates with a file on this machine as plain values."""
        here = self.candidates_here(found, folders)
        return [{"candidate": name, "path": _text(file.path), "place": file.place} for name, file in here.items()]

    def local_files_document(self, found: LocalFiles) -> dict[str, Any]:
        """What was found as plain values."""
        return {
            "files": [_plain(file) for file in found.files],
            "searched": [{"place": place, "folder": _text(folder)} for place, folder in found.searched],
            "notes": [_text(note) for note in found.notes],
        }

    def published_file(self, name: str, request: DownloadRequest) -> GgufFile | None:
        """The file that `download` would bring, as far as the catalogue knows it. Asks nobody.

        Raises InputError where the catalogue has no such file.
        """
        from advisor.local_files.planning import choose_row

        model = self.model(name)
        return choose_row(model, self.gguf_files(model), request)

    def download(
        self,
        name: str,
        request: DownloadRequest,
        *,
        folder: Path | None = None,
        again: bool = False,
        dry_run: bool = False,
        on_event: OnTransfer | None = None,
        cancel: threading.Event | None = None,
    ) -> DownloadOutcome:
        """Bring the published file of a model here, into the Hugging Face cache or a folder.

        A file of it that is here already is told instead, unless a folder is named or `again` is set.
        Raises InputError for an unknown name, a quantization that is not published and too little disk space,
        NetworkError where the Hub or the network fails, when cancelled, and where HF_HUB_OFFLINE forbids to ask.
        """
        from advisor.hub.access import hub_access
        from advisor.local_files.downloading import check_folder, destination_for, download, plan_of
        from advisor.local_files.planning import choose_row
        from advisor.probe.disk import read_disk_free

        check_folder(folder)
        model = self.model(name)
        row = choose_row(model, self.gguf_files(model), request)
        if folder is None and not again and row is not None and request.repo is None:
            here = self.file_here(model.id, row.quantization)
            if here is not None:
                return DownloadOutcome(None, already_here=here)
        access = hub_access()
        plan = plan_of(model, row, request, access, on_event, cancel)
        destination = destination_for(plan, folder, paths.cache_dir() / "locks")
        if dry_run:
            return DownloadOutcome(plan, folder=destination.folder, free_bytes=read_disk_free(destination.folder).value)
        done = download(plan, destination, access, on_event, cancel)
        for path, part in zip(done.paths, plan.parts, strict=True):
            self._hashes.remember(path, str(part.sha256))
        if folder is not None:
            self._remember_folder(folder)
        return DownloadOutcome(plan, downloaded=done, folder=destination.folder)

    def download_document(self, found: DownloadOutcome) -> dict[str, Any]:
        """What became of a download as plain values."""
        plan, here, done = found.plan, found.already_here, found.downloaded
        return {
            "status": "already here" if here else "downloaded" if done else "planned",
            "model": plan.model if plan else here.match.model if here and here.match else None,
            "quantization": plan.quantization if plan else here.quantization if here else None,
            "repo": plan.repo if plan else None,
            "commit": plan.commit if plan else None,
            "files": [{"file": p.name, "n_bytes": p.n_bytes, "sha256": p.sha256} for p in plan.parts] if plan else [],
            "n_bytes": plan.n_bytes if plan else here.n_bytes if here else None,
            "paths": [_text(str(path)) for path in done.paths] if done else [_text(here.path)] if here else [],
            "received_bytes": done.n_received if done else 0,
            "folder": None if found.folder is None else str(found.folder),
            "free_bytes": found.free_bytes,
        }

    # ---------------------------------------------------------------- what is remembered

    @cached_property
    def _hashes(self) -> Hashes:
        from advisor.json_cache import JsonCache
        from advisor.local_files.hashing import Hashes

        return Hashes(JsonCache(paths.cache_dir() / "hashes.json", ""))

    def _file_index(self) -> Index:
        from advisor.catalog.loader import load_all_gguf_files
        from advisor.domain.matching import index_of
        from advisor.domain.upkeep.files import joined_files

        models = self.catalogue.models
        ids = [model.id for model in models]
        files = load_all_gguf_files(self.knowledge, ids)
        try:
            own = load_all_gguf_files(self.overlay, ids)
        except InputError as error:
            own = {}
            self._refuse(error)
        return index_of(models, {m: joined_files(files.get(m, ()), own.get(m, ())) for m in ids})

    def _files_basis(self) -> str:
        """What an identification rests on beside the file: the catalogue and the lists of published files."""
        digest = sha256(self.catalogue.sha256.encode())
        folders = [folder for folder in (self.knowledge / "gguf", self.overlay / "gguf") if is_folder(folder)]
        for folder in folders:
            for path in sorted(filter(is_file, folder.glob("*.toml"))):
                status = path.stat()
                digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _download_folders(self) -> Sequence[Path]:
        try:
            lines = read_bounded(paths.state_dir() / "download-folders.txt", MIB).decode("utf-8").splitlines()
        except (InputError, ValueError):
            return ()
        return [Path(line) for line in lines if line]

    def _remember_folder(self, folder: Path) -> None:
        """Later searches look there too. State that cannot be written is no reason to fail a download."""
        from advisor.files import write_atomically

        lines = dict.fromkeys([*map(str, self._download_folders()), str(folder.absolute())])
        try:
            text = "".join(f"{line}\n" for line in list(lines)[-50:])
            write_atomically(paths.state_dir() / "download-folders.txt", text, overwrite=True)
        except InputError:
            return


def _plain(file: LocalFile) -> dict[str, Any]:
    document = asdict(file)
    return {key: list(value) if isinstance(value, tuple) else _text(value) for key, value in document.items()}


def _text(value: Any) -> Any:
    """Names of files need not be text: what is none is written as escapes."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value
