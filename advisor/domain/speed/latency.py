"""What a speed means to the person who waits."""

from __future__ import annotations

from advisor.domain.speed.estimate import Speed
from advisor.units import format_milliseconds
from advisor.values import value

READING_WORDS_PER_MINUTE = 238
"""Mean of silent reading of English non-fiction in 190 studies; most adults read 175 to 300
(Brysbaert 2019, doi 10.1016/j.jml.2019.104047)."""
WORDS_PER_TOKEN = 0.75
"""OpenAI's rule of thumb for English (help.openai.com, "What are tokens and how to count them?")."""
READING_TOKENS_PER_S = READING_WORDS_PER_MINUTE / 60 / WORDS_PER_TOKEN


@value
class Latency:
    """Waits of one request that has the machine to itself; plans say what many at once wait."""

    ttft_ms: float
    answer_ms: float
    """From sending the prompt to the last token."""
    reading_share: float
    """Decode speed over reading speed; from 1 on, text appears faster than it is read."""


def latency(speed: Speed, answer_tokens: int) -> Latency:
    """Waits of a request that has the machine to itself."""
    answer_ms = speed.ttft_ms + 1000 * max(0, answer_tokens - 1) / speed.decode_tokens_per_s
    return Latency(speed.ttft_ms, answer_ms, speed.decode_tokens_per_s / READING_TOKENS_PER_S)


def latency_lines(waits: Latency, prompt_tokens: int, answer_tokens: int) -> tuple[str, ...]:
    """The waits in words: first token, full answer, and whether text comes as fast as it is read."""
    first, whole = format_milliseconds(waits.ttft_ms), format_milliseconds(waits.answer_ms)
    return (
        f"first token after {first} for a prompt of {prompt_tokens:,} tokens",
        f"whole answer of {answer_tokens:,} tokens after {whole}",
        f"text comes {reading_text(waits.reading_share)}",
    )


def reading_text(share: float) -> str:
    """Decode speed against reading speed, in words."""
    speed = f"{READING_TOKENS_PER_S:.1f} tok/s, {READING_WORDS_PER_MINUTE} words a minute"
    if round(share, 1) >= 1.1:
        return f"{share:.1f} times as fast as people read ({speed})"
    if share >= 0.95:
        return f"about as fast as people read ({speed})"
    return f"at {share:.0%} of the speed at which people read ({speed})"
