"""`llm-advisor size`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.options import machine_choice, machine_options, output_options
from advisor.domain.sizing import SizeRequest, Sizing
from advisor.service import Advisor
from advisor.units import format_bytes


@click.command("size")
@click.argument("target", metavar="MODEL|FILE.gguf")
@click.option("--quant", metavar="TYPE", default="Q4_K_M", show_default=True, help="File type of a model.")
@click.option("--ctx", "context", type=int, metavar="TOKENS", help="Context of all parallel requests together.")
@click.option("--parallel", type=int, default=1, show_default=True, help="Requests at the same time.")
@click.option("--kv-type", default="f16", show_default=True, help="Type of the KV cache: f16, q8_0 or q4_0.")
@click.option("--gpu-layers", type=int, default=0, show_default=True, help="Layers on GPU, the output layer included.")
@click.option("--ubatch", type=int, help="Micro-batch; llama.cpp's default is 512.")
@click.option("--flash-attn/--no-flash-attn", default=True, show_default=True, help="Flash attention.")
@machine_options
@output_options
def command(
    target: str,
    quant: str,
    context: int | None,
    parallel: int,
    kv_type: str,
    gpu_layers: int,
    ubatch: int | None,
    flash_attn: bool,
    gpu: str | None,
    ram: int | None,
    machine_file: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Memory of a model or a GGUF file, per device.

    \b
    llm-advisor size mistral-7b-instruct-v0.3 --quant Q4_K_M --ctx 32768
    llm-advisor size llama-3.3-70b-instruct --gpu "RTX 4090x2" --gpu-layers 81
    llm-advisor size ./model.gguf --kv-type q8_0
    """
    request = SizeRequest(
        context_tokens=context,
        parallel=parallel,
        kv_type=kv_type,
        gpu_layers=gpu_layers,
        ubatch=ubatch,
        flash_attention=flash_attn,
    )
    advisor = Advisor()
    sizing = advisor.size(target, quant, request, machine_choice(gpu, ram, machine_file))
    if as_json:
        output.emit_json(advisor.size_document(sizing))
    else:
        output.emit_facts(_facts(sizing), plain=plain)


def _facts(sizing: Sizing) -> list[tuple[str, str]]:
    whole = sizing.footprint
    facts = [
        ("model", sizing.name),
        ("quantization", sizing.quantization),
        ("context", f"{sizing.placement.context_tokens:,} tokens"),
        ("weights", f"{format_bytes(whole.model_bytes)} ({whole.model_bytes:,} bytes)"),
        ("KV cache", f"{format_bytes(whole.kv_cache_bytes)} ({whole.kv_cache_bytes:,} bytes)"),
        ("compute buffer", f"{format_bytes(whole.compute_bytes)}, {whole.basis.value}"),
        ("output buffer", format_bytes(whole.output_bytes)),
        ("total", f"{format_bytes(whole.total_bytes)} ({whole.total_bytes:,} bytes)"),
    ]
    for device in whole.devices[1:] if len(whole.devices) > 1 else ():
        facts.append((device.name, format_bytes(device.total_bytes)))
    if len(whole.devices) > 1:
        facts.append((whole.devices[0].name, format_bytes(whole.devices[0].total_bytes)))
    return facts + [("differs", text) for text in sizing.differences]
