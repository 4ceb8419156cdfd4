"""What a recommendation file may say, as pydantic models: one per table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from advisor.domain.placement import KvType
from advisor.domain.quality import Ground
from advisor.export.machine_record import MachineTable
from advisor.export.sensitivity_schema import SensitivityTable
from advisor.export.tables import AnyBasis, AnySupport, AnyVerdict, Count, OneLineTable, Rate, Share, Table

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$")]

ON_FRONT = "whether nothing beats it in quality, speed or memory without losing in another"


class PlacementTable(Table):
    """What llama.cpp must be told to run it this way."""

    n_gpu_layers: Count = Field(description="--n-gpu-layers; the output layer counts as one")
    gpu_layers: list[Count] = Field(description="layers on each GPU")
    experts_in_ram: bool = Field(description="routed experts stay in system memory")
    context_tokens: Count = Field(description="--ctx-size: cells of the whole KV cache, all slots together")
    parallel: Count = Field(description="--parallel: requests answered at once")
    kv_type: KvType = Field(description="number format of the KV cache")
    flash_attention: bool
    batch: Count
    ubatch: Count = Field(description="tokens of a prompt computed at once; the compute buffer grows with it")
    threads: Count


class DeviceFootprintTable(Table):
    """Bytes on one device."""

    name: str
    weights_bytes: Count
    kv_cache_bytes: Count
    compute_bytes: Count
    output_bytes: Count


class FootprintTable(Table):
    """Memory it takes while it runs."""

    basis: AnyBasis
    weights_bytes: Count
    kv_cache_bytes: Count = Field(description="grows with context_tokens")
    compute_bytes: Count = Field(description="scratch memory of one micro-batch")
    output_bytes: Count
    total_bytes: Count
    devices: list[DeviceFootprintTable]


class SpeedTable(Table):
    """Speed of one request that has the machine to itself, in tokens per second."""

    basis: AnyBasis
    decode_tokens_per_s: Rate = Field(description="answer tokens")
    prefill_tokens_per_s: Rate = Field(description="prompt tokens")
    ttft_ms: Rate = Field(description="wait for the first token of a prompt of prompt_tokens")
    low: Rate = Field(description="lower bound of decode_tokens_per_s")
    high: Rate = Field(description="upper bound")
    depth_tokens: Count = Field(description="tokens in the cache at which decode_tokens_per_s holds")
    prompt_tokens: Count
    assumed: list[str] = Field(description="taken for granted because nobody knows it")


class LatencyTable(Table):
    """What the pick's speed means to the person who waits, in milliseconds."""

    ttft_ms: Rate = Field(description="wait for the first token")
    answer_tokens: Count
    answer_ms: Rate = Field(description="from sending the prompt to the last token of the answer")
    reading_share: Rate = Field(
        description="decode speed over reading_tokens_per_s: from 1 on, text outruns its reader"
    )
    reading_tokens_per_s: Rate = Field(
        description="silent reading of English, 238 words a minute (doi 10.1016/j.jml.2019.104047), 3 words in 4 tokens"
    )


class ObligationTable(Table):
    """An act that this use owes under the licence; `exact` is what must be written, word for word."""

    id: str
    text: str
    exact: str | None = None


class StandingTable(Table):
    """A term that binds the use without asking for an act."""

    id: str
    text: str


class ConservativeTable(Table):
    """What a cautious reader concludes where the licence is open; empty where it is the same."""

    verdict: AnyVerdict | None = None
    obligations: list[ObligationTable] = Field(default_factory=list)


class ClauseTable(Table):
    """A passage of the licence that decided."""

    id: str
    text: str
    source: str


class OpenPointTable(Table):
    """A point that the licence leaves open and that this use touches."""

    id: str
    text: str


class LicenceTable(Table):
    """What the licence says about the use described in [constraints.use]. No legal advice."""

    model: str
    licence: str
    verdict: AnyVerdict
    reasons: list[str]
    changes: list[str] = Field(description="smallest changes of the use that would change the verdict")
    obligations: list[ObligationTable]
    standing: list[StandingTable]
    conservative: ConservativeTable
    clauses: list[ClauseTable]
    open_points: list[OpenPointTable]


class LanguagesTable(Table):
    """What the model card says on each language asked for: supported, not_claimed or unknown."""

    required: dict[str, AnySupport]
    preferred: dict[str, AnySupport]
    names: dict[str, str] = Field(default_factory=dict, description="the languages in English and in themselves")


class QualityTable(Table):
    """Expected score on a typical benchmark of the task, 0 to 1, from published results."""

    basis: AnyBasis
    ground: Ground | None = Field(
        None, description="results of its own, those of the model it was tuned from, size and age, or your trial"
    )
    score: Share = Field(description="expected share of right answers on a typical benchmark of the task")
    interval: Share | None = Field(None, description="share of cases that low to high is meant to hold")
    low: Share
    high: Share
    results: Count = Field(description="published results of this model")
    task_results: Count = Field(description="of these, on benchmarks of the asked task")
    quantization_loss_logits: float | None = Field(
        None, description="what the file type costs; one logit is e times the odds"
    )
    tried_tasks: Count | None = Field(None, description="tasks of your trial that it was judged by")
    notes: list[str] = Field(default_factory=list, description="what is unknown, and what was assumed in its place")


