"""From recommendation files to what serves them: numbers, refusals, and what a short export must say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor.domain.export_request import ExportRequest
from advisor.domain.pools import threads_for
from advisor.errors import AdvisorError, InputError, NoCandidateError
from advisor.export.deploy import TARGETS
from advisor.export.deploy.serving import GgufSource, Serving
from advisor.export.recommendation_file import read_recommendation
from advisor.export.report.contents import Recorded
from tests.export.support import MACHINES, advise, advisor, text_of, write

SAAS = ("use.commercial=true", "use.deployment=saas")
_NAMED = ExportRequest(gguf="a/b/c.gguf")
CROWD = (*SAAS, "scale.users=50000", "scale.requests_per_user_hour=10")
"""More than any model carries on one machine."""
MANY = (*SAAS, "scale.users=300", "scale.requests_per_user_hour=10")


def recommended(folder: Path, machine: str, *settings: str, named: tuple[str, ...] = ()) -> Path:
    """With the one file type that is published of nearly every model."""
    document = advise(MACHINES[machine], settings, named, "Q4_K_M")
    return write(folder / "pick.toml", text_of(document))


def serving(path: Path, target: str, **request: Any) -> Serving:
    recorded = Recorded(read_recommendation(path), "0" * 64, "pick")
    return advisor().serving(recorded, target, ExportRequest(**request))


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text("utf-8")
    assert old in text
    return write(path, text.replace(old, new))


def test_llama_cpp_is_told_what_was_recommended(tmp_path: Path) -> None:
    path = recommended(tmp_path, "two H100")
    place = read_recommendation(path).recommendation.placement
    found = serving(path, "llama-server", gguf="a/b/c.gguf")
    assert found.llama is not None
    assert found.total_context_tokens == place.context_tokens
    assert (found.slots, found.llama.n_gpu_layers) == (place.parallel, place.n_gpu_layers)
    assert found.gpus == sum(1 for n in place.gpu_layers if n)
    assert found.backend == "cuda"
    assert not found.uses_processor


def test_layers_whose_cache_lies_in_system_memory_are_the_processors(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090")
    assert not serving(path, "llama-server").uses_processor
    split = changed(path, "kv_cache_bytes = 0\n", "kv_cache_bytes = 1048576\n")
    assert serving(split, "llama-server").uses_processor


def test_the_weights_are_a_published_file_of_the_recommended_type(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090")
    pick = read_recommendation(path).recommendation
    found = serving(path, "llama-server").gguf
    rows = advisor().gguf_files(advisor().model(pick.model))
    assert found is not None
    assert [r.quantization for r in rows if (r.repo, r.file) == (found.repo, found.file)] == [pick.quantization]


def test_memory_grows_with_the_slots_and_the_files_say_so(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor")
    pick = read_recommendation(path).recommendation
    had = pick.placement.parallel
    found = serving(path, "llama-server", slots=3 * had)
    assert found.ram_bytes == pick.footprint.total_bytes + 2 * pick.footprint.kv_cache_bytes
    assert found.context_tokens == pick.placement.context_tokens // had
    assert any("nobody held against the machine" in text for text in found.cautions)
    assert not any("nobody held" in text for text in serving(path, "llama-server").cautions)


def test_one_copy_of_many_says_how_many_the_load_needs(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090", *CROWD)
    needed = read_recommendation(path).plan.replicas
    assert needed is not None
    assert needed > 1
    found = serving(path, "llama-server")
    assert (found.replicas.count, found.replicas.needed) == (1, needed)
    texts = advisor().export_file(path, "llama-server")
    assert all(
        f"the load needs about {needed} copies" in one_line(t) for n, t in texts.items() if n.endswith("service")
    )


def test_a_cluster_gets_the_copies_of_the_plan_and_a_spare_one(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090", *CROWD)
    found = serving(path, "kubernetes")
    assert found.replicas.needed is not None
    assert found.replicas.count == found.replicas.needed + 1
    assert not found.replicas.is_rough
    given = serving(path, "kubernetes", replicas=1)
    assert given.replicas.is_short
    assert any(f"the load needs {given.replicas.needed} copies" in text for text in given.cautions)


def test_a_copy_on_a_node_with_more_gpus_uses_its_own_and_says_how_the_others_are_run(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090", *CROWD)
    found = serving(path, "llama-server", node="g6e.12xlarge", gguf="a/b/c.gguf")
    assert found.llama is not None
    n_gpus, others = found.gpus, 4 - found.gpus
    assert found.llama.gpu_layers[n_gpus:] == (0,) * others
    assert found.replicas.per_machine == 4 // n_gpus > 1
    assert found.llama.threads == 24 // found.replicas.per_machine
    assert found.gpus_of(1) == tuple(range(n_gpus, 2 * n_gpus))
    assert any(f"run as many, {found.replicas.per_machine} on a machine, behind" in text for text in found.cautions)
    made = advisor().export_file(path, "llama-server", ExportRequest(node="g6e.12xlarge", gguf="a/b/c.gguf"))
    script = next(text for name, text in made.items() if name.endswith(".sh") and "weights" not in name)
    assert re.findall(r"^  --device (.*)$", script, re.MULTILINE) == [",".join(f"CUDA{i}" for i in range(n_gpus))]
    assert f"One machine runs {found.replicas.per_machine} copies" in script


def test_copies_that_were_recommended_for_one_machine_have_gpus_of_their_own(tmp_path: Path) -> None:
    path = recommended(tmp_path, "two H100", *SAAS, "scale.users=400", "scale.requests_per_user_hour=10")
    pick = read_recommendation(path).recommendation
    assert pick.carried is not None
    assert (pick.carried.copies, pick.carried.gpus_per_copy) == (2, 1)
    found = serving(path, "llama-server", gguf="a/b/c.gguf")
    assert found.llama is not None
    assert (found.llama.gpu_layers, found.replicas.per_machine) == ((*pick.placement.gpu_layers, 0), 2)
    cores = threads_for(MACHINES["two H100"])
    assert cores > 1
    assert found.llama.threads == found.cores == pick.placement.threads == cores // 2


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("llama-server", r"--threads (\d+)"),
        ("compose", r"--threads\W+(\d+)"),
        ("kubernetes", r"--threads\W+(\d+)"),
        ("ollama", r"num_thread (\d+)"),
    ],
)
def test_every_target_gives_a_copy_its_share_of_the_cores(tmp_path: Path, target: str, told: str) -> None:
    path = recommended(tmp_path, "two H100", *SAAS, "scale.users=400", "scale.requests_per_user_hour=10")
    made = advisor().export_file(path, target, _NAMED)
    found = {int(n) for text in made.values() for n in re.findall(told, text)}
    assert found == {threads_for(MACHINES["two H100"]) // 2}
    made = advisor().export_file(path, "llama-server", ExportRequest(gguf="a/b/c.gguf"))
    unit = next(text for name, text in made.items() if name.endswith(".service") and "weights" not in name)
    assert "    --device CUDA0 \\\n" in unit


def test_no_more_copies_stand_on_a_machine_than_the_plan_has(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090", *SAAS)
    found = serving(path, "vllm", node="p5.48xlarge")
    assert found.gpus == 1
    assert found.replicas.per_machine == 2  # one for the load, and a spare one
    cluster = serving(path, "kubernetes", engine="vllm", node="p5.48xlarge")
    assert cluster.replicas.why == "the plan: 1 carries the peak, and one may be lost"


def test_vllm_runs_the_original_weights_as_planned_for_a_node(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor", *MANY)
    found = serving(path, "vllm", node="p5.48xlarge", quantization="BF16")
    assert found.vllm is not None
    assert (found.gguf, found.llama, found.quantization) == (None, None, "BF16")
    assert found.vllm.gpu_name == "H100 SXM 80GB"
    assert any("p5.48xlarge" in text for text in found.cautions)
    assert any("original weights" in text for text in found.cautions)
    config = yaml.safe_load(next(iter(advisor().export_file(path, "vllm").values())))
    assert config["model"] == read_recommendation(path).recommendation.hf_id


def test_duties_of_the_described_use_stand_in_every_main_file(tmp_path: Path) -> None:
    path = recommended(tmp_path, "two H100", *SAAS, named=("llama-3.1-8b-instruct",))
    path = only(path, "llama-3.1-8b-instruct")
    for target in ("llama-server", "ollama", "compose", "kubernetes", "vllm", "ray-serve", "kuberay"):
        texts = advisor().export_file(path, target)
        assert "Built with Llama" in one_line(next(iter(texts.values()))), target
        notice = next(text for name, text in texts.items() if name.endswith("NOTICE.txt"))
        assert "Built with Llama" in notice
        assert "acceptable use policy" in notice
        assert notice.splitlines()[1] == "Built with Llama"
    assert serving(path, "kubernetes", node="p5.48xlarge").licence.display == "Built with Llama"


def only(path: Path, model: str) -> Path:
    """A recommendation whose pick is the named model: one that no other beats."""
    document = advise(MACHINES["two H100"], (*SAAS, 'preferences.families=["llama"]'), (model,), "Q4_K_M")
    write(path, text_of(document))
    assert read_recommendation(path).recommendation.model.startswith("llama")
    return path


def one_line(text: str) -> str:
    return re.sub(r"\s*\n#\s*", " ", text)


@pytest.mark.parametrize(
    ("target", "request_", "kind", "message"),
    [
        ("vllm", {"gguf": "a/b/c.gguf"}, InputError, "does not serve GGUF"),
        ("vllm", {"quantization": "Q4_K_M"}, InputError, "GGUF file type Q4_K_M"),
        ("llama-server", {"engine": "vllm"}, InputError, "does not run vllm"),
        ("llama-server", {"engine": "vlm"}, InputError, "Did you mean 'vllm'"),
        ("llama-server", {"replicas": 3}, InputError, "runs one copy, not 3"),
        ("llama-server", {"quantization": "BF16"}, InputError, "--quant is for vLLM"),
        ("llama-server", {"gguf": "c.gguf"}, InputError, "owner/name/FILE.gguf"),
        ("llama-server", {"gguf": "a/b/../../c.gguf"}, InputError, "owner/name/FILE.gguf"),
        ("kubernetes", {"node": "p5.48xlargee"}, InputError, "Did you mean 'p5.48xlarge'"),
    ],
)
def test_what_a_target_cannot_do_is_refused(
    tmp_path: Path, target: str, request_: dict[str, Any], kind: type[AdvisorError], message: str
) -> None:
    path = recommended(tmp_path, "processor")
    with pytest.raises(kind, match=re.escape(message)):
        serving(path, target, **request_)


def test_a_described_machine_is_refused_unless_the_user_insists(tmp_path: Path) -> None:
    path = changed(recommended(tmp_path, "processor"), "simulated = false", "simulated = true")
    with pytest.raises(InputError, match="--allow-simulated"):
        serving(path, "llama-server")
    insisted = serving(path, "llama-server", allow_simulated=True)
    assert any("described, not probed" in text for text in insisted.cautions)
    assert serving(path, "kubernetes", node="p5.48xlarge").gpus
    assert serving(path, "vllm").vllm is not None


def test_a_use_that_the_licence_does_not_allow_is_not_served(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor")
    verdict = read_recommendation(path).recommendation.licence.verdict.value
    text = path.read_text("utf-8").replace(f'verdict = "{verdict}"', 'verdict = "needs_separate_licence"', 1)
    with pytest.raises(NoCandidateError, match="needs an agreement with the licensor"):
        serving(write(path, text), "llama-server")


def test_a_model_without_a_known_file_wants_one_named(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor")
    pick = read_recommendation(path).recommendation
    path = changed(path, f'model = "{pick.model}"', 'model = "llama-3.1-405b-instruct"')
    with pytest.raises(InputError, match="no published Q4_K_M file"):
        serving(path, "llama-server")
    named = serving(path, "llama-server", gguf="me/mine/x-00001-of-00002.gguf").gguf
    assert named is not None
    assert named.parts == ("x-00001-of-00002.gguf", "x-00002-of-00002.gguf")
    here = serving(path, "llama-server", gguf="/models/x.gguf").gguf
    assert here is not None
    assert (here.repo, here.file) == (None, "/models/x.gguf")


def test_a_known_repository_serves_where_no_file_in_it_is_known(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor")
    pick = read_recommendation(path).recommendation
    path = changed(path, f'model = "{pick.model}"', 'model = "ministral-3-3b-instruct"')
    found = serving(path, "llama-server").gguf
    assert found == GgufSource("mistralai/Ministral-3-3B-Instruct-2512-GGUF", None)
    texts = advisor().export_file(path, "llama-server")
    assert f"--hf-repo {found.repo}:Q4_K_M" in next(iter(texts.values()))
    assert not [name for name in texts if "weights" in name]
    (unit,) = [text for name, text in texts.items() if name.endswith(".service")]
    assert "LLAMA_CACHE=/var/lib/llama-server-ministral-3-3b-instruct" in unit
    assert "IPAddressDeny" not in unit
    assert f"FROM hf.co/{found.repo}:Q4_K_M\n" in next(iter(advisor().export_file(path, "ollama").values()))
    with pytest.raises(InputError, match="the name of the Q4_K_M file"):
        advisor().export_file(path, "kubernetes")


def test_an_architecture_that_is_not_planned_on_vllm_is_refused(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor")
    pick = read_recommendation(path).recommendation
    path = changed(path, f'model = "{pick.model}"', 'model = "codestral-mamba-7b-v0.1"')
    with pytest.raises(NoCandidateError, match="mamba2"):
        serving(path, "vllm")


def test_control_characters_in_a_name_are_refused(tmp_path: Path) -> None:
    path = recommended(tmp_path, "processor")
    pick = read_recommendation(path).recommendation
    path = changed(path, f'hf_id = "{pick.hf_id}"', r'hf_id = "a/b\u000aRUN rm"')
    with pytest.raises(InputError, match="control characters"):
        serving(path, "llama-server")


def test_the_same_file_gives_the_same_texts(tmp_path: Path) -> None:
    path = recommended(tmp_path, "RTX 4090", *MANY)
    for target in ("llama-server", "kubernetes"):
        first, second = (advisor().export_file(path, target, _NAMED) for _ in range(2))
        assert first == second


def test_everything_is_exported_but_for_what_cannot_be(tmp_path: Path) -> None:
    path = changed(recommended(tmp_path, "processor"), "simulated = false", "simulated = true")
    texts, refused = advisor().export_everything(path, ExportRequest())
    assert set(refused) == {name for name, target in TARGETS.items() if target.engines[:1] == ("llama.cpp",)}
    assert {"pick.md", "pick.html"} <= set(texts)
    whole, none = advisor().export_everything(recommended(tmp_path, "processor"), ExportRequest())
    assert none == {}
    assert len(whole) == len({name.casefold() for name in whole}) > 20
