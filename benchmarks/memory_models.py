"""Six models at 8k and 32k tokens: our total, llama.cpp's own, and what other tools say.

Usage: python -m benchmarks.memory_models

Needs llama-cpp-python. The other tools' figures were taken on 2026-11-23 with their current releases: llmfit 1.1.17,
whichllm and llamafit 0.1.1, all for the processor.
"""

from __future__ import annotations

from advisor.catalog.loader import load_catalogue
from advisor.domain.footprint import footprint
from advisor.domain.placement import cpu_placement
from advisor.domain.weights import blueprint, weights
from advisor.engine.client import EngineClient
from advisor.engine.figures import engine_footprint
from advisor.engine.operations import size_blueprint
from advisor.engine.placement import context_params
from advisor.paths import knowledge_dir
from advisor.units import GIB

OTHERS = {
    ("mistral-7b-instruct-v0.3", 8192): (5.70, 5.93, 8.67),
    ("mistral-7b-instruct-v0.3", 32768): (8.70, 7.36, 11.85),
    ("llama-3.1-8b-instruct", 8192): (6.16, 6.52, 10.63),
    ("llama-3.1-8b-instruct", 32768): (9.16, 8.02, 13.81),
    ("mistral-nemo-12b-instruct", 8192): (8.85, 9.33, 13.30),
    ("mistral-nemo-12b-instruct", 32768): (12.60, 11.17, 17.24),
    ("mistral-small-24b-instruct-2501", 8192): (15.42, 16.87, 19.69),
    ("mistral-small-24b-instruct-2501", 32768): (19.17, 19.64, 21.65),
    ("mixtral-8x7b-instruct-v0.1", 8192): (28.59, 28.11, None),
    ("mixtral-8x7b-instruct-v0.1", 32768): (31.59, 33.18, None),
    ("llama-3.3-70b-instruct", 8192): (43.92, 47.90, 47.4),
    ("llama-3.3-70b-instruct", 32768): (51.42, 54.53, 55.1),
}
"""GiB for Q4_K_M: llmfit, whichllm, llamafit; None where the tool does not know the model."""

QUANTIZATION = "Q4_K_M"


def main() -> None:
    """Print one row for each model and context, in GiB."""
    catalogue = load_catalogue(knowledge_dir())
    lines = ["| model, Q4_K_M | tokens | ours | llama.cpp | llmfit | whichllm | llamafit |", "|" + "---|" * 7]
    with EngineClient(threads=1) as client:
        for (model_id, context), others in OTHERS.items():
            model = catalogue.model(model_id)
            if model is None or model.shape is None:
                raise SystemExit(f"{model_id} is not in the catalogue")
            placement = cpu_placement(context)
            ours = footprint(model.shape, weights(model.shape, QUANTIZATION), placement, ())
            report = size_blueprint(client, blueprint(model, QUANTIZATION), context_params(placement))
            truth = engine_footprint(ours, report.memory).total_bytes
            cells = ["–" if n is None else f"{n:.2f} ({n * GIB / truth - 1:+.0%})" for n in others]
            own = f"{ours.total_bytes / GIB:.3f} | {truth / GIB:.3f}"
            lines.append(f"| {model.name} | {context:,} | {own} | {' | '.join(cells)} |")
    print("\n".join(lines))  # noqa: T201  # the command's output


if __name__ == "__main__":
    main()