class TermTable(OneLineTable):
    """One criterion's part: value times weight."""

    criterion: str
    value: Share
    weight: Share
    why: str


class ScoreTable(Table):
    """How it compares with the others, 0 to 1: the sum of value times weight over the terms."""

    total: Share
    terms: list[TermTable]


class CarriedTable(OneLineTable):
    """How much of the users' load this machine carries; rates are requests per second."""

    basis: Literal["simulated", "bound"] = Field(description="`bound`: at most so much")
    is_enough: bool
    users: Count | None = Field(None, description="of those asked; left out where requests at once were given")
    requests_at_once: Count | None = None
    share: Share
    machines: Count | None = Field(None, description="like this one that the load takes, none spare")
    slots: Count = Field(description="requests at once on one copy")
    copies: Count = Field(description="of the model on this machine")
    gpus_per_copy: Count
    requests_per_s: Rate
    asked_requests_per_s: Rate
    bound_requests_per_s: Rate = Field(description="what no schedule exceeds")
    breaks_first: str | None = None


class PickTable(Table):
    """The pick: what to run."""

    model: str
    hf_id: str = Field(description="repository of the original weights on the Hugging Face Hub")
    quantization: str = Field(description="llama.cpp file type")
    basis: AnyBasis
    pareto: bool | None = Field(None, description=ON_FRONT)
    warnings: list[str]
    placement: PlacementTable
    footprint: FootprintTable
    speed: SpeedTable | None = None
    latency: LatencyTable | None = None
    licence: LicenceTable
    languages: LanguagesTable
    quality: QualityTable
    score: ScoreTable
    carried: CarriedTable | None = None
    close_calls: list[str] = Field(
        default_factory=list, description="alternatives whose quality cannot be told apart from the pick's"
    )


class AlternativeTable(Table):
    """What comes next, best first."""

    model: str
    quantization: str
    total_bytes: Count
    decode_tokens_per_s: Rate | None = None
    licence: AnyVerdict
    quality: Share
    score: Share
    carried: CarriedTable | None = None
    pareto: bool | None = Field(None, description=ON_FRONT)


class ReasonTable(OneLineTable):
    """Why something is excluded, and the smallest change that would admit it."""

    code: str
    text: str
    fix: str | None = None


class RejectedTable(Table):
    """What is excluded, and why: what misses least comes first."""

    model: str
    quantization: str | None = Field(None, description="the one that misses least")
    reasons: list[ReasonTable]


class PlanTable(Table):
    """What the users of [constraints.scale] ask of the deployment."""

    requests_per_s: Rate
    requests_in_flight: Rate = Field(description="mean number of requests being answered")
    slots: Count = Field(description="parallel requests to provide for")
    slots_per_replica: Count | None = None
    replicas: Count | None = Field(None, description="copies of this machine")
    utilisation: Rate | None = Field(None, description="share of time that the replicas are busy")
    basis: AnyBasis | None = None
    note: str | None = None


class TriedTable(OneLineTable):
    """What one candidate came to in the trial."""

    model: str
    quantization: str
    tasks: Annotated[int, Field(ge=1, description="judged")]
    total: Annotated[float, Field(ge=0, description="sum of the scores, each 0 to 1")]

    @model_validator(mode="after")
    def _adds_up(self) -> TriedTable:
        if self.total > self.tasks:
            raise ValueError("`total` exceeds `tasks`")
        return self


class TrialTable(Table):
    """A trial on your own tasks, which quality was judged by."""

    tasks_name: str
    tasks_sha256: Sha256
    result_sha256: Sha256 = Field(description="of the file that llm-advisor trial -o wrote")
    candidates: list[TriedTable]


class RequestTable(Table):
    """What was asked beyond the constraints: models admitted by name, the one file type considered, and a trial."""

    models: list[str] = Field(default_factory=list)
    quantization: str | None = None
    trial: TrialTable | None = None


class CatalogueTable(Table):
    """The facts it rests on."""

    version: str
    sha256: Sha256 = Field(description="over the files of models, licences and quantizations")


class RecommendationFile(Table):
    """A recommendation as `llm-advisor recommend -o FILE` writes it and `llm-advisor verify FILE` replays it."""

    model_config = ConfigDict(title="llm-advisor recommendation")

    schema_version: Literal[1]
    created: Moment
    tool_version: str = Field(description="llm-advisor that wrote this file")
    engine_version: str | None = Field(None, description="llama-cpp-python beside it")
    recommendation: PickTable
    alternatives: list[AlternativeTable]
    sensitivity: SensitivityTable | None = None
    rejected: list[RejectedTable]
    plan: PlanTable
    request: RequestTable = Field(default_factory=RequestTable)
    constraints: dict[str, dict[str, JsonValue]] = Field(description="the answers to the questionnaire")
    machine: MachineTable
    catalogue: CatalogueTable
    smoke: dict[str, JsonValue] | None = Field(None, description="the smoke test on this machine")
