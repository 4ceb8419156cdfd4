"""What the engine child is asked, and what it answers: one pair of values for each operation.

Bytes are integers; those read from llama.cpp's log are exact to 0.01 MiB, those of the KV cache exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from advisor.domain.hardware import DeviceKind

FlashAttention = Literal["auto", "on", "off"]
Template = Literal["applied", "missing", "unsupported"]
Stop = Literal["end", "length", "context"]


@dataclass(frozen=True, slots=True)
class ContextParams:
    """How to load a model and make a context; the batch sizes default to llama.cpp's own."""

    n_ctx: int = 4096
    """Cells of the whole KV cache: tokens of one sequence times sequences."""
    n_batch: int = 2048
    n_ubatch: int = 512
    n_seq_max: int = 1
    n_outputs_max: int = 0
    """Rows of logits in one batch; 0 for as many as it has tokens."""
    flash_attention: FlashAttention = "auto"
    type_k: str = "F16"
    type_v: str = "F16"
    n_gpu_layers: int = -1
    """Layers on GPUs, the output counted as one more; negative for all."""
    tensor_split: tuple[float, ...] = ()
    """Share of each GPU; empty lets llama.cpp divide by free memory."""
    offload_kqv: bool = True
    experts_in_ram: bool = False
    """Routed experts stay in system memory although their layer is on a GPU."""
    kv_unified: bool = False
    swa_full: bool = False
    """Keep the full cache for layers with a sliding window."""
    repack: bool = True
    """Let llama.cpp rearrange weights for this processor, as it does by default."""
    use_mmap: bool = False
    """Map the file. Otherwise it is read, so that memory in use is memory that is needed."""
    threads: int | None = None
    """None for the usable physical cores, as the program told the child."""

    @property
    def slot_tokens(self) -> int:
        """Tokens that one sequence can hold."""
        return self.n_ctx if self.kv_unified else self.n_ctx // max(1, self.n_seq_max)


@dataclass(frozen=True, slots=True)
class DeviceBytes:
    """Bytes in one buffer."""

    device: str
    """A buffer as llama.cpp names it: `CPU`, `CPU_REPACK`, `CUDA0`, `CUDA_Host` …"""
    n_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """What llama.cpp said about memory while it loaded a model and made a context."""

    weights_bytes: int
    """`llama_model_size`: the sum of the tensors."""
    kv_cache_bytes: int
    state_bytes: int
    """Recurrent state of layers without a KV cache."""
    compute: tuple[DeviceBytes, ...]
    output: tuple[DeviceBytes, ...]
    model_buffers: tuple[DeviceBytes, ...]
    """Where the weights lie; empty in a dry run, which allocates none."""
    layer_devices: tuple[str, ...]
    """The device of each layer, and last that of the output."""
    kv_layer_devices: tuple[str, ...]
    """The device of the cache of each layer."""
    flash_attention: bool | None
    """What `auto` came to; None where it was not resolved."""

    @property
    def compute_bytes(self) -> int:
        return sum(d.n_bytes for d in self.compute)

    @property
    def output_bytes(self) -> int:
        return sum(d.n_bytes for d in self.output)


@dataclass(frozen=True, slots=True)
class DescribeParams:
    """Nothing is asked beside the description."""


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """One device as ggml lists it."""

    name: str
    description: str
    kind: DeviceKind
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class FileType:
    """A file type of the library."""

    name: str
    """As llama.h names it, without `LLAMA_FTYPE_`."""
    number: int


@dataclass(frozen=True, slots=True)
class Description:
    """What the installed library is and sees."""

    version: str
    """Of llama-cpp-python."""
    system_info: str
    gpu_offload: bool
    devices: tuple[DeviceDescription, ...]
    file_types: tuple[FileType, ...]
    """What its quantizer can be asked for."""


@dataclass(frozen=True, slots=True)
class DryRunParams:
    """A file to be sized without loading it."""

    model_path: str
    context: ContextParams = ContextParams()


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What llama.cpp read from the file."""

    description: str
    n_layers: int
    n_params: int
    n_vocab: int
    n_ctx_train: int
    has_vocabulary: bool


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What a load without weights came to."""

    model: ModelFacts
    memory: MemoryFigures
    load_ms: float
    context_ms: float


@dataclass(frozen=True, slots=True)
class QuantizeParams:
    """A file to be quantized without writing it."""

    model_path: str
    """An F16 or F32 file, possibly without weights."""
    file_types: tuple[int, ...]
    """`llama_ftype` of each run."""
    importance_matrix: bool = False
    """Choose types as for a file made with an importance matrix, as most published ones are."""


