"""llama-server's files against llama.cpp's own options, bash, a real download and systemd."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings

from advisor.export.deploy import serving_files, weights
from advisor.export.deploy.engine_container import container_of
from advisor.export.deploy.llama_args import flat, from_hub, llama_arguments
from advisor.export.deploy.serving import GgufSource, LlamaSettings, Replicas, Serving
from advisor.export.deploy.systemd_text import command_word, value, word
from tests.export.deploy.support import HOSTILE, hostile_llama, listed, llama, on_processor

NAME = "llama-server-llama-3-1-8b-instruct"


def files(serving: Serving) -> dict[str, str]:
    return serving_files("llama-server", serving)


def exec_start(unit: str) -> str:
    """ExecStart= with its continued lines joined."""
    return unit.replace("\\\n", " ").split("ExecStart=")[1].splitlines()[0]


@pytest.mark.parametrize(
    "serving", [llama(), on_processor(), llama(gguf=GgufSource(None, "/m/a.gguf")), llama(gguf=GgufSource("a/b", None))]
)
def test_every_flag_is_one_that_the_vendored_llama_cpp_knows(serving: Serving) -> None:
    known = listed("llama_server_flags.txt")
    script, unit = list(files(serving).values())[:2]
    flags = {part for part in flat(llama_arguments(serving, from_hub(serving), "127.0.0.1")) if part.startswith("--")}
    assert len(flags) > 12
    assert flags <= known
    assert {part for part in shlex.split(exec_start(unit)) if part.startswith("--")} <= known
    assert all(flag in script for flag in flags)


def test_the_context_is_that_of_all_slots_together() -> None:
    unit = files(llama(context_tokens=8192, slots=4))[f"{NAME}.service"]
    assert "--ctx-size 32768 " in exec_start(unit)
    assert "--parallel 4 " in exec_start(unit)


def test_layers_are_split_as_recommended() -> None:
    command = exec_start(files(llama())[f"{NAME}.service"])
    assert "--n-gpu-layers 33 " in command
    # The output counts as a layer of the last GPU.
    assert "--tensor-split 20,13 " in command
    assert "--cpu-moe " in command
    assert "--tensor-split" not in exec_start(files(on_processor())[f"{NAME}.service"])


def test_a_gpu_that_is_left_alone_is_no_device_of_llama_cpp_and_a_container_does_not_see_it() -> None:
    one_of_two = llama(llama=LlamaSettings("f16", True, 2048, 512, 8, 33, (0, 32)), gpus=1)
    command = exec_start(files(one_of_two)[f"{NAME}.service"])
    assert "--device CUDA1 " in command
    assert "--tensor-split" not in command
    assert not {"--tensor-split", "--device"} & set(container_of(one_of_two, "compose").arguments)
    two_of_three = llama(llama=LlamaSettings("f16", True, 2048, 512, 8, 33, (16, 0, 16)), gpus=2)
    command = exec_start(files(two_of_three)[f"{NAME}.service"])
    assert "--device CUDA0,CUDA2 " in command
    assert "--tensor-split 16,17 " in command
    arguments = container_of(two_of_three, "compose").arguments
    assert arguments[arguments.index("--tensor-split") + 1] == "16,17"
    assert "--device" not in arguments


def test_nvidias_gpus_are_counted_as_they_were_probed() -> None:
    made = files(llama())
    assert "\nexport CUDA_DEVICE_ORDER=PCI_BUS_ID\n" in made[f"{NAME}.sh"]
    assert "\nEnvironment=CUDA_DEVICE_ORDER=PCI_BUS_ID\n" in made[f"{NAME}.service"]
    assert container_of(llama(), "compose").environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    alone = LlamaSettings("f16", True, 2048, 512, 8, 33, (32,))
    for serving in (llama(backend="vulkan"), on_processor(), llama(llama=alone, gpus=1)):
        assert "CUDA_DEVICE_ORDER" not in "".join(files(serving).values())


def test_no_device_is_named_where_every_gpu_is_used() -> None:
    for serving in (llama(), on_processor()):
        assert "--device" not in "".join(files(serving).values())


@pytest.mark.parametrize(("backend", "device"), [("rocm", "ROCm1"), ("sycl", "SYCL1"), ("vulkan", "Vulkan1")])
def test_a_container_that_sees_all_gpus_is_told_which_are_its_own(backend: str, device: str) -> None:
    one_of_two = llama(llama=LlamaSettings("f16", True, 2048, 512, 8, 33, (0, 32)), gpus=1, backend=backend)
    arguments = container_of(one_of_two, "compose").arguments
    assert arguments[arguments.index("--device") + 1] == device
    assert "--device" not in container_of(one_of_two, "kubernetes").arguments


def four_copies_of_two_gpus() -> Serving:
    settings = LlamaSettings("f16", True, 2048, 512, 8, 33, (16, 16, 0, 0, 0, 0, 0, 0))
    return llama(llama=settings, replicas=Replicas(4, 4, "as given", per_machine=4))


def test_copies_of_one_machine_have_gpus_and_ports_of_their_own(tmp_path: Path) -> None:
    made = files(four_copies_of_two_gpus())
    script, unit = made[f"{NAME}.sh"], made[f"{NAME}.service"]
    others = re.findall(rf"^#     (bash {NAME}.sh --device .*)$", script, re.MULTILINE)
    assert [line.split("--device ")[1] for line in others] == [
        "CUDA2,CUDA3 --port 8081", "CUDA4,CUDA5 --port 8082", "CUDA6,CUDA7 --port 8083",
    ]  # fmt: skip
    assert "--device CUDA0,CUDA1 " in exec_start(unit)
    commands = re.findall(r"^#     (sed .*) > /etc/systemd/system/(\S+)$", unit, re.MULTILINE)
    assert [name for _, name in commands] == [f"{NAME}-{n}.service" for n in (2, 3, 4)]
    (tmp_path / f"{NAME}.service").write_text(unit)
    found = subprocess.run(["sh", "-c", commands[1][0]], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, third = (without_comments(text) for text in (unit, found.stdout))
    assert third == first.replace("CUDA0,CUDA1", "CUDA4,CUDA5").replace("8080", "8082")


def without_comments(unit: str) -> str:
    return "\n".join(line for line in unit.splitlines() if not line.startswith("#"))


def test_ports_of_copies_stay_below_the_last_one() -> None:
    serving = llama(port=65535, replicas=Replicas(4, 4, "as given", per_machine=4))
    assert [serving.port_of(copy) for copy in range(4)] == [65535, 65534, 65533, 65532]
    assert llama(port=65532, replicas=Replicas(4, 4, "as given", per_machine=4)).port_of(3) == 65535


def test_the_cores_are_asked_for_where_the_processor_computes_layers() -> None:
    whole = LlamaSettings("f16", True, 2048, 512, 8, 33, (20, 12))
    assert container_of(llama(llama=whole), "compose").cores == 1
    assert container_of(llama(llama=replace(whole, layers_in_ram=True)), "compose").cores == 8
    assert container_of(llama(llama=replace(whole, experts_in_ram=True)), "compose").cores == 8
    assert container_of(on_processor(), "compose").cores == 8


def test_no_file_holds_a_secret_and_a_server_for_all_wants_one() -> None:
    texts = files(llama())
    assert "LLAMA_API_KEY=\n" in texts[f"{NAME}.env"]
    assert all("--api-key" not in text for text in texts.values())
    assert "--host 127.0.0.1" in texts[f"{NAME}.service"]
    assert "IPAddressAllow=localhost" in texts[f"{NAME}.service"]


def run_script(script: str, folder: Path, *arguments: str, key: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command file with a llama-server that prints its arguments, one a line, NUL-ended."""
    server = folder / "llama-server"
    server.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n", "utf-8")
    server.chmod(0o755)
    path = folder / "run.sh"
    path.write_text(script, "utf-8")
    environment = {"PATH": os.defpath, "LLAMA_SERVER": str(server), "LLAMA_API_KEY": key}
    return subprocess.run(
        ["bash", str(path), *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(serving=hostile_llama())
def test_bash_hands_on_every_name_as_it_is(serving: Serving, tmp_path: Path) -> None:
    ran = run_script(next(iter(files(serving).values())), tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split("\0")[:-1] == flat(llama_arguments(serving, from_hub(serving), "127.0.0.1"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["llama-server", "run.sh"]


def test_another_address_wants_a_key(tmp_path: Path) -> None:
    script = next(iter(files(llama()).values()))
    refused = run_script(script, tmp_path, "--host", "0.0.0.0")
    assert refused.returncode != 0
    assert "LLAMA_API_KEY" in refused.stderr
    assert run_script(script, tmp_path, "--host", "0.0.0.0", key="k").returncode == 0


def systemd_words(line: str) -> list[str]:
    """The words of a command line as systemd.service(5) reads them: quotes, backslashes, specifiers, variables."""
    words: list[str] = []
    current, quoted, i = "", False, 0
    while i < len(line):
        character, pair = line[i], line[i : i + 2]
        if pair in ("%%", "$$"):
            current, i = current + character, i + 2
        elif character in "%$":
            raise AssertionError(f"something is put in place of {pair!r}")
        elif character == "\\":
            current, i = current + line[i + 1], i + 2
        elif character == '"':
            quoted, i = not quoted, i + 1
        elif character == " " and not quoted:
            words, current, i = [*words, current], "", i + 1
        else:
            current, i = current + character, i + 1
    assert not quoted
    return [*words, current]


@given(texts=HOSTILE.map(lambda text: [text, "--next", text]))
def test_systemd_takes_every_word_as_it_is(texts: list[str]) -> None:
    assert systemd_words(" ".join(map(command_word, texts))) == texts
    assert "\n" not in value(texts[0])
    assert not re.search(r"(?<!\\)(\\\\)*\\$", value(texts[0]))
    assert word(texts[0]).count("%") == 2 * texts[0].count("%")


@settings(max_examples=25, deadline=None)
@given(serving=hostile_llama())
def test_every_line_of_a_unit_is_one_that_the_program_wrote(serving: Serving) -> None:
    plain = unit_keys(files(on_processor())[f"{NAME}.service"])
    (unit,) = [text for text in files(serving).values() if "[Install]" in text]
    assert unit_keys(unit) == plain


def unit_keys(unit: str) -> list[str]:
    """Keys and sections in order, as systemd reads lines: comments aside, continued lines joined."""
    lines = [line for line in unit.replace("\\\n", " ").split("\n") if line and line[0] not in "#;"]
    return [line.split("=")[0] for line in lines]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize(
    "serving",
    [
        llama(),
        on_processor(),
        llama(gguf=GgufSource(None, "/home/me/my models/a%b.gguf")),
        llama(title="100 % $HOME\\"),
    ],
)
def test_systemd_accepts_the_units(serving: Serving, tmp_path: Path) -> None:
    for name, text in files(serving).items():
        if name.endswith(".service"):
            # The program need not be here: any other that is stands in for it.
            stand_in = text.replace("/usr/local/bin/llama-server", "/bin/true")
            (tmp_path / name).write_text(stand_in.replace("/usr/bin/curl", "/bin/true"), "utf-8")
    units = sorted(map(str, tmp_path.glob("*.service")))
    ran = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    told = [line for line in ran.stderr.splitlines() if str(tmp_path) in line or NAME in line]
    assert (ran.returncode, told) == (0, [])


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server on the loopback that stands for the Hub; its folder."""
    folder = tmp_path / "hub"
    (folder / "o" / "n" / "resolve" / "main").mkdir(parents=True)
    handler = partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(weights, "HUB", f"http://127.0.0.1:{server.server_address[1]}")
    yield folder / "o" / "n" / "resolve" / "main"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""

    def do_GET(self) -> None:
        if self.path.endswith("/refused.gguf"):
            self.send_error(401)
            return
        if not self.path.endswith("/moved.gguf"):
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", self.path.replace("moved", "a"))
        self.send_header("Content-Length", "0")
        self.end_headers()


def fetch(source: GgufSource, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    environment = {"PATH": os.defpath, "STATE_DIRECTORY": str(folder), "HF_TOKEN": "hf_secret"}
    script = weights.fetch_script(source, '"$STATE_DIRECTORY"')
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_parts_are_downloaded_once_and_checked(hub: Path, tmp_path: Path) -> None:
    names = ["a'b $x-00001-of-00002.gguf", "a'b $x-00002-of-00002.gguf"]
    for name in names:
        (hub / name).write_text(name, "utf-8")
    hashes = tuple(hashlib.sha256(name.encode()).hexdigest() for name in names)
    source = GgufSource("o/n", names[0], None, hashes)
    there = tmp_path / "there"
    ran = fetch(source, there)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert {path.name: path.read_text("utf-8") for path in there.glob("*.gguf")} == {name: name for name in names}
    (hub / names[0]).unlink()
    assert fetch(source, there).returncode == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_a_file_with_another_hash_is_not_kept(hub: Path, tmp_path: Path) -> None:
    (hub / "a.gguf").write_text("tampered", "utf-8")
    there = tmp_path / "there"
    assert fetch(GgufSource("o/n", "a.gguf", None, ("00" * 32,)), there).returncode != 0
    assert [path.name for path in there.iterdir()] == [".lock"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_no_redirect_is_followed_to_an_address_that_is_not_encrypted(hub: Path, tmp_path: Path) -> None:
    (hub / "a.gguf").write_text("from who sits in between", "utf-8")
    there = tmp_path / "there"
    assert fetch(GgufSource("o/n", "a.gguf"), there).returncode == 0
    ran = fetch(GgufSource("o/n", "moved.gguf"), there)
    assert ran.returncode != 0
    assert not list(there.glob("moved*"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_a_missing_file_fails_and_leaves_nothing(hub: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    ran = fetch(GgufSource("o/n", "none.gguf"), there)
    assert ran.returncode != 0
    assert "404" in ran.stderr
    assert not list(there.glob("*.gguf*"))


def test_a_colon_in_the_folder_of_the_weights_begins_no_other_path() -> None:
    serving = llama(gguf=GgufSource(None, "/home/me/models:v2/a.gguf"))
    assert 'BindReadOnlyPaths="/home/me/models:v2"\n' in files(serving)[f"{NAME}.service"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_what_the_server_cannot_go_on_with_is_begun_anew_next_time(hub: Path, tmp_path: Path) -> None:
    """The server here sends whole files only, whatever part is asked for."""
    (hub / "a.gguf").write_text("whole", "utf-8")
    there = tmp_path / "there"
    there.mkdir()
    (there / "a.gguf.part").write_text("wh", "utf-8")
    assert fetch(GgufSource("o/n", "a.gguf"), there).returncode != 0
    assert fetch(GgufSource("o/n", "a.gguf"), there).returncode == 0
    assert (there / "a.gguf").read_text("utf-8") == "whole"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_a_refusal_takes_nothing_of_what_was_downloaded(hub: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "refused.gguf.part").write_text("wh", "utf-8")
    assert fetch(GgufSource("o/n", "refused.gguf"), there).returncode != 0
    assert (there / "refused.gguf.part").read_text("utf-8") == "wh"
