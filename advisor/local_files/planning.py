"""Which file of which repository a download is for: the catalogue's row, held against what the Hub lists now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from advisor.domain.local_files import DownloadRequest
from advisor.domain.model import GgufFile, Model
from advisor.domain.upkeep.files import ListedFile, ListedModel, listed_models, quantization_label
from advisor.errors import InputError, NetworkError, nearest
from advisor.hub.listing import Repository, is_repository
from advisor.units import format_bytes


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What would be downloaded."""

    model: str
    quantization: str
    repo: str
    commit: str
    parts: tuple[ListedFile, ...]
    """Each with size and hash."""
    is_catalogued: bool
    """Whether the hash is the one that the catalogue records."""

    @property
    def n_bytes(self) -> int:
        return sum(part.n_bytes or 0 for part in self.parts)


def choose_row(model: Model, files: Sequence[GgufFile], request: DownloadRequest) -> GgufFile | None:
    """The catalogue's row for a request; None where only the named repository can tell.

    Raises InputError where the catalogue has no such file and no repository is named.
    """
    usable = [f for f in files if is_repository(f.repo) and request.repo in (None, f.repo)]
    row = best_row(usable, request.quantization)
    if row is not None:
        return row
    if request.repo is not None:
        return None
    raise _no_row(model, usable, request.quantization)


def best_row(files: Iterable[GgufFile], quantization: str) -> GgufFile | None:
    """The file on the Hub of which most is known, first of all its hash; None where no file is of the quantization."""
    wanted = quantization.casefold()
    rows = [f for f in files if f.quantization.casefold() == wanted and is_repository(f.repo)]
    return max(rows, key=lambda f: (bool(f.sha256), f.n_bytes is not None), default=None)


def _no_row(model: Model, usable: Sequence[GgufFile], wanted: str) -> InputError:
    labels = sorted({f.quantization for f in usable})
    if not labels:
        repos = model.ecosystem.gguf_repos
        known = f" Perhaps --repo {repos[0]}." if repos else ""
        hint = f"Name one with --repo owner/name, or read its list with: llm-advisor catalog refresh {model.id}.{known}"
        return InputError(f"no published GGUF files of {model.id} are in the catalogue", hint=hint)
    near = nearest(wanted.upper(), labels)
    listed = ", ".join(labels[:12]) + (" …" if len(labels) > 12 else "")
    return InputError(
        f"the catalogue lists no {wanted} of {model.id}",
        why=f"it has {listed}",
        hint=near or "Choose one of them, or name another repository with --repo.",
    )


def plan_download(model: Model, row: GgufFile | None, found: Repository, request: DownloadRequest) -> DownloadPlan:
    """The exact files. Raises NetworkError where the Hub lists another file than the catalogue or states no hash,
    InputError where the repository has none of the wanted quantization."""
    listed = listed_models(found.files)
    if row is None:
        entry, label = _by_label(listed, found.repo, request.quantization)
    else:
        entry, label = _by_row(model, row, listed), row.quantization
    for part in entry.parts:
        if part.n_bytes is None or part.sha256 is None:
            why = "the Hub states no size or no hash of it, so it could not be checked"
            raise NetworkError(f"{found.repo}/{part.name} is not downloaded", why=why, hint="Try another --repo.")
    return DownloadPlan(model.id, label, found.repo, found.commit, entry.parts, row is not None and bool(row.sha256))


def _by_row(model: Model, row: GgufFile, listed: Sequence[ListedModel]) -> ListedModel:
    refresh = f"Read the list anew with: llm-advisor catalog refresh {model.id}"
    entry = next((m for m in listed if m.file == row.file), None)
    if entry is None:
        raise NetworkError(f"{row.repo} no longer has {row.file}", hint=refresh)
    if row.sha256 and entry.sha256 and row.sha256 != entry.sha256:
        why = f"the catalogue records SHA-256 {row.sha256[0][:12]}…, the Hub lists {entry.sha256[0][:12]}…"
        raise NetworkError(f"{row.repo}/{row.file} was replaced since the catalogue was made", why=why, hint=refresh)
    if row.n_bytes is not None and entry.n_bytes is not None and row.n_bytes != entry.n_bytes:
        why = f"the catalogue records {format_bytes(row.n_bytes)}, the Hub lists {format_bytes(entry.n_bytes)}"
        raise NetworkError(f"{row.repo}/{row.file} was replaced since the catalogue was made", why=why, hint=refresh)
    return entry


def _by_label(listed: Sequence[ListedModel], repo: str, wanted: str) -> tuple[ListedModel, str]:
    labels = {m.file: quantization_label(m.file, "unknown") for m in listed}
    fitting = [m for m in listed if labels[m.file].casefold() == wanted.casefold()]
    if not listed:
        raise InputError(f"{repo} holds no GGUF files", hint="Choose a repository of quantized files.")
    if not fitting:
        known = ", ".join(sorted(set(labels.values())))
        raise InputError(f"{repo} has no {wanted}", why=f"it has {known}", hint="Choose one of them with --quant.")
    if len(fitting) > 1:
        names = ", ".join(m.file for m in fitting[:5])
        raise InputError(f"{repo} has several files of {wanted}", why=names, hint="Choose another --repo.")
    return fitting[0], labels[fitting[0].file]
