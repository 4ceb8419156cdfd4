"""Perplexity and divergence of real files, held against llama.cpp's logits by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from advisor.engine import operations as ops
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.messages import ContextParams
from advisor.engine.trial_messages import ScoreParams, TokensParams
from advisor.errors import InputError
from advisor.service import Advisor, TextRequest

TEXT = "The harbour was quiet in the early morning. Two boats came back with nets full of herring. " * 6
CONTEXT = ContextParams(n_ctx=128, n_batch=64, n_ubatch=64)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path


def test_windows_score_each_token_once_whatever_their_size(smollm2: Path, text: Path) -> None:
    advisor = Advisor()
    found = [advisor.compare_on_text(TextRequest(text, (smollm2,), window_tokens=size)) for size in (64, 512)]
    assert found[0].n_tokens == found[1].n_tokens
    assert found[0].n_bytes == found[1].n_bytes > len(TEXT.encode()) - 10
    # A longer context can only help with a text that repeats itself.
    assert found[1].losses[0].perplexity.middle < found[0].losses[0].perplexity.middle
    assert found[1].losses[0].bits_per_byte.middle < 1.5


def test_two_quantizations_are_near_each_other(smollm2: Path, smollm2_q4_0: Path, text: Path) -> None:
    seen: list[tuple[str, float]] = []
    found = Advisor().compare_on_text(
        TextRequest(text, (smollm2, smollm2_q4_0), window_tokens=256), on_share=lambda *now: seen.append(now)
    )
    gap = found.difference
    assert gap is not None
    assert 0.001 < gap.divergence.middle < 0.5
    assert 0.7 < gap.agreement.middle < 1
    ratio = found.losses[1].perplexity.middle / found.losses[0].perplexity.middle
    assert gap.ln_perplexity_ratio.middle == pytest.approx(math.log(ratio))
    assert {name for name, _ in seen} == {loss.name for loss in found.losses}
    assert seen[-1][1] > 0.95


def test_a_file_against_itself_does_not_differ(smollm2: Path, text: Path, tmp_path: Path) -> None:
    """The same weights in a file with one byte of its name metadata changed, so that the hash is another."""
    content = smollm2.read_bytes()
    head = content[:4096].replace(b"Smollm2", b"Smollm3", 1).replace(b"SmolLM2", b"SmolLM3", 1)
    assert head != content[:4096]
    twin = tmp_path / "twin.gguf"
    twin.write_bytes(head + content[4096:])
    found = Advisor().compare_on_text(TextRequest(text, (smollm2, twin), max_tokens=100, window_tokens=64))
    gap = found.difference
    assert gap is not None
    assert gap.divergence.middle == pytest.approx(0, abs=1e-5)
    assert (gap.bits_per_byte.middle, gap.agreement.middle) == (0, 1)
    assert "cannot be told apart" in gap.statement
    assert found.notes == ("the first 100 of 127 tokens were scored",) or "were scored" in found.notes[0]


def test_probabilities_are_a_distribution_and_the_asked_ones_are_those_of_the_top(smollm2: Path) -> None:
    with EngineClient(threads=1) as client:
        cut = ops.tokens_of(client, TokensParams(str(smollm2), TEXT, CONTEXT))
        assert sum(cut.n_bytes) == len(TEXT.encode())
        window = cut.tokens[:40]
        top = ops.score(client, ScoreParams(str(smollm2), window, 10, CONTEXT, n_top=5))
        assert len(top.log_probabilities) == 30
        assert len(top.top_tokens) == 150
        asked = ScoreParams(str(smollm2), window, 10, CONTEXT, asked=top.top_tokens, n_asked=5)
        again = ops.score(client, asked)
        assert again.asked_log_probabilities == pytest.approx(top.top_log_probabilities)
        assert list(top.top_tokens[::5]) == list(top.best_tokens)
        for place in range(30):
            values = top.top_log_probabilities[5 * place : 5 * place + 5]
            assert list(values) == sorted(values, reverse=True)
            assert sum(map(math.exp, values)) <= 1 + 1e-6
            if window[10 + place] in top.top_tokens[5 * place : 5 * place + 5]:
                assert top.log_probabilities[place] in values
        whole = ops.score(client, ScoreParams(str(smollm2), window[:3], 2, CONTEXT, n_top=cut.model.n_vocab))
        assert sum(map(math.exp, whole.top_log_probabilities)) == pytest.approx(1)
        for senseless in (
            ScoreParams(str(smollm2), window, 0, CONTEXT),
            ScoreParams(str(smollm2), window, 40, CONTEXT),
            ScoreParams(str(smollm2), (10**6, 1), 1, CONTEXT),
            ScoreParams(str(smollm2), window * 9, 1, CONTEXT),
            ScoreParams(str(smollm2), window, 1, CONTEXT, asked=(1,), n_asked=1),
        ):
            with pytest.raises(EngineRefused) as caught:
                ops.score(client, senseless)
            assert caught.value.kind == "request"


def test_other_tokenizers_and_short_texts_are_refused(smollm2: Path, text: Path, tmp_path: Path) -> None:
    content = smollm2.read_bytes()
    other = tmp_path / "other.gguf"
    place = content.index("Ġharbor".encode())
    other.write_bytes(content[:place] + "Ġharbxr".encode() + content[place + 8 :])
    advisor = Advisor()
    with pytest.raises(InputError, match="the tokenizers differ"):
        advisor.compare_on_text(TextRequest(text, (smollm2, other), window_tokens=64))
    short = tmp_path / "short.txt"
    short.write_text("Hello.")
    with pytest.raises(InputError, match=r"short\.txt is too short"):
        advisor.compare_on_text(TextRequest(short, (smollm2,)))
    short.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no UTF-8 text"):
        advisor.compare_on_text(TextRequest(short, (smollm2,)))
