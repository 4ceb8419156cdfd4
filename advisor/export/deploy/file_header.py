"""What stands at the head of every deployed file, and the notice beside it: origin, licence, duties, cautions."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from advisor.export.deploy.serving import Duty, LicenceDuties, Serving
from advisor.text import one_line
from advisor.units import counted

_WIDTH = 110


def head(serving: Serving, what: str, usage: Sequence[str] = ()) -> list[str]:
    """Comment lines with `#`, for shell, YAML, units and Modelfiles. Foreign text cannot leave them."""
    origin = serving.origin
    lines = [
        f"{what}: {serving.title} in {serving.quantization}, for clients {serving.model!r}.",
        f"Made by llm-advisor from the recommendation {serving.name!r} of {origin.created}, sha256 {origin.sha256}.",
        *_replica_lines(serving),
        *licence_lines(serving.licence),
        *(f"Take note: {text}" for text in caution_lines(serving)),
    ]
    return [*comment(lines), "#", *comment(usage)] if usage else comment(lines)


def caution_lines(serving: Serving) -> list[str]:
    """What somebody must know before relying on the files."""
    return [f"{text}." for text in serving.cautions]


def comment(lines: Sequence[str]) -> list[str]:
    """Lines of foreign text as comments; no line break in one can end its comment.

    Long ones are wrapped, but for indented ones, which are commands to copy.
    """
    found = []
    for line in lines:
        if line.startswith("    ") and line.isprintable():
            found.append(f"# {line.rstrip()}")
            continue
        parts = wrap(one_line(line), _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        found += [f"# {part}" for part in parts] or ["#"]
    return found


def _replica_lines(serving: Serving) -> list[str]:
    replicas = serving.replicas
    about = "about " if replicas.is_rough and replicas.needed != 1 else ""
    need = "" if replicas.needed is None else f" The load takes {about}{replicas.needed}."
    per = f"{counted(serving.slots, 'request')} at once of {serving.context_tokens:,} tokens"
    return [f"{counted(replicas.count, 'copy', 'copies')} ({replicas.why}), each for {per}.{need}"]


def copies_here(serving: Serving) -> str:
    """That one machine runs several copies, where the recommendation or the plan says so."""
    own = "a GPU of its own" if serving.gpus == 1 else "GPUs of its own"
    return f"One machine runs {serving.replicas.per_machine} copies, each on {own} and at a port of its own."


def licence_lines(licence: LicenceDuties) -> list[str]:
    """The licence, its verdict for the described use, and what it asks for."""
    where = f" ({licence.url})" if licence.url else ""
    lines = [f"Licence: {licence.name}{where}: {licence.verdict}. A reading, not legal advice."]
    if licence.gated:
        lines.append("The Hub hands the original weights out only to who accepted the terms: log in with a token.")
    lines += [_duty("Duty", duty) for duty in licence.duties]
    lines += [_duty("Duty for a cautious reader", duty) for duty in licence.cautious_duties]
    return [*lines, *(_duty("Binding", term) for term in licence.standing)]


def _duty(kind: str, duty: Duty) -> str:
    exact = f" Exact words: {duty.exact}" if duty.exact and duty.exact not in duty.text else ""
    return f"{kind}: {duty.text}{exact}"


def notice_text(serving: Serving) -> str:
    """The text of a notice file: the line that the licence prescribes, and everything that it asks for."""
    licence = serving.licence
    lines = [one_line(f"{serving.title} ({serving.hf_id})")]
    lines += [one_line(text) for text in (licence.notice, licence.display) if text]
    lines += ["", *(one_line(line) for line in licence_lines(licence))]
    return "\n".join(lines) + "\n"


def annotations_of(serving: Serving) -> dict[str, str]:
    """For Kubernetes and Compose: where it comes from and what the licence asks for. Values are free text there."""
    licence = serving.licence
    found = {
        "llm-advisor/model": serving.hf_id,
        "llm-advisor/quantization": serving.quantization,
        "llm-advisor/recommendation-sha256": serving.origin.sha256,
        "llm-advisor/licence": licence.name,
    }
    if licence.url:
        found["llm-advisor/licence-url"] = licence.url
    if licence.display:
        found["llm-advisor/display"] = licence.display
    if licence.notice:
        found["llm-advisor/notice"] = licence.notice
    if licence.duties:
        found["llm-advisor/duties"] = "; ".join(duty.text for duty in licence.duties)
    if licence.standing:
        found["llm-advisor/binding"] = "; ".join(term.text for term in licence.standing)
    return {key: one_line(value) for key, value in found.items()}
