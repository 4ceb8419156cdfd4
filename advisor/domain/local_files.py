"""GGUF files on this machine: what each is, and which model of the catalogue in which quantization."""

from __future__ import annotations

from typing import Literal

from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.values import value

Kind = Literal["model", "projector", "adapter", "vocabulary", "unusable"]
Evidence = Literal["hash", "published file", "name and shape"]

EVIDENCE_WORDS: dict[Evidence, str] = {
    "hash": "by its hash",
    "published file": "by name and exact size of the published file",
    "name and shape": "by its name and shape",
}


@value
class Match:
    """A model of the catalogue in a quantization, and what says that a file is it."""

    model: str
    quantization: str
    evidence: Evidence
    repo: str | None = None
    """The repository of the published file, where one of the catalogue's was recognised."""


@value
class LocalFile:
    """One GGUF on this machine, split ones as a whole."""

    path: str
    """Of the first part."""
    place: str
    """Whose folder it lies in: `Ollama`, `LM Studio` …"""
    label: str
    """What that program calls it: a tag, a repository with a file, or the file's name."""
    kind: Kind
    n_bytes: int
    n_parts: int = 1
    architecture: str | None = None
    quantization: str | None = None
    tensor_bytes: int | None = None
    has_tokenizer: bool | None = None
    sha256: tuple[str, ...] = ()
    hash_basis: Literal["computed", "stated"] | None = None
    """Whether the hash was computed here from the content, or is what the folder's owner calls the file."""
    match: Match | None = None
    alike: tuple[str, ...] = ()
    """Models of the catalogue with the same shape, where none matches: perhaps what it was tuned from."""
    reason: str | None = None
    """Why the file cannot be used, or why it matches nothing."""

    @property
    def evidence_text(self) -> str | None:
        """What says that the file is the model it matches; None where it matches none."""
        if self.match is None:
            return None
        if self.match.evidence == "hash" and self.hash_basis == "stated":
            return "by the hash that it is stored under"
        return EVIDENCE_WORDS[self.match.evidence]

    @property
    def is_runnable(self) -> bool:
        """Whether llama.cpp can answer with it: a whole model that brings its tokenizer."""
        return self.kind == "model" and self.has_tokenizer is True


@value
class LocalFiles:
    """What was found, and where nobody could look."""

    files: tuple[LocalFile, ...]
    """Models first, then by place and path."""
    searched: tuple[tuple[str, str], ...]
    """Place and folder, whether or not the folder exists."""
    notes: tuple[str, ...] = ()
    """Folders that could not be read, limits that were reached."""

    def of(self, model_id: str, quantization: str) -> LocalFile | None:
        """A file that can run this model in this quantization; the surest evidence first."""
        order = list(EVIDENCE_WORDS)
        found = [
            f for f in self.files
            if f.is_runnable and f.match and (f.match.model, f.match.quantization) == (model_id, quantization)
        ]  # fmt: skip
        return min(found, key=lambda f: (order.index(f.match.evidence) if f.match else 9, f.path), default=None)


@value
class DownloadRequest:
    """What was asked for."""

    quantization: str = DEFAULT_QUANTIZATION
    """A label of the model's published files, such as `Q4_K_M`, `UD-Q4_K_XL` or `mmproj`."""
    repo: str | None = None
    """Another repository than the catalogue's."""
