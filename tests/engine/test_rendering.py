"""Chat templates as what they are: programs by somebody nobody knows."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor.engine import operations as ops
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.smoke_messages import IdentifyParams, RenderParams
from advisor.engine.template_child import rendered, template_child
from advisor.errors import EngineError

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture(scope="module")
def helper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    folder = tmp_path_factory.mktemp("helper")
    with template_child(folder) as client:
        yield client
        client.close()


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """The helper lives as long as this file's tests."""


def test_a_child_that_was_killed_is_not_told_as_late(helper: EngineClient) -> None:
    helper.request("identify", {"texts": ["the sea"]}, timeout=60)
    assert helper.pid is not None
    killer = threading.Timer(0.3, os.kill, (helper.pid, signal.SIGKILL))
    killer.start()
    texts, why = rendered(helper, RenderParams(LOOP, ("Hi",)))
    killer.join()
    assert texts is None
    assert why.startswith("could not be rendered: the engine was killed by signal 9")


def test_a_template_is_rendered_as_its_author_meant_it(helper: EngineClient) -> None:
    found = ops.render(helper, RenderParams(CHATML, ("Hi", "Bye")), timeout=20)
    assert found.texts[0] == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert "Bye" in found.texts[1]


def test_what_templates_are_given_is_there(helper: EngineClient) -> None:
    source = (
        "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ {'ä': '<'} | tojson }}"
        "{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}"
        "{% if tools is defined and tools %}tools{% endif %}{{ strftime_now('%%') }}"
    )
    found = ops.render(helper, RenderParams(source, ("Hi there",), "<s>", "</s>"), timeout=20)
    assert found.texts == ('<s>Hi there</s>{"ä": "<"}01%',)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "attribute '__class__' of a str"),
        ("{{ messages.__class__ }}{{ messages[0].content }}", "attribute '__class__' of a list"),
        ("{{ messages[0].content | attr('__class__') }}", "attribute '__class__' of a str"),
        ("{{ cycler.__init__.__globals__.os.system('true') }}", "attribute '__init__'"),
        ("{% set _ = messages.append(1) %}", "attribute 'append' of a list"),
        ("{{ 'x' * 10 ** 9 }}", "multiplication that would fill memory"),
        ("{{ 9 ** (10 ** 9) }}", "power that would fill memory"),
        ("{% for i in range(10 ** 9) %}x{% endfor %}", "Range too big"),
        ("{{ messages[0].content", "unexpected end of template"),
        ("{{ raise_exception('only with a system prompt') }}", "only with a system prompt"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% include '/etc/passwd' %}", "cannot be rendered"),
        ("always the same", "leaves the user's message out"),
        (
            "{{ messages[0].content }}{% for i in range(99999) %}abcdefghijklmno{% endfor %}",
            "over 1,000,000",
        ),
    ],
)
def test_tricks_and_faults_are_refused_with_their_reason(helper: EngineClient, source: str, said: str) -> None:
    with pytest.raises(EngineRefused) as caught:
        ops.render(helper, RenderParams(source, ("Hi there",)), timeout=20)
    assert said in caught.value.what
    assert "\n" not in caught.value.what


def test_a_template_that_never_ends_is_killed_and_the_next_one_works(helper: EngineClient) -> None:
    loop = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(EngineError, match="took longer than"):
        ops.render(helper, RenderParams(loop, ("Hi there",)), timeout=1.0)
    assert helper.pid is None
    assert ops.render(helper, RenderParams(CHATML, ("Hi",)), timeout=20).texts


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("The sea is wide and blue, and its waves roll towards the shore without rest.", "en"),
        ("La mer est vaste et bleue, et ses vagues roulent vers le rivage sans repos.", "fr"),
        ("Das Meer ist weit und blau, und seine Wellen rollen ohne Rast ans Ufer.", "de"),
        ("海は広くて青く、波は休むことなく岸へ寄せてくる。", "ja"),
    ],
)
def test_the_language_of_two_sentences_is_told(helper: EngineClient, text: str, tag: str) -> None:
    (found,) = ops.identify(helper, IdentifyParams((text,))).languages
    assert (found.tag, found.probability > 0.9) == (tag, True)


def test_a_word_alone_leaves_the_identifier_unsure(helper: EngineClient) -> None:
    for found in ops.identify(helper, IdentifyParams(("Hello", "", "42"))).languages:
        assert found.probability < 0.5


def test_an_error_in_the_child_is_told_and_the_child_lives_on(tmp_path: Path) -> None:
    with EngineClient(threads=1) as client:  # it may write nowhere, and the identifier wants a temporary file
        with pytest.raises(EngineRefused) as caught:
            ops.identify(client, IdentifyParams(("Hi",)))
        assert caught.value.kind == "internal"
        pid = client.pid
        ops.describe(client)
        assert client.pid == pid is not None
