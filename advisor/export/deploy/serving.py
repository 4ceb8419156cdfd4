"""One model on one engine for one load: what every serving target says in its own language. Pure values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from advisor.domain.capacity.replica import EngineName
from advisor.domain.export_request import DEFAULT_PORT
from advisor.domain.placement import KvType
from advisor.domain.serving import MAX_UTILISATION

BUSY_SHARE = MAX_UTILISATION
"""Of the slots, from which on an autoscaler asks for another replica; plans count on no more either."""
GROWTH = 2
"""Times the planned replicas that an autoscaler may reach: more is a new plan."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf$)")


@dataclass(frozen=True, slots=True)
class GgufSource:
    """Where the weights of llama.cpp come from: a repository of the Hub, or a path on the machine that serves."""

    repo: str | None
    file: str | None
    """Path inside the repository, or on the machine; of the first part where there are several. None where only the
    repository is known, in which llama.cpp and Ollama find the file by its type."""
    n_bytes: int | None = None
    sha256: tuple[str, ...] = ()
    """One per part; empty where nobody published it."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Every file to fetch, in the order of `sha256`."""
        if self.file is None:
            return ()
        found = _PART.search(self.file)
        if found is None:
            return (self.file,)
        start, end = self.file[: found.start()], self.file[found.end() :]
        return tuple(f"{start}-{i:05d}-of-{found[2]}{end}" for i in range(1, int(found[2]) + 1))


@dataclass(frozen=True, slots=True)
class LlamaSettings:
    """What llama.cpp is told beside the file."""

    kv_type: KvType
    flash_attention: bool
    batch: int
    ubatch: int
    threads: int
    n_gpu_layers: int
    """`--n-gpu-layers`: the output layer counts as one."""
    gpu_layers: tuple[int, ...] = ()
    """Layers on each GPU of the machine, 0 on one that is left alone."""
    experts_in_ram: bool = False
    layers_in_ram: bool = False
    """Whether the processor computes some layers beside the GPUs."""


@dataclass(frozen=True, slots=True)
class VllmSettings:
    """What vLLM is told beside the repository."""

    tensor_parallel: int
    pipeline_parallel: int
    memory_share: float
    """`--gpu-memory-utilization`."""
    batched_tokens: int
    """`--max-num-batched-tokens`."""
    fp8: bool
    """The weights are quantized to FP8 when they are loaded."""
    gpu_name: str | None = None


@dataclass(frozen=True, slots=True)
class Replicas:
    """Copies to run, and how many the load takes."""

    count: int
    needed: int | None
    """That carry the peak within the targets; None where no speed is known, so that nobody can tell."""
    why: str
    """Where `count` comes from."""
    is_rough: bool = False
    """`needed` is the recommendation's closed form, which knows neither batching nor the waits of one in many."""
    per_machine: int = 1
    """That one machine runs at most, each on GPUs of its own."""

    @property
    def is_short(self) -> bool:
        return self.needed is not None and self.count < self.needed


@dataclass(frozen=True, slots=True)
class Duty:
    """An act that the described use owes; `exact` is what must be written, word for word."""

    id: str
    """Its kind, and after a colon the words or the name that it is about, such as `DISPLAY:Built with Llama`."""
    text: str
    exact: str | None = None

    @property
    def kind(self) -> str:
        return self.id.partition(":")[0]


@dataclass(frozen=True, slots=True)
class LicenceDuties:
    """The licence as far as files that deploy the model must speak of it."""

    id: str
    name: str
    url: str | None
    verdict: str
    """For the described use, in plain words."""
    duties: tuple[Duty, ...] = ()
    cautious_duties: tuple[Duty, ...] = ()
    """Further ones of a cautious reader."""
    standing: tuple[Duty, ...] = ()
    """Terms that bind without asking for an act, such as an acceptable use policy."""
    gated: bool | None = None
    """Whether the Hub hands the original weights out only to who accepted the terms."""

    @property
    def display(self) -> str | None:
        """Words that must be shown to users, such as `Built with Llama`."""
        return next((d.exact for d in self.duties if d.kind == "DISPLAY" and d.exact), None)

    @property
    def notice(self) -> str | None:
        """The line that a file named Notice must hold in distributed copies."""
        owed = (*self.duties, *self.cautious_duties)
        return next((d.exact for d in owed if d.kind == "NOTICE_FILE" and d.exact), None)


