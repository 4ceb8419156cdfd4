"""`llm-advisor files`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import models_dir_option, output_options
from advisor.cli.transfer_progress import TransferProgress
from advisor.domain.local_files import LocalFile
from advisor.service import Advisor
from advisor.units import format_bytes

_COLUMNS = ("model", "quant", "size", "how known", "place", "path")


@click.command("files", cls=Command)
@models_dir_option
@click.option("--hash", "hashed", is_flag=True, help="Read whole files to know them by their SHA-256; remembered.")
@output_options
def command(folders: tuple[Path, ...], hashed: bool, as_json: bool, plain: bool) -> None:
    """GGUF files on this machine, and which model of the catalogue in which quantization each is.

    Looks in the Hugging Face cache, Ollama's store, LM Studio's folders, llama.cpp's cache, the folders of
    LLM_ADVISOR_MODELS_DIR and those that were downloaded to. Uses no network.

    \b
    llm-advisor files
    llm-advisor files --models-dir /data/models --hash
    """
    advisor = Advisor()
    with TransferProgress() as progress:
        found = advisor.local_files(folders, hashed=hashed, on_event=progress)
    if as_json:
        output.emit_json(advisor.local_files_document(found))
        return
    for text in found.notes:
        note(text)
    if not found.files and not plain:
        note("no GGUF files in " + ", ".join(folder for _, folder in found.searched))
        return
    output.emit_table(_COLUMNS, [_row(file) for file in found.files], plain=plain, numeric=(2,))


def _row(file: LocalFile) -> tuple[str, ...]:
    path = file.path if file.n_parts == 1 else f"{file.path} (first of {file.n_parts} parts)"
    where = file.place if file.label in file.path else f"{file.place}: {file.label}"
    return (_name(file), file.quantization or "unknown", format_bytes(file.n_bytes), _known(file), where, path)


def _name(file: LocalFile) -> str:
    if file.match is not None:
        return file.match.model
    return "unknown" if file.kind == "model" else file.kind


def _known(file: LocalFile) -> str:
    text = file.evidence_text or file.reason or ""
    if file.alike and file.match is None:
        text += f": {', '.join(file.alike[:3])}"
    if file.kind == "model" and file.has_tokenizer is False:
        text += "; it has no tokenizer, so it cannot be run alone"
    return text
