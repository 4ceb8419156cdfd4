"""Write docs/plan.md: what `plan` computes, and one worked example with its real output.

Run it from the repository: `python -m benchmarks.worked_plan`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from advisor.domain.capacity.here import REQUESTS
from advisor.files import write_atomically
from benchmarks.speed_rows import HERE

ROOT = HERE.parent
PAGE = ROOT / "docs" / "plan.md"
NEEDS, MACHINE = "docs/plan/needs.toml", "docs/plan/machine.toml"
RECOMMEND = f"llm-advisor recommend --constraints {NEEDS} --machine {MACHINE} -n 3 --plain"
PLAN = f"llm-advisor plan --constraints {NEEDS} --machine {MACHINE} -n 8"
SWEEP = f"llm-advisor plan --constraints {NEEDS} --machine {MACHINE} --sweep --plain"
RECORD = f"llm-advisor recommend --constraints {NEEDS} --machine {MACHINE} -o recommendation.toml --plain"
EXPORTS = (
    (
        'llm-advisor export recommendation.toml --to kubernetes --engine vllm --node "H100 server" -o deploy --plain',
        "The cheapest plan for vLLM on Kubernetes: Deployment, Service, autoscaler, disruption budget, storage.",
    ),
    (
        'llm-advisor export recommendation.toml --to ray-serve --node "H100 server" -o deploy --plain',
        "The same on a Ray cluster, with Ray Serve LLM.",
    ),
)
"""Commands that turn the plan into files, and what each writes; the page shows them under "From plan to files"."""
DEPLOY = ROOT / "docs" / "plan" / "deploy"

TEMPLATE = HERE / "data" / "plan_page.md"

_KEYS = {
    "basis": "`estimated`",
    "model": "id, hf_id, licence, file type for llama.cpp, context of one request",
    "load": "where it comes from, users, mean and peak requests per second, tokens per request and per second",
    "survives": "what may be lost: `replica` or `machine`",
    "targets": "percentile, first token, tokens per second of one request; `null` where there is no limit",
    "cheapest": "index into `plans` of the cheapest plan of each engine, or `null`",
    "refused": "engine, machine (`null`: any), code and reason for everything that cannot be planned",
    "plans[].engine": "`llama.cpp` or `vllm`",
    "plans[].machine": "name, GPU, GPUs, system memory, and whether it is the machine at hand",
    "plans[].quantization": "llama.cpp's file type, or `BF16` or `FP8` of the original weights",
    "plans[].replicas": "with the spare ones",
    "plans[].replicas_needed": "that carry the peak within the targets",
    "plans[].replicas_spare": "beyond those",
    "plans[].replicas_lost_with_a_machine": "that stop when one machine does",
    "plans[].replicas_per_machine": "0 where a replica takes several machines",
    "plans[].machines": "of this kind",
    "plans[].gpus": "of all machines",
    "plans[].gpus_per_replica": "0 on a processor",
    "plans[].tensor_parallel": "GPUs that share each layer",
    "plans[].pipeline_parallel": "machines that hold a share of the layers each",
    "plans[].slots": "of a replica: `--parallel` or `--max-num-seqs`",
    "plans[].requests_at_once": "of the largest size, on a replica: the slots, or what vLLM's cache holds",
    "plans[].slots_limited_by": "`memory`, `engine`, or `load` where more would be slower than asked",
    "plans[].cache_tokens": "of vLLM's paged cache; `null` for llama.cpp",
    "plans[].batch_tokens": "of one step: `--batch-size` or `--max-num-batched-tokens`",
    "plans[].context_tokens": "of one request; llama.cpp's `--ctx-size` is this times the slots",
    "plans[].weights_bytes": "of a replica",
    "plans[].kv_cache_bytes": "of a replica",
    "plans[].cost_usd_hour": "of all machines",
    "plans[].price": "of one machine and hour, with source and date; with `price_reason` where unknown",
    "plans[].ttft_ms": "first token: p50, p95, p99, with the spare replicas lost",
    "plans[].tpot_ms": "time per output token, likewise",
    "plans[].wait_ms": "wait for a slot, likewise",
    "plans[].answer_tokens_per_s": "of all needed replicas",
    "plans[].requests_in_flight": "mean, by Little's law",
    "plans[].utilisation": "share of what no schedule exceeds",
    "plans[].breaks_first": "`kv_memory`, `decode_bandwidth`, `prefill_compute` or `queue`",
    "plans[].replica_requests_per_s": "the highest rate at which the targets hold",
    "plans[].bound": "what no schedule exceeds, Erlang's wait, a request alone, one reading of the weights",
    "plans[].one_machine": "peak rate and users at which the targets break on one machine",
    "plans[].growth": "replicas, machines, GPUs and cost at 1, 2, 5 and 10 times the users",
    "plans[].notes": "what else to know",
}


def page(keep: Path | None = None) -> str:
    """The whole page, with the output of the commands as they print it today; `keep` is a folder for exported files."""
    document = json.loads(_output(f"{PLAN} --json --engine vllm"))
    found = {key for key in document if key not in ("plans", "schema_version")}
    found |= {f"plans[].{key}" for plan in document["plans"] for key in plan if key != "price_reason"}
    missing = found ^ set(_KEYS)
    assert not missing, f"keys of the document and of this page differ: {sorted(missing)}"
    n_rows, error = _published()
    return TEMPLATE.read_text("utf-8").format(
        needs=(ROOT / NEEDS).read_text("utf-8"),
        recommend_command=RECOMMEND,
        recommend=_output(RECOMMEND),
        plan_command=PLAN,
        plan=_output(PLAN),
        sweep_command=SWEEP,
        sweep=_output(SWEEP),
        files=_files(keep),
        n_simulated=REQUESTS,
        n_rows=n_rows,
        error=error,
        keys="\n".join(f"| `{key}` | {text} |" for key, text in _KEYS.items()),
    )


def _files(keep: Path | None = None) -> str:
    """The commands that write files from the plan, with what they print; `keep` is a folder for the files."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "docs").symlink_to(ROOT / "docs")
        _output(RECORD, folder)
        shown = "".join(f"{what}\n\n```\n$ {command}\n{_output(command, folder)}```\n\n" for command, what in EXPORTS)
        if keep is not None:
            shutil.rmtree(keep, ignore_errors=True)
            shutil.copytree(Path(folder) / "deploy", keep)
    return f"## From plan to files\n\nThe files lie in docs/plan/deploy.\n\n```\n$ {RECORD}\n```\n\n{shown}"


def _published() -> tuple[str, str]:
    """Rows and median error of all engines, from the table that `benchmarks.serving` printed."""
    lines = (HERE / "serving.md").read_text("utf-8").splitlines()
    cells = next(line for line in lines if line.startswith("| all | all |")).split("|")
    return cells[3].strip(), cells[4].strip()


def _output(command: str, folder: str | Path = ROOT) -> str:
    """Standard output of a command, with a configuration directory that holds nothing."""
    with tempfile.TemporaryDirectory() as empty:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path, "LLM_ADVISOR_CONFIG_DIR": empty, "COLUMNS": "160"}
        arguments = [sys.executable, "-m", "advisor", *shlex.split(command)[1:]]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    return done.stdout


def main() -> int:
    """Write the page."""
    write_atomically(Path(PAGE), page(DEPLOY), overwrite=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
