"""`llm-advisor size`."""

from __future__ import annotations

from typing import Any

import click

from advisor import api
from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import complete_model_or_file, machine_options, output_options
from advisor.domain.argument_names import ArgumentNames
from advisor.domain.ladder import Ladder
from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.domain.sizing import Sizing
from advisor.service import MachineChoice
from advisor.units import format_bytes

_FLAGS = ArgumentNames(
    {
        "context_tokens": "--ctx",
        "parallel": "--parallel",
        "kv_type": "--kv-type",
        "gpu_layers": "--gpu-layers",
        "experts_in_ram": "--cpu-moe",
        "cache_on_gpu": "--no-kv-offload",
        "split_mode": "--split-mode",
        "ubatch": "--ubatch",
        "outputs": "--outputs",
        "flash_attention": "--no-flash-attn",
        "engine": "--engine",
        "gpu": "--gpu",
    }
)


@click.command("size", cls=Command)
@click.argument("target", metavar="MODEL|FILE.gguf|URL", shell_complete=complete_model_or_file)
@click.option("--quant", metavar="TYPE", default=DEFAULT_QUANTIZATION, show_default=True, help="File type of a model.")
@click.option("--ctx", "context_tokens", type=int, metavar="TOKENS", help="Context of all parallel requests together.")
@click.option("--parallel", type=int, metavar="N", default=1, show_default=True, help="Requests at the same time.")
@click.option(
    "--kv-type",
    metavar="TYPE",
    default="f16",
    show_default=True,
    help="Of the KV cache: f16, q8_0, q4_0; or keys/values.",
)
@click.option(
    "--gpu-layers", type=int, metavar="N", help="Layers on GPU, the output layer counted; by default all that fit."
)
@click.option("--cpu-moe", "experts_in_ram", is_flag=True, help="Keep the routed experts in system memory.")
@click.option(
    "--kv-offload/--no-kv-offload", "cache_on_gpu", default=True, show_default=True, help="KV cache beside its layer."
)
@click.option(
    "--split-mode",
    metavar="MODE",
    default="layer",
    show_default=True,
    help="Of several GPUs: layer shares layers out, none uses one.",
)
@click.option("--ubatch", type=int, metavar="N", help="Micro-batch; llama.cpp's default is 512.")
@click.option(
    "--outputs", type=int, metavar="N", help="Rows of logits in a micro-batch; by default all, as in llama.cpp."
)
@click.option(
    "--flash-attn/--no-flash-attn", "flash_attention", default=True, show_default=True, help="Flash attention."
)
@click.option("--engine", is_flag=True, help="Ask llama.cpp itself: a load without weights.")
@machine_options
@output_options
def command(
    target: str,
    quant: str,
    engine: bool,
    where: MachineChoice,
    as_json: bool,
    plain: bool,
    **request: Any,
) -> None:
    """Memory of a model or a GGUF file, per device.

    A file can be one of several parts, and can lie on a web server: only its header is read.

    \b
    llm-advisor size mistral-7b-instruct-v0.3 --quant Q4_K_M --ctx 32768
    llm-advisor size llama-3.3-70b-instruct --gpu "RTX 4090x2" --gpu-layers 81
    llm-advisor size ./model.gguf --kv-type q8_0 --engine
    """
    found = api.size(
        target, quant, engine=engine, gpu=where.gpu, ram=where.ram_bytes, machine=where.file, names=_FLAGS, **request
    )
    if as_json:
        output.emit_json(found.document)
    else:
        output.emit_facts([*_facts(found.value), *_ladder_facts(found.value.ladder)], plain=plain)


def _facts(sizing: Sizing) -> list[tuple[str, str]]:
    whole, placement = sizing.footprint, sizing.placement
    facts = [
        ("model", sizing.name),
        ("quantization", sizing.quantization),
        ("context", f"{placement.context_tokens:,} tokens"),
        ("weights", f"{format_bytes(whole.model_bytes)} ({whole.model_bytes:,} bytes)"),
        ("KV cache", f"{format_bytes(whole.kv_cache_bytes)} ({whole.kv_cache_bytes:,} bytes)"),
        ("compute buffer", f"{format_bytes(whole.compute_bytes)}, {whole.basis.value}"),
        ("output buffer", format_bytes(whole.output_bytes)),
        ("total", f"{format_bytes(whole.total_bytes)} ({whole.total_bytes:,} bytes)"),
    ]
    if len(whole.devices) > 1:
        facts.append(("layers on GPU", _layers(sizing)))
        for device in (*whole.devices[1:], whole.devices[0]):
            facts.append((device.name, format_bytes(device.total_bytes)))
    if sizing.repacked_bytes:
        text = f"{format_bytes(sizing.repacked_bytes)} of the weights are copied for this processor"
        facts.append(("repacked", f"{text}; the file's own pages of them can be evicted"))
    facts += [("differs", text) for text in sizing.differences]
    return facts + [("note", text) for text in sizing.notes]


def _layers(sizing: Sizing) -> str:
    per_gpu = sizing.placement.gpu_layers
    parts = " + ".join(str(n) for n in per_gpu)
    shares = f" ({parts})" if len(per_gpu) > 1 else ""
    output = " and the output" if sizing.placement.output_on_gpu else ""
    experts = ", experts in RAM" if sizing.placement.experts_in_ram else ""
    return f"{sum(per_gpu)} of {sizing.n_layers}{shares}{output}{experts}"


def _ladder_facts(found: Ladder | None) -> list[tuple[str, str]]:
    """How much further this machine would go, one thing at a time."""
    if found is None:
        return []
    context = "none" if found.context_tokens is None else f"{found.context_tokens:,} tokens per request"
    facts = [("longest context that fits", context)]
    if found.quantization is not None:
        facts.append(("best quantization that fits", found.quantization))
    slots = "none" if found.slots is None else f"{found.slots:,} with this context each"
    return [*facts, ("most requests that fit", slots)]
