"""What the user needs: the one value that every gate and score reads.

Keys, defaults, ranges and help are `knowledge/questions.toml`; a section here has one field per key there.
`None` stands for a requirement that the user does not make.
"""

from __future__ import annotations

from typing import Literal

from advisor.values import value

Purpose = Literal["production", "evaluation", "research", "personal"]
Deployment = Literal["internal", "saas", "embedded", "weights"]
Redistribution = Literal["none", "weights", "derivative_weights", "product"]
Role = Literal["developer", "end_user"]
Entity = Literal["company", "individual", "university", "non_profit", "public_body"]
UseModality = Literal["text", "image", "audio"]
TrainTarget = Literal["none", "other_llm", "same_licence_family", "non_llm"]
TaskKind = Literal["chat", "coding", "reasoning", "math", "translation", "summarization", "agents", "vision"]
EngineChoice = Literal["llama.cpp", "any"]


@value
class Use:
    """The described use that a licence is judged against."""

    commercial: bool
    purpose: Purpose
    deployment: Deployment
    redistribute: Redistribution
    eu_based: bool
    """Domiciled, or with the principal place of business, in the European Union."""
    country: str
    """ISO 3166 code of that place; empty when not stated."""
    role: Role
    entity: Entity
    modality: UseModality
    fine_tune: bool
    train_other_models: bool
    train_target: TrainTarget
    trained_model_distributed: bool
    mau: int
    """Monthly active users today."""
    mau_at_release: int
    """Monthly active users in the calendar month before the model version was released."""
    affiliates_mau_at_release: int
    received_in_end_user_product: bool
    revenue_usd_month: int
    """Global consolidated revenue of the preceding month, of the company or the employer."""


@value
class Task:
    """What the model is to do."""

    kind: TaskKind
    context_tokens: int
    """Tokens of prompt and answer together that one request may hold."""
    fine_tune: bool


@value
class LanguageNeeds:
    """BCP 47 tags."""

    required: tuple[str, ...]
    preferred: tuple[str, ...]


@value
class Scale:
    """How many use it, and how much they ask."""

    users: int
    """Who can ask in the same hour."""
    requests_per_user_hour: float
    peak_factor: float
    """The busiest minutes over the average, for which everything is sized."""
    concurrent_requests: int | None
    """Requests in flight at once, where the user knows; otherwise it follows from users and rate."""
    prompt_tokens: int
    """Of a typical request, with everything that comes before the answer."""
    answer_tokens: int

    @property
    def mean_depth_tokens(self) -> int:
        """Tokens in the cache while an answer is written, averaged over it."""
        return self.prompt_tokens + self.answer_tokens // 2


@value
class Latency:
    """How long they are willing to wait."""

    ttft_ms: int | None
    """Longest wait for the first token."""
    tokens_per_s: float | None
    """Slowest decode speed that one user should see."""
    percentile: int
    """Per cent of the requests that must see no worse."""


@value
class MachineLimits:
    """What of the machine may be used."""

    reserve_ram_bytes: int
    """System memory to keep for everything else."""
    reserve_vram_bytes: int
    """Memory of each GPU to keep for everything else."""
    allow_cpu: bool
    """Whether layers may run on the processor."""
    engine: EngineChoice
    """Which engine is wanted; nothing reads it so far, since everything is judged for llama.cpp."""


@value
class Weights:
    """Importance of each criterion, 0 or more; only their proportions matter."""

    quality: float
    speed: float
    headroom: float
    ecosystem: float
    licence: float


@value
class Preferences:
    """What is better among what is possible."""

    families: tuple[str, ...]
    weights: Weights


@value
class Constraints:
    """Everything the user needs, section by section."""

    use: Use
    task: Task
    languages: LanguageNeeds
    scale: Scale
    latency: Latency
    machine: MachineLimits
    preferences: Preferences
