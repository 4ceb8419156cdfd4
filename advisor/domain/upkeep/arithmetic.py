"""Whether the published numbers of a model agree with each other and with the tensors that follow from its shape."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.domain.model import GgufFile, Model
from advisor.domain.tensor_types import DEFAULT_TYPE
from advisor.domain.tensors import parameter_count
from advisor.domain.upkeep.finding import Finding
from advisor.domain.weights import weights


def arithmetic_findings(model: Model, file: str) -> Iterator[Finding]:
    """Differences between the tensor table of the shape and the parameters that were published."""
    place, shape = f"model[{model.id}]", model.shape
    if shape is not None and model.text_params is not None:
        counted = parameter_count(shape)
        if counted != model.text_params:
            reason = f"the tensors of the shape have {counted:,} parameters, published are {model.text_params:,}"
            fix = f"Correct the dimension that is wrong, or give text_params = {counted} with its source."
            yield Finding("error", file, f"{place}.text_params", reason, fix)
    yield from _total_findings(model, file, place)


def _total_findings(model: Model, file: str, place: str) -> Iterator[Finding]:
    """The total against the language model and the encoder, where all three are known."""
    total, text = model.total_params, model.text_params
    encoder = model.vision_params if len(model.modalities) > 1 else 0
    if total is None or text is None or encoder is None or text + encoder == total:
        return
    found = model.provenance.get("total_params")
    is_rounded = found is not None and "rounded" in (found.note or "")
    if is_rounded and abs(total - text - encoder) <= _last_place(total):
        return
    reason = f"{total:,} are published, text and encoder make {text + encoder:,}"
    fix = "Correct the one that is wrong; where the source rounds, say so in a note with the word `rounded`."
    yield Finding("error", file, f"{place}.total_params", reason, fix)


def _last_place(rounded: int) -> int:
    """What the last digit of a rounded figure counts, by which a figure may be off that was cut off or whose parts
    were rounded as well."""
    unit = 1
    while rounded % (10 * unit) == 0:
        unit *= 10
    return unit


def published_findings(model: Model, published: GgufFile, file: str) -> Iterator[Finding]:
    """A published file against itself and against what the shape gives in its quantization."""
    place = f"file[{published.file}]"
    if len(published.sha256) not in (0, published.n_parts):
        reason = f"{len(published.sha256)} hashes for {published.n_parts} parts"
        yield Finding("error", file, f"{place}.sha256", reason, "Give one hash a part, in order.")
    if published.tensor_bytes is None:
        return
    if published.n_bytes is None or published.tensor_bytes >= published.n_bytes:
        reason = f"{published.tensor_bytes:,} bytes of tensors in a file of {published.n_bytes or 'unknown'} bytes"
        yield Finding("error", file, f"{place}.tensor_bytes", reason, "Read the header again: catalog refresh.")
    yield from _shape_findings(model, published, file, place)


def _shape_findings(model: Model, published: GgufFile, file: str, place: str) -> Iterator[Finding]:
    # Publishers' own mixtures, such as UD-Q4_K_XL, have other names than llama.cpp's file types.
    is_standard = published.quantization in DEFAULT_TYPE and "UD-" not in published.file
    if model.shape is None or not is_standard:
        return
    made = {weights(model.shape, published.quantization, imatrix=i).total_bytes for i in (True, False)}
    if published.tensor_bytes in made:
        return
    gives = " or ".join(f"{n:,}" for n in sorted(made))
    reason = f"{published.tensor_bytes:,} bytes of tensors published, the shape gives {gives}"
    fix = "The shape may be wrong, or the file may be made by an older llama.cpp or by rules of its publisher."
    yield Finding("warning", file, f"{place}.tensor_bytes", reason, fix)