@dataclass(frozen=True, slots=True)
class Origin:
    """The recommendation file that a target's files were made from."""

    sha256: str
    tool_version: str
    created: str
    simulated: bool
    """The machine was described, not probed."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A model, the engine that runs it, and for how many users."""

    name: str
    """Of the recommendation file, without its ending."""
    engine: EngineName
    model: str
    """Id in the catalogue; the name that clients send."""
    title: str
    """Display name."""
    hf_id: str
    """Repository of the original weights."""
    quantization: str
    """GGUF file type for llama.cpp; BF16 or FP8 for vLLM."""
    gguf: GgufSource | None
    """None for vLLM."""
    context_tokens: int
    """Of one slot: prompt and answer of one request."""
    slots: int
    """Requests that one replica answers at once."""
    llama: LlamaSettings | None
    vllm: VllmSettings | None
    gpus: int
    """Of one replica; 0 on a processor."""
    backend: str
    """What the GPUs compute with, such as `cuda` or `rocm`; `cpu` without one."""
    ram_bytes: int | None
    """System memory of one replica: what llama.cpp takes, or for vLLM its share of the planned node; else None."""
    vram_bytes: int | None
    cores: int | None
    """Processor cores that one replica may use: llama.cpp's threads, or its share of the planned node; else None."""
    weights_bytes: int
    """Of the tensors, as they are kept in memory."""
    replicas: Replicas
    licence: LicenceDuties
    origin: Origin
    cautions: tuple[str, ...] = ()
    """What somebody must know before relying on the files."""
    text_only: bool = True
    """Only text goes in, so that no projector for images needs to be loaded."""
    port: int = DEFAULT_PORT
    image: str | None = None
    """Container image in place of the engine's own."""

    @property
    def total_context_tokens(self) -> int:
        """`--ctx-size` of llama.cpp: all slots together."""
        return self.context_tokens * self.slots

    @property
    def leaves_gpus(self) -> bool:
        """Whether its machine is known to have GPUs that one copy does not use."""
        layers = () if self.llama is None else self.llama.gpu_layers
        return self.gpus > 0 and (self.replicas.per_machine > 1 or 0 in layers)

    def gpus_of(self, copy: int) -> tuple[int, ...]:
        """Which GPUs of its machine a copy uses; both count from 0, and each further copy has the next ones."""
        layers = self.llama.gpu_layers if self.llama is not None else (1,) * self.gpus
        return tuple(i + copy * self.gpus for i, n in enumerate(layers) if n)

    def port_of(self, copy: int) -> int:
        """Where a copy listens, so that those of one machine do not meet."""
        return self.port + copy if self.port + self.replicas.per_machine <= 65536 else self.port - copy

    @property
    def uses_processor(self) -> bool:
        """Whether llama.cpp computes some of the model on the processor, so that it needs all its threads there."""
        return not self.gpus or (self.llama is not None and (self.llama.experts_in_ram or self.llama.layers_in_ram))

    @property
    def label(self) -> str:
        """A name that DNS, systemd and Kubernetes take."""
        return dns_label(self.model)


def dns_label(text: str, most: int = 40) -> str:
    """Lower-case letters, digits and dashes (RFC 1123), a letter first, `most` characters at most.

    Never empty; two texts can give one label.
    """
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not kept or not kept[0].isalpha():
        kept = f"model-{kept}"
    return kept[:most].strip("-")
