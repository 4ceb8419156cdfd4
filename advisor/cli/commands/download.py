"""`llm-advisor download`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import complete_model, output_options
from advisor.cli.transfer_progress import TransferProgress
from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.service import Advisor, DownloadOutcome, DownloadRequest
from advisor.units import format_bytes


@click.command("download", cls=Command)
@click.argument("model", shell_complete=complete_model)
@click.option("--quant", metavar="TYPE", default=DEFAULT_QUANTIZATION, show_default=True, help="File type, or mmproj.")
@click.option("--repo", metavar="OWNER/NAME", help="A repository of the Hub; the catalogue's by default.")
@click.option("--to", "folder", type=click.Path(path_type=Path), metavar="DIR", help="A folder in place of the cache.")
@click.option("--again", is_flag=True, help="Download although a file of it is here already.")
@click.option("--dry-run", is_flag=True, help="Ask the Hub for name, size and hash, and download nothing.")
@output_options
def command(
    model: str,
    quant: str,
    repo: str | None,
    folder: Path | None,
    again: bool,
    dry_run: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Download a model's published GGUF file, checked against its SHA-256, into the Hugging Face cache or a folder.

    A download that broke off goes on where it stopped. This is one of the few commands that use the network;
    HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE are honoured. Exit code 5 where the network fails, 2 where the
    disk has too little room.

    \b
    llm-advisor download llama-3.2-3b-instruct --quant Q8_0
    llm-advisor download mistral-7b-instruct-v0.3 --to /data/models --dry-run
    """
    advisor = Advisor()
    with TransferProgress() as progress:
        found = advisor.download(
            model, DownloadRequest(quant, repo), folder=folder, again=again, dry_run=dry_run, on_event=progress
        )
    if as_json:
        output.emit_json(advisor.download_document(found))
    else:
        output.emit_facts(_facts(found), plain=plain)
    if found.already_here is not None:
        note("nothing was downloaded: it is already here; --again downloads the published file all the same")
    elif dry_run:
        note("nothing was downloaded: --dry-run")


def _facts(found: DownloadOutcome) -> list[tuple[str, str]]:
    here, plan, done = found.already_here, found.plan, found.downloaded
    if here is not None:
        return [("already here", here.path), ("place", here.place), ("size", format_bytes(here.n_bytes))]
    if plan is None:
        return []
    facts = [
        ("model", plan.model),
        ("quantization", plan.quantization),
        ("repository", f"{plan.repo} at {plan.commit}"),
        ("size", f"{format_bytes(plan.n_bytes)} ({plan.n_bytes:,} bytes)"),
    ]
    for part in plan.parts:
        facts.append(("file", part.name))
        facts.append(("SHA-256", f"{part.sha256}{_origin(plan.is_catalogued)}"))
    if done is None:
        free = "unknown" if found.free_bytes is None else format_bytes(found.free_bytes)
        return [*facts, ("would go to", str(found.folder)), ("free there", free)]
    facts += [("path", str(path)) for path in done.paths]
    rate = f" in {done.seconds:.1f} s" if done.n_received else ""
    return [*facts, ("received", f"{format_bytes(done.n_received)}{rate}, hash checked")]


def _origin(is_catalogued: bool) -> str:
    return ", as the catalogue records it" if is_catalogued else ", as the Hub states it"
