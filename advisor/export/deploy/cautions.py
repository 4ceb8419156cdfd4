"""What somebody must know before relying on files that serve a recommendation."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.domain.capacity.plan import ServingPlan
from advisor.export.deploy.serving import GgufSource, Replicas
from advisor.export.report.contents import Recorded


def cautions_of(
    recorded: Recorded,
    notes: Sequence[str],
    replicas: Replicas,
    plan: ServingPlan | None,
    gguf: GgufSource | None,
    *,
    scales: bool,
) -> list[str]:
    """Sentences without their stop; `notes` are the catalogue's on the original weights."""
    pick = recorded.file.recommendation
    found = [*_on_copies(replicas, scales=scales)]
    if gguf is not None and gguf.file is None:
        found.append(f"nobody looked whether {gguf.repo} holds a {pick.quantization} file, or which; no hash is known")
    elif gguf is not None and gguf.repo is not None and not gguf.sha256:
        found.append("no hash of the weights is published in the catalogue, so what is downloaded is not checked")
    if plan is not None and plan.replica.engine == "vllm":
        found.append(f"vLLM runs the original weights, not the {pick.quantization} file that was recommended")
        found += [note.rstrip(".") for note in notes]
    if plan is not None and plan.node is not None:
        return [*found, f"planned for nodes of the kind {plan.node.name} ({plan.node.count} × {plan.node.gpu.name})"]
    if recorded.file.machine.simulated:
        found.append("made for a machine that was described, not probed: check threads, memory and GPUs where it runs")
    return [*found, *pick.warnings]


def _on_copies(replicas: Replicas, *, scales: bool) -> list[str]:
    if replicas.needed is None:
        return ["how many copies the load needs is unknown, because no speed is known for the recorded machine"]
    if not replicas.is_short:
        return []
    about, how = ("about ", " (a rough count; llm-advisor plan simulates it)") if replicas.is_rough else ("", "")
    need = f"the load needs {about}{replicas.needed} copies like this one{how}, and these files run {replicas.count}"
    if scales:
        return [need]
    n = replicas.per_machine
    where = "run it on as many machines" if n == 1 else f"run as many, {n} on a machine,"
    return [f"{need}; {where} behind a load balancer, or export --to kubernetes"]