@dataclass(frozen=True, slots=True)
class QuantizedFile:
    """What one file type came to."""

    ggml_types: tuple[str, ...]
    """Of each tensor, in upper case as in `advisor.domain.ggml`."""
    total_bytes: int
    """Of all tensors, exact to 0.01 MiB."""


@dataclass(frozen=True, slots=True)
class QuantizeResult:
    """The types chosen for each file type, in the order in which they were asked for."""

    tensors: tuple[str, ...]
    """Names, told once for all file types."""
    files: tuple[QuantizedFile, ...]


@dataclass(frozen=True, slots=True)
class RowsParams:
    """Random rows to be quantized."""

    ggml_type: str
    n_rows: int
    row_length: int
    seed: int = 0
    sigma: float = 0.02
    """Standard deviation of the weights; trained matrices have about this."""


@dataclass(frozen=True, slots=True)
class RowsResult:
    """Quantized rows."""

    base64: str


@dataclass(frozen=True, slots=True)
class BenchParams:
    """Several models are loaded together and timed in turn, so that a drift of the machine hits all alike."""

    model_paths: tuple[str, ...]
    context: ContextParams = ContextParams()
    n_prompt: int = 256
    n_decode: int = 32
    prefill_repeats: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Speeds of one model. Medians; the first token after a prompt is not counted as decoding."""

    load_ms: float
    warmup_ms: float
    """A first token that is thrown away: it touches the weights for the first time."""
    n_prompt: int
    ttft_ms: float
    """From the prompt to its first token, loading and warm-up excluded."""
    prefill_tokens_per_s: float
    decode_tokens_per_s: float | None
    """None where fewer than two tokens were decoded."""
    token_ms: tuple[float, ...]
    """Each decoded token, the first included."""


@dataclass(frozen=True, slots=True)
class BenchRun:
    """One timed model."""

    model: ModelFacts
    memory: MemoryFigures
    timing: Timing


@dataclass(frozen=True, slots=True)
class BenchResult:
    """All timed models of a request."""

    runs: tuple[BenchRun, ...]
    """One for each path, in order."""
    baseline_rss_bytes: int
    """The child's memory before it loaded anything."""
    peak_rss_bytes: int
    others_cores: float
    """Cores that other programs kept busy meanwhile; they make every speed too low."""


@dataclass(frozen=True, slots=True)
class MeasureParams:
    """Models that are timed in turn, round after round, until a weighted sum of their times is known well enough."""

    model_paths: tuple[str, ...]
    prefill_factors: tuple[float, ...]
    decode_factors: tuple[float, ...]
    """What each model's time counts in the sums: with slices, the extrapolation to the whole model."""
    context: ContextParams = ContextParams()
    n_prompt: int = 256
    depth_tokens: int = 256
    """Tokens in the cache while a token is decoded."""
    precision: float = 0.03
    """Enough is half an interval of 95 % below this share of the median."""
    budget_s: float = 10.0
    """No round begins later, loading not counted; the prompt gets half of it."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds of one kind."""

    median_ms: float
    """Of the sums."""
    half_width: float
    """Half of an interval of 95 % around the median, as a share of it; 1 where too few rounds tell."""
    n_rounds: int
    model_ms: tuple[float, ...]
    """Median of each model's own times."""


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """Times of one prompt and of one decoded token."""

    prefill: Series
    decode: Series
    memory: tuple[MemoryFigures, ...]
    """Of each model."""
    seconds: float
    """What timing took, loading not counted."""
    baseline_rss_bytes: int
    peak_rss_bytes: int
    others_cores: float


@dataclass(frozen=True, slots=True)
class GenerateParams:
    """Each prompt is one user message and is answered on its own, with the model loaded once."""

    model_path: str
    prompts: tuple[str, ...]
    context: ContextParams = ContextParams()
    system: str | None = None
    max_tokens: int = 64
    timed_tokens: int = 0
    """Decode at least so many for the timing, past the end of an answer that is shorter."""
    temperature: float = 0.0
    """0 takes the likeliest token."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one prompt."""

    text: str
    n_tokens: int
    stop: Stop
    template: Template
    """Whether the file's own chat template was applied; otherwise the prompt went in as it is."""
    timing: Timing


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """The answers to all prompts of a request."""

    model: ModelFacts
    memory: MemoryFigures
    answers: tuple[Answer, ...]
    baseline_rss_bytes: int
    peak_rss_bytes: int
    others_cores: float
    """Cores that other programs kept busy meanwhile; they make every speed too low."""
